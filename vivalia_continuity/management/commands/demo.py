"""``manage.py demo --out DIR``: the whole job without a browser, in under two minutes."""

import os
import shutil
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from staff.errors import Refusal
from vivalia_continuity import embedded
from vivalia_continuity.demonstration.day import DemonstrationDay

# Whatever the machine's settings are, the demonstration has its own database and sends nothing.
_ELSEWHERE = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "TRAIL_KEY", "DEBUG")


class Command(BaseCommand):
    """Runs the day in a child process whose settings name a throw-away data directory."""

    help = "Joue la journée du bulletin sans navigateur ; laisse PDF et messages dans un dossier."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--out", required=True, type=Path, metavar="DIR")

    def handle(self, *args: Any, out: Path, **options: Any) -> None:
        """Start the child; inside it, run the day."""
        out = out.resolve()
        data = out / "data"
        if data == settings.DATA_DIR:
            self._play(out)
            return
        try:
            out.mkdir(parents=True, exist_ok=True)
            if (data / "continuity.sqlite3").exists():  # of an earlier demonstration
                shutil.rmtree(data)
        except OSError as error:
            raise CommandError(
                f"{out} ne peut pas servir : {error.strerror}.", returncode=2
            ) from error
        ended = subprocess.run(  # noqa: S603 - this very command
            [sys.executable, "manage.py", "demo", "--out", str(out)],
            cwd=settings.BASE_DIR,
            env=_environment(data),
            check=False,
        )
        sys.exit(ended.returncode)

    def _play(self, out: Path) -> None:
        embedded.make_folders()
        call_command("migrate", interactive=False, verbosity=0)
        day = DemonstrationDay(out, say=self._say, style_title=self.style.MIGRATE_HEADING)
        try:
            is_kept = day.run()
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        if not is_kept:
            sys.exit(1)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _environment(data: Path) -> dict[str, str]:
    """Return the child's environment; an empty value also overrides ``.env``."""
    return {
        **os.environ,
        **dict.fromkeys(_ELSEWHERE, ""),
        "STATIC_ROOT": str(data / "static"),
        "DATA_DIR": str(data),
        "DEMO_TODAY": embedded.DEMO_DAY,
        "SMS_GATEWAY_URL": "console://",
    }
