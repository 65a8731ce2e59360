"""Load a schedule file from the command line."""

import datetime as dt
import json
import sys
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from appointments.feeds.files import moments
from appointments.feeds.files.schedule_file import FORMATS
from appointments.feeds.files.values import BadValue
from appointments.feeds.importing.results import (
    ABOUT_NO_PHONE,
    LoadResult,
    Terms,
    Unanswered,
    about_unused,
    codes_of,
    units_called,
)
from appointments.feeds.importing.services import FileLoad, load_file
from appointments.feeds.importing.uploads import DEFAULT_SOURCE
from appointments.feeds.importing.write import Disappeared
from appointments.feeds.records import Declared, ExportMoment, RowFault, where
from appointments.models import AgeFrom, Extent
from appointments.models.feed import about_counts
from notifications.sending.estimate import Opened
from staff import clock
from staff.errors import Refusal

ALL_IN, SOME_REJECTED, NOT_LOADED = 0, 1, 2
_OPTIONS = {"accepts_older": "--accept-older", "accepts_disappeared": "--accept-disappeared"}


class Command(BaseCommand):
    """Exit 0: all rows in; 1: some rejected or waiting for a person, each named, or a sheet was
    left out; 2: nothing was loaded, because the file cannot be read or somebody must accept what
    it does first.
    """

    help = "Charge un fichier d'agenda (CSV ou XLSX). Colonnes : docs/schedule-files.md."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("file", type=Path, metavar="FILE", help="fichier CSV ou XLSX")
        parser.add_argument("--source", default=DEFAULT_SOURCE, help="nom de la source")
        parser.add_argument("--format", choices=FORMATS, default="auto", dest="file_format")
        parser.add_argument(
            "--exported-at",
            type=_moment,
            metavar="MOMENT",
            help="quand la source a fait l'export, « 13/05/2022 18:00 » ou ISO ; sans cela, ce "
            "que dit le fichier ou la règle de la source",
        )
        self._add_extent(parser)
        parser.add_argument(
            "--accept-older",
            action="store_true",
            help="charger un fichier plus ancien que ce qui est connu, qui le défait",
        )
        parser.add_argument(
            "--accept-disappeared",
            action="store_true",
            help="accepter que beaucoup de rendez-vous d'un site et d'un jour aient disparu",
        )
        parser.add_argument("--dry-run", action="store_true", help="ne rien écrire")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def _add_extent(self, parser: CommandParser) -> None:
        """Add what the file is complete for, and on which days."""
        extent = parser.add_mutually_exclusive_group()
        extent.add_argument(
            "--complete",
            type=Extent,
            choices=[extent for extent in Extent if extent is not Extent.CHOSEN],
            dest="extent",
            help="ce pour quoi le fichier est complet : ce qui n'y figure plus a disparu. "
            "nothing, units (les unités nommées), sites (les sites nommés) ou source ; sans "
            "cela, le réglage de la source",
        )
        extent.add_argument(
            "--full",
            action="store_const",
            const=Extent.SITES,
            dest="extent",
            help="comme --complete sites",
        )
        extent.add_argument(
            "--partial",
            action="store_const",
            const=Extent.NOTHING,
            dest="extent",
            help="comme --complete nothing",
        )
        extent.add_argument(
            "--complete-unit",
            action="append",
            metavar="CODE",
            dest="units",
            help="une unité pour laquelle le fichier est complet, même s'il n'y nomme personne ; "
            "à répéter pour chaque unité",
        )
        for option, what in (("--first-day", "premier"), ("--last-day", "dernier")):
            parser.add_argument(
                option,
                type=_day,
                metavar="DATE",
                help=f"{what} jour pour lequel le fichier est complet ; sans cela, le sien",
            )

    def handle(self, *args: Any, **options: Any) -> None:
        """Load the file and say what became of its rows."""
        try:
            load = load_file(
                path=options["file"],
                feed_name=options["source"],
                file_format=options["file_format"],
                terms=_terms(options),
                dry_run=options["dry_run"],
                progress=self._progress,
            )
        except Unanswered as unanswered:
            self._say_unanswered(unanswered, as_json=options["as_json"])
            sys.exit(NOT_LOADED)
        except Refusal as refusal:
            self._say_unreadable(refusal, as_json=options["as_json"])
            sys.exit(NOT_LOADED)
        if self.stderr.isatty():
            self.stderr.write("")
        if options["as_json"]:
            self.stdout.write(_in_json(_as_dict(load, options["dry_run"])))
        else:
            self._say(load, is_dry_run=options["dry_run"])
        result = load.result
        is_all_in = not (result.rejected or result.waiting or result.sheets_left_out)
        sys.exit(ALL_IN if is_all_in else SOME_REJECTED)

    def _progress(self, rows: int, expected: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{rows} / {max(rows, expected)}", ending="")
            self.stderr.flush()

    def _say_unreadable(self, refusal: Refusal, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(_in_json({"error": refusal.message}))
        else:
            self.stderr.write(self.style.ERROR(refusal.message))

    def _say_unanswered(self, unanswered: Unanswered, *, as_json: bool) -> None:
        disappeared = unanswered.result.disappeared
        options = [_OPTIONS[name] for name in unanswered.questions]
        if as_json:
            said = {
                "error": unanswered.message,
                "accept_with": options,
                "disappeared": _listed_disappeared(disappeared),
            }
            self.stdout.write(_in_json(said))
            return
        self._say_disappeared(disappeared)
        self.stderr.write(self.style.ERROR(unanswered.message))
        again = _("Rien n'a été chargé. Si c'est juste, relancez avec %(options)s.")
        self.stderr.write(again % {"options": " ".join(options)})

    def _say_disappeared(self, disappeared: list[Disappeared]) -> None:
        if disappeared:
            self.stdout.write(_("Rendez-vous disparus de la source :"))
        for one in disappeared:
            self.stdout.write("  " + _sentence_of(one))

    def _say(self, load: FileLoad, *, is_dry_run: bool) -> None:
        if load.result.has_no_phone:
            self.stdout.write(self.style.WARNING(str(ABOUT_NO_PHONE)))
        self.stdout.write(_about_age(load.terms, load.proposal))
        if load.unused:
            self.stdout.write(str(about_unused(load.unused)))
        self._say_sheets(load.result)
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
            more = ngettext(
                "… et %(count)s autre remarque.", "… et %(count)s autres remarques.", unlisted
            )
            self.stdout.write(more % {"count": unlisted})
        self._say_effect(load, is_dry_run=is_dry_run)
        self.stdout.write(about_counts(load.result.counts()))
        if load.result.practitioners_made:
            said = _("Praticiens inconnus, créés : %(count)s.")
            self.stdout.write(said % {"count": load.result.practitioners_made})
        self.stdout.write(_about_telling(load.result.telling, is_dry_run=is_dry_run))
        if is_dry_run:
            self.stdout.write(_("Essai à blanc : rien n'a été écrit."))

    def _say_sheets(self, result: LoadResult) -> None:
        """Name each sheet of a workbook with its rows, or why it was left out."""
        for sheet in result.sheets:
            if sheet.left_out:
                said = _("Feuille « %(name)s » laissée de côté : %(why)s")
                line = said % {"name": sheet.name, "why": sheet.left_out}
                self.stdout.write(self.style.ERROR(line))
            else:
                said = _("Feuille « %(name)s » : lignes lues : %(rows)s.")
                self.stdout.write(said % {"name": sheet.name, "rows": sheet.rows})

    def _say_effect(self, load: FileLoad, *, is_dry_run: bool) -> None:
        """Say what disappeared, what waits, and what must be accepted before it is loaded."""
        self._say_disappeared(load.result.disappeared)
        if load.result.waiting:
            self.stdout.write(_about_waiting(load.result.waiting))
        if is_dry_run:
            for name, question in load.result.questions(load.terms).items():
                self.stdout.write(self.style.WARNING(f"{question} ({_OPTIONS[name]})"))


def _moment(text: str) -> dt.datetime:
    try:
        return moments.read_moment(text)
    except BadValue as error:
        raise ArgumentTypeError(str(error)) from error


def _day(text: str) -> dt.date:
    try:
        return moments.read_date(text)
    except BadValue as error:
        raise ArgumentTypeError(str(error)) from error


def _terms(options: dict[str, Any]) -> Terms:
    extent, days = options["extent"], (options["first_day"], options["last_day"])
    units = units_called(options["units"] or ())
    if units:
        extent = Extent.CHOSEN
    return Terms(
        exported_at=options["exported_at"],
        age_from=AgeFrom.PERSON if options["exported_at"] else "",
        declared=Declared(extent, *days, units) if extent is not None else None,
        accepts_older=options["accept_older"],
        accepts_disappeared=options["accept_disappeared"],
    )


def _about_age(terms: Terms, proposal: ExportMoment) -> str:
    if terms.exported_at is not None:
        return _("Export fait le %(moment)s (%(found)s).") % {
            "moment": date_format(terms.exported_at.astimezone(clock.BRUSSELS), "l j F Y H:i"),
            "found": AgeFrom(terms.age_from).label,
        }
    unknown = _(
        "ÂGE INCONNU : rien ne dit quand cet export a été fait. Indiquez-le avec --exported-at."
    )
    if proposal.at is None:
        return unknown
    written = _("Le fichier a été écrit le %(moment)s.")
    moment = date_format(proposal.at.astimezone(clock.BRUSSELS), "l j F Y H:i")
    return f"{unknown} {written % {'moment': moment}}"


def _about_waiting(waiting: int) -> str:
    return ngettext(
        "%(n)s changement d'un rendez-vous connu attend une décision (Chargements, Conflits) : "
        "le fichier est d'un âge inconnu.",
        "%(n)s changements de rendez-vous connus attendent une décision (Chargements, "
        "Conflits) : le fichier est d'un âge inconnu.",
        waiting,
    ) % {"n": waiting}


def _about_telling(telling: Opened, *, is_dry_run: bool) -> str:
    if is_dry_run:
        sentence = ngettext(
            "%(n)s patient serait prévenu, dont %(now)s par SMS tout de suite.",
            "%(n)s patients seraient prévenus, dont %(now)s par SMS tout de suite.",
            telling.patients,
        )
    else:
        sentence = ngettext(
            "%(n)s patient à prévenir à cause de ce chargement, dont %(now)s par SMS tout de "
            "suite.",
            "%(n)s patients à prévenir à cause de ce chargement, dont %(now)s par SMS tout de "
            "suite.",
            telling.patients,
        )
    said = sentence % {"n": telling.patients, "now": telling.sms_now}
    sms = telling.messages_now + telling.messages_later
    if (telling.messages_now, telling.messages_later) == (telling.sms_now, telling.sms_later):
        return said
    more = _("En tout %(n)s SMS, dont %(now)s tout de suite : un par patient et par jour.")
    return f"{said} {more % {'n': sms, 'now': telling.messages_now}}"


def _sentence_of(one: Disappeared) -> str:
    moment = date_format(one.starts_at.astimezone(clock.BRUSSELS), "D j/m/Y H:i")
    name = f"{one.family_name.upper()} {one.given_name}".strip()
    return f"{moment}, {one.site}, {one.unit} : {name} ({one.source_id})"


def _listed_disappeared(disappeared: list[Disappeared]) -> list[dict[str, str]]:
    return [
        {
            "source_id": one.source_id,
            "starts_at": one.starts_at.isoformat(),
            "site": one.site,
            "unit": one.unit,
            "family_name": one.family_name,
            "given_name": one.given_name,
        }
        for one in disappeared
    ]


def _sentence(fault: RowFault) -> str:
    column = f", {fault.column}" if fault.column else ""
    value = f" « {fault.value} »" if fault.value else ""
    return _("ligne %(line)s%(column)s%(value)s : %(why)s") % {
        "line": where(fault.sheet, fault.line),
        "column": column,
        "value": value,
        "why": fault.why,
    }


def _as_dict(load: FileLoad, is_dry_run: bool) -> dict[str, Any]:
    def listed(faults: list[RowFault]) -> list[dict[str, Any]]:
        return [
            {"sheet": f.sheet, "line": f.line, "column": f.column, "value": f.value, "why": f.why}
            for f in faults
        ]

    telling = load.result.telling
    return {
        "dry_run": is_dry_run,
        "file_sha256": load.file_sha256,
        "warning": ABOUT_NO_PHONE if load.result.has_no_phone else "",
        "exported_at": load.terms.exported_at and load.terms.exported_at.isoformat(),
        "complete_for": load.result.declared.extent,
        "complete_units": codes_of(load.result.declared),
        **load.result.counts(),
        "patients_told": telling.patients,
        "told_by_sms_now": telling.sms_now,
        "told_by_sms_later": telling.sms_later,
        "told_by_phone": telling.by_phone,
        "sms_now": telling.messages_now,
        "sms_later": telling.messages_later,
        "with_phone": load.result.with_phone,
        "practitioners_made": load.result.practitioners_made,
        "questions": load.result.questions(load.terms) if is_dry_run else {},
        "disappeared": _listed_disappeared(load.result.disappeared),
        "unused_columns": list(load.unused),
        "sheets": [sheet.as_kept() for sheet in load.result.sheets],
        "rejected_rows": listed(load.result.rejected),
        "remarks_on_rows": listed(load.result.remarks),
    }


def _in_json(said: dict[str, Any]) -> str:
    """Return what a script reads; sentences are in the language of the terminal."""
    return json.dumps(said, ensure_ascii=False, default=str)
