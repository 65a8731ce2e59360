"""Settings of the tests: the app's own, with a fast password hasher and no files left behind."""

import os
import tempfile

os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix="continuity-tests-"))
os.environ.pop("DATABASE_URL", None)

from vivalia_continuity.settings import *  # noqa: F403
from vivalia_continuity.settings import DATABASES, STORAGES, env

if env("TEST_DATABASE_URL", default=""):
    DATABASES["default"] = env.db_url("TEST_DATABASE_URL")
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_AUTOREFRESH = True
