"""``manage.py print_calls``: take calls on paper when the screens go."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from notifications import call_sheet
from notifications.queries.call_sheet import rows
from notifications.services import calls
from staff.errors import Refusal
from staff.models import User


class Command(BaseCommand):
    """Takes the next calls for somebody and writes them as one page to print."""

    help = "Prend les prochains appels pour quelqu'un et les écrit dans une page à imprimer."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add for whom, how many and where to."""
        parser.add_argument("--by", required=True, help="qui appelle : son identifiant")
        parser.add_argument(
            "--number", type=int, default=20, help="combien de patients ; 0 : ceux déjà pris"
        )
        parser.add_argument("--out", required=True, type=Path, help="fichier HTML à écrire")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take, write, and say how many; exit 2 when nothing can be done."""
        by = User.objects.filter(username=options["by"], is_active=True).first()
        if by is None:
            raise CommandError(
                _("Personne ne s'appelle « %s » ici : donnez l'identifiant d'un agent.")
                % options["by"],
                returncode=2,
            )
        try:
            if options["number"]:
                calls.take_on_paper(by=by, number=options["number"])
        except Refusal as refusal:
            raise CommandError(refusal.message, returncode=2) from refusal
        on_paper = rows(by)
        try:
            page = call_sheet.self_contained(on_paper, by=by)
            options["out"].write_text(page, encoding="utf-8")
        except OSError as error:
            raise CommandError(
                _("Le fichier « %(out)s » ne peut être écrit : %(why)s")
                % {"out": options["out"], "why": error.strerror},
                returncode=2,
            ) from error
        self.stdout.write(
            _("%(number)d patients à appeler dans %(out)s")
            % {"number": len(on_paper), "out": options["out"]}
        )
