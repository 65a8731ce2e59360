"""``manage.py print_calls``: take calls on paper when the screens fail."""

import argparse
import sys
from pathlib import Path
from typing import Any, NamedTuple

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.calls import services as calls
from notifications.calls import sheet as call_sheet
from notifications.calls.queries import why_none
from notifications.calls.sheet import SheetRow, rows
from staff.errors import Refusal
from staff.models import User
from staff.paper.pdf import draw

PDF, HTML = "pdf", "html"


class OnPaper(NamedTuple):
    """Who calls, and the patients on their sheet."""

    by: User
    rows: list[SheetRow]


class Command(BaseCommand):
    """Takes the next calls for somebody and writes them as a PDF, or as one page of HTML."""

    help = "Prend les prochains appels pour quelqu'un et les écrit en PDF, ou en page HTML."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--by", required=True, help="qui appelle : son identifiant")
        parser.add_argument(
            "--number", type=int, default=20, help="combien de patients ; 0 : ceux déjà pris"
        )
        parser.add_argument("--out", required=True, type=Path, help="fichier à écrire")
        parser.add_argument(
            "--format",
            choices=[PDF, HTML],
            help="sans cette option : HTML si le nom du fichier finit par .html, sinon PDF",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Take, write, and say how many; exit 1 without the PDF, 2 when nothing can be done."""
        out: Path = options["out"]
        on_paper = self._taken(options["by"], options["number"])
        page = call_sheet.self_contained(on_paper.rows, by=on_paper.by)
        if (options["format"] or out.suffix.lstrip(".").lower()) == HTML:
            self._write(out, page.encode(), on_paper)
            return
        pdf = self._pdf(page)
        file = out if pdf else out.with_suffix(f".{HTML}")
        self._write(file, pdf or page.encode(), on_paper)
        if pdf is None:
            sys.exit(1)

    def _taken(self, username: str, number: int) -> OnPaper:
        """Take so many calls more, and return all that the person has on paper."""
        by = User.objects.filter(username=username, is_active=True).first()
        if by is None:
            raise CommandError(
                _("Personne ne s'appelle « %s » ici : donnez l'identifiant d'un agent.") % username,
                returncode=2,
            )
        try:
            if number:
                calls.take_on_paper(by=by, number=number)
        except Refusal as refusal:
            raise CommandError(refusal.message, returncode=2) from refusal
        return OnPaper(by, rows(by))

    def _pdf(self, page: str) -> bytes | None:
        """Draw the page; None after saying why there is no PDF: the calls are taken already."""
        # In this process, which ends, as ADR 0006 asks.
        try:
            return draw(page).body
        except Exception as error:  # without Pango, or whatever the paper's library stumbles over
            self.stderr.write(
                _("Pas de PDF (%s). À sa place, une page HTML complète est écrite.") % error
            )
            return None

    def _write(self, out: Path, body: bytes, on_paper: OnPaper) -> None:
        try:
            out.write_bytes(body)
        except OSError as error:
            raise CommandError(
                _("Le fichier « %(out)s » ne peut être écrit : %(why)s")
                % {"out": out, "why": error.strerror},
                returncode=2,
            ) from error
        number = len(on_paper.rows)
        said = ngettext(
            "%(number)d patient à appeler dans %(out)s",
            "%(number)d patients à appeler dans %(out)s",
            number,
        )
        self.stdout.write(said % {"number": number, "out": out})
        if not number:
            self.stdout.write(why_none(on_paper.by))
