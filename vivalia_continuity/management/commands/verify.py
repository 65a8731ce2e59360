"""``manage.py verify``: the audit chain and the promises of DESIGN.md section 6."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from vivalia_continuity.promises import PROMISES


class Command(BaseCommand):
    """Say of each promise whether the data keeps it; exit 1 when one is broken."""

    help = "Contrôle le journal et les onze promesses sur les données ; 1 si l'une est rompue."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line per promise, and one per break below it."""
        broken = 0
        for promise in PROMISES:
            faults = promise.faults()
            verdict = (
                "ROMPUE" if faults else "tenue" if promise.checks else "(prouvée par les tests)"
            )
            self.stdout.write(f"{promise.number:>2}. {promise.title} : {verdict}")
            for fault in faults:
                self.stdout.write(f"      {fault}")
            broken += bool(faults)
        if broken:
            self.stderr.write(f"{broken} promesse(s) rompue(s).")
            sys.exit(1)
        self.stdout.write("Tout est tenu.")
