"""``manage.py verify``: the audit chain and the promises of DESIGN.md section 6."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from staff.services import audit
from staff.services.audit import Mark
from vivalia_continuity.promises import PROMISES


class Command(BaseCommand):
    """Report for each promise whether the data keeps it; exit 1 when one is broken."""

    help = "Contrôle le journal et les treize promesses sur les données ; 1 si l'une est rompue."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--head",
            metavar="N:EMPREINTE",
            help="contrôle aussi le journal contre la marque imprimée sur une feuille",
        )

    def handle(self, *args: Any, head: str | None = None, **options: Any) -> None:
        """Print one line per promise, and one per break below it."""
        seen = _mark(head) if head else None
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
        self._say_how_far_anchored()
        if seen is not None:
            broken += self._hold_against(seen)
        if broken:
            self.stderr.write(f"{broken} promesse(s) rompue(s).")
            sys.exit(1)
        self.stdout.write("Tout est tenu.")

    def _say_how_far_anchored(self) -> None:
        """Report the anchors: without them, a restored older copy goes unnoticed."""
        files = audit.anchor_files()
        if not files:
            self.stdout.write(
                "    Ancre du journal : aucune n'est configurée. Une copie plus ancienne de la "
                "base, remise en place, ne se verrait pas : voyez TRAIL_ANCHOR_FILES."
            )
        for file in files:
            reach = f"événements {file.first} à {file.last}" if file.last else "vide"
            self.stdout.write(f"    Ancre du journal {file.path} : {file.fault or reach}")

    def _hold_against(self, seen: Mark) -> bool:
        fault = audit.contradicts(seen)
        self.stdout.write(f"    Marque {seen} : {fault or 'le journal lui correspond'}")
        return bool(fault)


def _mark(text: str) -> Mark:
    try:
        return Mark.parse(text)
    except ValueError as error:
        raise CommandError(
            f"--head {text} : ce n'est pas une marque. Recopiez celle de la feuille, par exemple "
            "1234:0123456789abcdef.",
            returncode=2,
        ) from error
