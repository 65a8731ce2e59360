"""Start a part of the server: ``entrypoint.py web|worker|sms|beat|migrate|healthcheck PART``.

Anything else is handed to ``manage.py``. The environment is left as it is, so that a command
started beside the server (``docker compose exec web python manage.py ...``) sees the same.
"""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

PORT = 8000
# The scheduler saves its state every three minutes.
BEAT_SILENCE_SECONDS = 600

CELERY = ["celery", "--app", "vivalia_continuity"]


def beat_schedule(environment: Mapping[str, str]) -> Path:
    """Return where the scheduler keeps what it ran last (the settings say the same)."""
    return Path(environment.get("DATA_DIR", "/data")) / "celerybeat-schedule"


def command(part: str, rest: list[str], environment: Mapping[str, str]) -> list[str]:
    """Return the command line that is this part of the server."""
    if part == "web":
        # No access log: addresses of pages hold what was searched for, which may be a name.
        return ["gunicorn", "vivalia_continuity.wsgi:application", "--bind", f"0.0.0.0:{PORT}",
                "--workers", environment.get("WEB_CONCURRENCY") or "3", "--threads", "4",
                "--timeout", "60", "--graceful-timeout", "20", "--worker-tmp-dir", "/dev/shm",
                "--no-control-socket", *rest]  # fmt: skip
    if part == "worker":
        concurrency = environment.get("WORKER_CONCURRENCY") or "3"
        return [*CELERY, "worker", "--queues", "celery", "--hostname", "worker@%h",
                "--loglevel", "info", "--concurrency", concurrency, *rest]  # fmt: skip
    if part == "sms":  # one process serves all sessions of all gateways
        return [*CELERY, "worker", "--queues", "sms", "--hostname", "sms@%h",
                "--loglevel", "info", "--concurrency", "1", *rest]  # fmt: skip
    if part == "beat":
        # No pid file: a container that was killed would find its own and refuse to start.
        return [*CELERY, "beat", "--loglevel", "info", "--pidfile", "", *rest]
    if part == "migrate":
        return ["python", "manage.py", "migrate", "--noinput", *rest]
    return ["python", "manage.py", part, *rest]


def web_answers(environment: Mapping[str, str]) -> bool:
    """Ask /health/ under a name that the settings accept."""
    first = environment.get("ALLOWED_HOSTS", "localhost").split(",")[0].strip().lstrip(".")
    request = urllib.request.Request(
        f"http://127.0.0.1:{PORT}/health/", headers={"Host": first, "X-Forwarded-Proto": "https"}
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310  # http, above
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError) as error:
        print(f"/health/: {error}")
        return False


def beat_is_alive(environment: Mapping[str, str]) -> bool:
    """Look when the scheduler last saved its state (some formats add a suffix to the name)."""
    path = beat_schedule(environment)
    saved = [found.stat().st_mtime for found in path.parent.glob(f"{path.name}*")]
    return bool(saved) and time.time() - max(saved) < BEAT_SILENCE_SECONDS


def become(line: list[str]) -> NoReturn:
    """Turn this process into the command, so that signals reach it."""
    os.execvp(line[0], line)


def healthcheck(part: str, environment: Mapping[str, str]) -> int:
    """Return 0 if this container does its part."""
    if part == "web":
        return 0 if web_answers(environment) else 1
    if part == "beat":
        return 0 if beat_is_alive(environment) else 1
    here = f"{part}@{os.uname().nodename}"
    ping = [*CELERY, "inspect", "ping", "--timeout", "8", "--destination", here]
    code = subprocess.run(ping, check=False).returncode  # noqa: S603  # our own words
    if code or part != "sms":
        return code
    become(["python", "manage.py", "gateway", "host"])  # names this host and what it cannot reach


def main(arguments: list[str]) -> int:
    """Become the part that was asked for."""
    part, *rest = arguments or ["web"]
    if part == "healthcheck":
        return healthcheck(rest[0], os.environ)
    become(command(part, rest, os.environ))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
