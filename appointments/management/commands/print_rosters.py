"""Write one PDF per unit for a day: ``print_rosters --day 2022-05-16 --out rosters/``."""

import argparse
import datetime as dt
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from appointments.paper.queries import units_with_paper
from appointments.paper.services import print_units
from staff.models import Site, Unit


class Command(BaseCommand):
    """Issues the sheets of a day, draws them in child processes and writes them to a folder."""

    help = "Écrit la feuille de service de chaque unité pour un jour, en PDF, dans un dossier."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Day and folder, and what narrows the units."""
        parser.add_argument("--day", required=True, type=dt.date.fromisoformat, help="AAAA-MM-JJ")
        parser.add_argument("--out", required=True, type=Path, help="dossier où écrire")
        parser.add_argument("--site", default="", help="code d'un site")
        parser.add_argument("--unit", default="", help="code d'une unité")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line per sheet; exit 1 when one has no PDF, 2 when nothing can be done."""
        out: Path = options["out"]
        unit_ids = self._units(options["day"], options["site"], options["unit"])
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CommandError(
                _("Le dossier « %(out)s » ne peut être créé : %(why)s")
                % {"out": out, "why": error.strerror},
                returncode=2,
            ) from error
        reasons = []
        for printed in print_units(unit_ids=unit_ids, day=options["day"]):
            (out / printed.file_name).write_bytes(printed.body)
            size = _("%(pages)d p.") % {"pages": printed.pages}
            size = _("page HTML") if printed.why_no_pdf else size
            self.stdout.write(f"{printed.file_name}  {size}  {printed.rows} {_('rendez-vous')}")
            if printed.why_no_pdf and printed.why_no_pdf not in reasons:
                reasons.append(printed.why_no_pdf)
        for reason in reasons:
            self.stderr.write(str(reason))
        if reasons:
            self.stderr.write(_("À la place du PDF, une page HTML complète est dans le dossier."))
            sys.exit(1)

    def _units(self, day: dt.date, site: str, unit: str) -> list[int]:
        if site and not Site.objects.filter(code=site).exists():
            raise CommandError(_("Aucun site n'a le code « %s ».") % site, returncode=2)
        if unit and not Unit.objects.filter(code=unit).exists():
            raise CommandError(_("Aucune unité n'a le code « %s ».") % unit, returncode=2)
        units = units_with_paper(day)
        if site:
            units = units.filter(site__code=site)
        if unit:
            units = units.filter(code=unit)
        found = list(units.values_list("id", flat=True))
        if not found:
            self.stdout.write(_("Aucun rendez-vous ce jour-là : aucune feuille à imprimer."))
        return found
