"""Load a schedule file from the command line."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from appointments.feeds.reading import FORMATS
from appointments.feeds.records import RowFault
from appointments.services.importing_files import (
    DEFAULT_SOURCE,
    FileLoad,
    about_no_phone,
    load_file,
)
from staff.errors import Refusal

ALL_IN, SOME_REJECTED, UNREADABLE = 0, 1, 2


class Command(BaseCommand):
    """Exit 0: all rows in; 1: some rejected, each named; 2: the file cannot be read."""

    help = "Charge un fichier d'agenda (CSV ou XLSX). Colonnes : docs/schedule-files.md."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("file", type=Path, metavar="FILE", help="fichier CSV ou XLSX")
        parser.add_argument("--source", default=DEFAULT_SOURCE, help="nom de la source")
        parser.add_argument("--format", choices=FORMATS, default="auto", dest="file_format")
        extent = parser.add_mutually_exclusive_group()
        extent.add_argument(
            "--full",
            action="store_true",
            default=True,
            help="export complet : ce qui n'y figure plus a disparu (par défaut)",
        )
        extent.add_argument(
            "--partial",
            action="store_false",
            dest="full",
            help="export partiel : ce qui n'y figure pas ne dit rien",
        )
        parser.add_argument("--dry-run", action="store_true", help="ne rien écrire")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load the file and say what became of its rows."""
        try:
            load = load_file(
                path=options["file"],
                feed_name=options["source"],
                file_format=options["file_format"],
                is_full_export=options["full"],
                dry_run=options["dry_run"],
                progress=self._progress,
            )
        except Refusal as refusal:
            self._say_unreadable(refusal, as_json=options["as_json"])
            sys.exit(UNREADABLE)
        if self.stderr.isatty():
            self.stderr.write("")
        if options["as_json"]:
            self.stdout.write(json.dumps(_as_dict(load, options["dry_run"]), ensure_ascii=False))
        else:
            self._say(load, is_dry_run=options["dry_run"])
        sys.exit(SOME_REJECTED if load.result.rejected else ALL_IN)

    def _progress(self, rows: int, expected: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{rows} / {max(rows, expected)}", ending="")
            self.stderr.flush()

    def _say_unreadable(self, refusal: Refusal, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"error": refusal.message}, ensure_ascii=False))
        else:
            self.stderr.write(self.style.ERROR(refusal.message))

    def _say(self, load: FileLoad, *, is_dry_run: bool) -> None:
        if load.result.has_no_phone:
            self.stdout.write(self.style.WARNING(about_no_phone()))
        if load.unused:
            names = ", ".join(load.unused)
            self.stdout.write(_("Colonnes non utilisées : %(names)s.") % {"names": names})
        for title, faults in (
            (_("Lignes rejetées :"), load.result.rejected),
            (_("Lignes entrées, avec une remarque :"), load.result.remarks),
        ):
            if faults:
                self.stdout.write(title)
            for fault in faults:
                self.stdout.write("  " + _sentence(fault))
        unlisted = load.result.remarks_counted - len(load.result.remarks)
        if unlisted:
            self.stdout.write(_("… et %(count)s autres remarques.") % {"count": unlisted})
        counts = _(
            "%(rows)s lignes : %(created)s nouvelles, %(updated)s modifiées, %(moved)s déplacées, "
            "%(unchanged)s inchangées, %(rejected)s rejetées ; %(missing)s rendez-vous disparus."
        )
        self.stdout.write(counts % load.result.counts())
        if is_dry_run:
            self.stdout.write(_("Essai à blanc : rien n'a été écrit."))


def _sentence(fault: RowFault) -> str:
    column = f", {fault.column}" if fault.column else ""
    value = f" « {fault.value} »" if fault.value else ""
    return _("ligne %(line)s%(column)s%(value)s : %(why)s") % {
        "line": fault.line,
        "column": column,
        "value": value,
        "why": fault.why,
    }


def _as_dict(load: FileLoad, is_dry_run: bool) -> dict[str, Any]:
    def listed(faults: list[RowFault]) -> list[dict[str, Any]]:
        return [
            {"line": f.line, "column": f.column, "value": f.value, "why": f.why} for f in faults
        ]

    return {
        "dry_run": is_dry_run,
        "file_sha256": load.file_sha256,
        "warning": about_no_phone() if load.result.has_no_phone else "",
        **load.result.counts(),
        "with_phone": load.result.with_phone,
        "unused_columns": list(load.unused),
        "rejected_rows": listed(load.result.rejected),
        "remarks_on_rows": listed(load.result.remarks),
    }
