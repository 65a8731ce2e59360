"""Settings of the processes that the fault tests start: swept every second, not every five."""

from tests.settings import *  # noqa: F403
from tests.settings import CELERY_BEAT_SCHEDULE, env

CELERY_BEAT_SCHEDULE["sweep-outbox"]["schedule"] = 1.0
CELERY_BEAT_MAX_LOOP_INTERVAL = 1.0
SMS_QUIET_HOURS = env("TEST_QUIET_HOURS", default="")
DATABASE_CLOCK = env.bool("TEST_DATABASE_CLOCK", default=False)
