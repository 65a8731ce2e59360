"""Settings of the tests: the app's own, with a fast password hasher and no files left behind."""

import atexit
import os
import shutil
import tempfile

if "DATA_DIR" not in os.environ:
    os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="continuity-tests-")
    atexit.register(shutil.rmtree, os.environ["DATA_DIR"], ignore_errors=True)
os.environ.pop("DATABASE_URL", None)

from vivalia_continuity.settings import *  # noqa: F403
from vivalia_continuity.settings import DATABASES, STORAGES, env

if env("TEST_DATABASE_URL", default=""):
    DATABASES["default"] = env.db_url("TEST_DATABASE_URL")
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_AUTOREFRESH = True
# The processes that a test starts have data directories of their own, and one trail.
TRAIL_KEY = "the key of the trail of every process of the tests"
# No beat anchors the trail of a test; those about anchors say so.
TRAIL_ANCHOR_FILES = []
# Many tests run at the real hour of the day; those about quiet hours say so.
SMS_QUIET_HOURS = ""
# Tests freeze the clock of their own process; those about the database's clock say so.
DATABASE_CLOCK = False
