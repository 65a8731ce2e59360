"""One settings file, read from the environment (see ``.env.example`` and docs/operations.md).

Without ``DATABASE_URL`` the app runs *embedded*: SQLite in WAL mode, a file-system broker and
the console gateway, all below ``DATA_DIR``. With it, the app runs as a *server* and refuses to
start on a missing or unsafe setting (``environment.check_server_mode``).
"""

import os
import socket
from pathlib import Path

import environ
from csp.constants import NONCE, NONE, SELF

from vivalia_continuity import environment

BASE_DIR = Path(__file__).resolve().parent.parent
environ.Env.read_env(BASE_DIR / ".env")
os.environ.update(environment.with_secret_files(os.environ))
env = environ.Env()

# What the application writes is for its own account only: databases, keys, uploads, anchors.
os.umask(0o077)
DATA_DIR = Path(env("DATA_DIR", default=str(BASE_DIR / "var")))
SERVER_MODE = environment.is_server_mode(os.environ)
if SERVER_MODE:
    environment.check_server_mode(os.environ)

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env("SECRET_KEY", default="") or environment.embedded_key(DATA_DIR, "secret_key")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# Signs the trail. A key of its own, outside the database, that outlives SECRET_KEY's rotation.
TRAIL_KEY = env("TRAIL_KEY", default="") or environment.embedded_key(DATA_DIR, "trail_key")
TRAIL_KEY_FALLBACKS = env.list("TRAIL_KEY_FALLBACKS", default=[])
# Where the end of the trail is noted outside the database; best on another disk.
TRAIL_ANCHOR_FILES = env.list("TRAIL_ANCHOR_FILES", default=[str(DATA_DIR / "trail-anchor")])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "vivalia_continuity.apps.VivaliaContinuityConfig",
    "appointments",
    "notifications",
    "patients",
    "staff",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",  # the security key pages of allauth load it
    "whitenoise.runserver_nostatic",
    "vivalia_continuity.apps.PageFilesConfig",  # django.contrib.staticfiles
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "bootstrap",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "django_filters",
    "django_htmx",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",  # its files are compressed already
    "django.middleware.gzip.GZipMiddleware",  # ADR 0012
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "vivalia_continuity.middleware.PersonalLanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "vivalia_continuity.middleware.LiveSignInMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "staff.middleware.RefusalMiddleware",
    "staff.middleware.LargeBodyMiddleware",
    "staff.middleware.NoStoreMiddleware",
    "staff.sign_in.middleware.SignInMiddleware",
]

ROOT_URLCONF = "vivalia_continuity.urls"
WSGI_APPLICATION = "vivalia_continuity.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "vivalia_continuity.context.shell",
            ],
        },
    }
]

# --- Database -----------------------------------------------------------------------------
if SERVER_MODE:
    DATABASES = {"default": env.db_url("DATABASE_URL")}
    DATABASES["default"].setdefault("CONN_MAX_AGE", 60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATA_DIR / "continuity.sqlite3",
            "OPTIONS": {
                # A writer takes its lock at BEGIN, so that it waits instead of failing midway.
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
                # FULL: a power cut must not forget that an SMS was handed over (promise 1).
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                " PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY;",
            },
        }
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Accounts -----------------------------------------------------------------------------
AUTH_USER_MODEL = "staff.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "first_name", "last_name", "email")},
    },
    {"NAME": "staff.passwords.GuessableValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "staff.accounts.ClosedAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = False  # closing the browser of a shared computer signs out
# Tries are counted in the database, for all processes (staff/sign_in/); allauth's own counters live
# in each process, and go by address: they would only shut out a hospital that has one.
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": None}
MFA_TOTP_ISSUER = "Vivalia Continuity"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_FORMS = {
    "authenticate": "staff.accounts.AuthenticateForm",
    "reauthenticate": "staff.accounts.ReauthenticateForm",
}
SIGN_IN_TRIES = env.int("SIGN_IN_TRIES", default=8)
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True

# --- Language and time --------------------------------------------------------------------
# The screens are written in French; other languages are translations of it.
LANGUAGE_CODE = "fr"
FORMAT_MODULE_PATH = "vivalia_continuity.formats"
LANGUAGES = [("fr", "Français"), ("nl", "Nederlands"), ("de", "Deutsch"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Europe/Brussels"
USE_TZ = True
# Several hosts share the database's clock, whatever their own show (staff/clock.py).
DATABASE_CLOCK = True
# How this machine is called where people read of it (gateways, logs).
HOST_NAME = (env("HOST_NAME", default="") or socket.gethostname())[:60]
# A drill replays a given day: the wall clock runs on, the date stays (staff/clock.py).
DEMO_TODAY = env("DEMO_TODAY", default="")
if not DEMO_TODAY and not SERVER_MODE:
    DEMO_TODAY = environment.drill_day(DATA_DIR)

# --- Static and stored files --------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = Path(env("STATIC_ROOT", default=str(DATA_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = DATA_DIR / "files"  # uploads and rosters: served by views that check the reader
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"file_permissions_mode": 0o600, "directory_permissions_mode": 0o700},
    },
    # Nothing secret, and perhaps read by a web server under another account.
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage",
        "OPTIONS": {"file_permissions_mode": 0o644, "directory_permissions_mode": 0o755},
    },
}
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ("map", "gz", "br", "png", "woff", "woff2", "ico")
# A sheet of paper is entered as one form: four fields for each of several hundred patients.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# --- Security -----------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "vivalia_continuity.views.page_too_old"
if SERVER_MODE and env.bool("BEHIND_TLS", default=True):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 3600

# Whose X-Forwarded-For is believed when a gateway calls that may come from some addresses only.
TRUSTED_PROXIES = environment.networks(env("TRUSTED_PROXIES", default=""))

# --- Work in the background ---------------------------------------------------------------
REDIS_URL = env("REDIS_URL", default="")
BROKER_DIR = DATA_DIR / "broker"
# Whoever rings at a dead broker gives up at once: a person waits for the page, and the sweep
# finds the work anyway.
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {"max_retries": 0}
if REDIS_URL:
    CELERY_BROKER_URL = REDIS_URL
    CELERY_BROKER_TRANSPORT_OPTIONS |= {"socket_connect_timeout": 2}
else:
    CELERY_BROKER_URL = "folder://localhost"
    CELERY_BROKER_TRANSPORT_OPTIONS |= {
        "data_folder_in": str(BROKER_DIR),
        "data_folder_out": str(BROKER_DIR),
        "control_folder": str(BROKER_DIR / "control"),
        "polling_interval": 0.1,
    }
# Remote control shares files between processes without a lock; only Redis does it well.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = bool(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
# A sender runs for as long as a gateway is listened to, so it has a worker of its own
# (``--queues sms``). A worker that is given no queue works on both.
CELERY_TASK_QUEUES = {name: {"exchange": name, "routing_key": name} for name in ("celery", "sms")}
CELERY_TASK_ROUTES = {"notifications.tasks.dispatch_sms": {"queue": "sms"}}
CELERY_TASK_SERIALIZER = "json"
CELERY_TIMEZONE = TIME_ZONE
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 50  # PDF memory grows and stays (ADR 0006)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULER = "vivalia_continuity.celery:SteadyScheduler"
# A bell that nobody answered for so long is worth nothing: the next sweep rings again. As long as
# the rarest sweep, so that one that means anything always waits for a worker.
DOORBELL_SECONDS = 15.0
CELERY_BEAT_SCHEDULE = {
    name: {"task": task, "schedule": seconds}
    for name, task, seconds in (
        ("sweep-outbox", "notifications.tasks.sweep_outbox", 5.0),
        ("sweep-rosters", "appointments.tasks.sweep_rosters", 15.0),
        ("sweep-imports", "appointments.tasks.sweep_imports", 15.0),
        ("anchor-trail", "staff.tasks.anchor_trail", 60.0),
    )
}

# --- Telling ------------------------------------------------------------------------------
# One URL per gateway, separated by spaces, the preferred one first.
SMS_GATEWAY_URL = env("SMS_GATEWAY_URL", default="console://")
# What the estimate before approval is made with; zero means "not told by the operator".
SMS_PART_COST_EURO = env.float("SMS_PART_COST_EURO", default=0.0)
SMS_PARTS_PER_SECOND = env.float("SMS_PARTS_PER_SECOND", default=20.0)
# No SMS between these hours of Brussels unless the bulletin says why; empty for never quiet. A
# drill, in which nothing leaves the building, is quiet only when told so.
SMS_QUIET_HOURS = environment.checked_quiet_hours(
    env("SMS_QUIET_HOURS", default="" if DEMO_TODAY else "21:00-08:00")
)
# How long a worker may sit on a message before others take it for dead, on the real clock; longer
# than the gateway's own time limit.
SMS_LEASE_SECONDS = env.float("SMS_LEASE_SECONDS", default=60.0)
# A message whose fate stays unknown for longer is told by phone.
SMS_UNKNOWN_SECONDS = env.float("SMS_UNKNOWN_SECONDS", default=15 * 60.0)
# A message without a receipt, over a gateway that gives receipts, is unknown after this.
SMS_RECEIPT_SECONDS = env.float("SMS_RECEIPT_SECONDS", default=2 * 3600.0)
# An SMS that has not left so long before the appointment does not leave: the patient is called.
SMS_LATEST_SECONDS = env.float("SMS_LATEST_SECONDS", default=30 * 60.0)
CALL_TRIES = 3  # without an answer, then the patient is unreachable
CALL_AGAIN_SECONDS = 30 * 60.0  # after no answer
CALL_PAPER_SECONDS = 4 * 3600.0  # taken on paper; what is not entered by then is called again
CALL_TAKES_SECONDS = 3 * 60.0  # what calling is reckoned with: dialling, saying, noting
CALL_LEASE_SECONDS = 15 * 60.0  # an agent who went home; the call comes back to the list
# A feed that has said nothing for longer than this makes its data look old, loudly.
DATA_AGE_LIMIT_HOURS = env.int("DATA_AGE_LIMIT_HOURS", default=24)
# An operation without a ruling is said loudly from this hour of the evening before, in Brussels.
RULINGS_DUE_AT = environment.checked_hour("RULINGS_DUE_AT", env("RULINGS_DUE_AT", default="18:00"))
HOSPITAL_NAME = env("HOSPITAL_NAME", default="Vivalia")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "filters": {"secrets": {"()": "vivalia_continuity.log_filters.HideHookSecrets"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["secrets"]}
    },
    "root": {"handlers": ["stderr"], "level": env("LOG_LEVEL", default="WARNING")},
}
