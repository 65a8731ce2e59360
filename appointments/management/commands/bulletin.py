"""``manage.py bulletin``: the bulletin pages without a browser."""

import datetime as dt
from argparse import ArgumentTypeError
from collections.abc import Sequence
from json import dumps
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from appointments.bulletins import playbooks, preview, withdrawals
from appointments.bulletins import services as bulletins
from appointments.bulletins.sentences import duration_in_words
from appointments.models import Bulletin, Outcome, Service
from notifications.sending import switch as sending
from staff.clock import BRUSSELS
from staff.errors import Refusal
from staff.models import Site, User
from staff.services import command_line

REFUSED, MISUSED = 1, 2


class Command(BaseCommand):
    """Draft, preview, approve, withdraw and delete bulletins; hold all sending."""

    help = "Rédige, prévisualise, approuve et retire des bulletins ; retient tous les envois."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verb = verbs.add_parser("draft", help="Fait un brouillon d'un fichier TOML.")
        verb.add_argument("file", type=Path, metavar="FILE.toml")
        verb.add_argument("--by", metavar="USER")
        verb.add_argument("--first-day", type=_day, metavar="YYYY-MM-DD")
        verb.add_argument(
            "--send-at-night",
            default="",
            metavar="REASON",
            help="Envoie aussi pendant les heures calmes, pour ce motif.",
        )
        verb.add_argument(
            "--ready", action="store_true", help="Dit aussitôt que le brouillon est prêt."
        )
        self._numbered(verbs, "ready", "Dit qu'un brouillon est prêt pour l'approbation.")
        self._numbered(verbs, "delete", "Supprime un brouillon.")
        verb = verbs.add_parser("preview", help="Montre ce que l'approbation ferait.")
        verb.add_argument("number", type=int)
        verb.add_argument("--json", action="store_true")
        verb = self._numbered(verbs, "approve", "Met un brouillon en vigueur.")
        verb.add_argument(
            "--told",
            type=int,
            metavar="N",
            help="Refuse si un autre nombre de patients serait prévenu.",
        )
        verb = self._numbered(verbs, "withdraw", "Demande de retirer un bulletin en vigueur.")
        verb.add_argument("--reason", required=True)
        verb.add_argument(
            "--restores", type=int, metavar="N", help="Remet en vigueur ce bulletin remplacé."
        )
        verb.add_argument(
            "--send-decisions-back",
            action="store_true",
            help="Redemande leurs décisions aux personnes qui ont annulé.",
        )
        verb.add_argument(
            "--by-sms", action="store_true", help="Dit « maintenu » par SMS là où c'est sûr."
        )
        self._numbered(verbs, "confirm", "Retire le bulletin, comme un autre l'a demandé.")
        for name, text in (
            ("pause", "Retient tous les envois."),
            ("resume", "Reprend les envois."),
        ):
            verb = verbs.add_parser(name, help=text)
            verb.add_argument("--by", metavar="USER")
        verbs.add_parser("list", help="Montre tous les bulletins, le plus récent d'abord.")

    @staticmethod
    def _numbered(verbs: Any, name: str, text: str) -> Any:
        """Add a verb of one bulletin, by somebody."""
        verb = verbs.add_parser(name, help=text)
        verb.add_argument("number", type=int)
        verb.add_argument("--by", required=True, metavar="USER")
        return verb

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        """Run one verb; a refusal becomes a sentence and exit 1."""
        try:
            getattr(self, f"_{verb}")(**options)
        except Refusal as refusal:
            raise CommandError(refusal.message, returncode=REFUSED) from None

    def _draft(
        self,
        *,
        file: Path,
        by: str | None,
        first_day: dt.date | None,
        send_at_night: str,
        ready: bool,
        **_options: Any,
    ) -> None:
        playbook = playbooks.read(_text_of(file))
        if first_day:
            playbook = playbook.starting(first_day)
        author = _user(by)
        bulletin = bulletins.draft(
            by=author, quiet_hours_override_reason=send_at_night, **vars(playbook)
        )
        if ready:
            bulletins.ready(bulletin_id=bulletin.pk, by=author)
        self._say(_("Brouillon %(number)s : %(title)s"), bulletin)

    def _ready(self, *, number: int, by: str, **_options: Any) -> None:
        bulletin = bulletins.ready(bulletin_id=number, by=_user(by))
        self._say(_("Brouillon %(number)s prêt pour l'approbation : %(title)s"), bulletin)

    def _delete(self, *, number: int, by: str, **_options: Any) -> None:
        bulletins.delete(bulletin_id=number, by=_user(by))
        self.stdout.write(_("Le brouillon %(number)s est supprimé.") % {"number": number})

    def _preview(self, *, number: int, json: bool, **_options: Any) -> None:
        if not Bulletin.objects.filter(pk=number).exists():
            raise Refusal(_("Le bulletin %(number)s n'existe pas.") % {"number": number})
        result = preview.preview(number)
        if json:
            self.stdout.write(dumps(result.as_dict(), ensure_ascii=False, indent=2))
            return
        for line in (*_table(_count_rows(result)), "", *_table(_telling_rows(result))):
            self.stdout.write(line)
        for warning in result.warnings:
            self.stdout.write(f"! {warning}")

    def _approve(self, *, number: int, by: str, told: int | None, **_options: Any) -> None:
        bulletin = bulletins.approve(bulletin_id=number, by=_user(by), told=told)
        self._say(_("Bulletin %(number)s en vigueur : %(title)s"), bulletin)

    def _withdraw(
        self,
        *,
        number: int,
        by: str,
        reason: str,
        restores: int | None,
        send_decisions_back: bool,
        by_sms: bool,
        **_options: Any,
    ) -> None:
        bulletin = withdrawals.ask_withdrawal(
            bulletin_id=number,
            by=_user(by),
            reason=reason,
            restores=restores,
            sends_decisions_back=send_decisions_back,
            by_sms=by_sms,
        )
        said = _("Retrait du bulletin %(number)s demandé, à confirmer par un autre : %(title)s")
        self._say(said, bulletin)

    def _confirm(self, *, number: int, by: str, **_options: Any) -> None:
        bulletin = withdrawals.withdraw(bulletin_id=number, by=_user(by))
        self._say(_("Bulletin %(number)s retiré : %(title)s"), bulletin)

    def _pause(self, *, by: str | None, **_options: Any) -> None:
        sending.pause(by=_user(by))
        self.stdout.write(_("Tous les envois sont en pause."))

    def _resume(self, *, by: str | None, **_options: Any) -> None:
        sending.resume(by=_user(by))
        self.stdout.write(_("Les envois reprennent."))

    def _list(self, **_options: Any) -> None:
        listed = Bulletin.objects.select_related("drafted_by", "approved_by").order_by("-id")
        rows = [
            (_("Numéro"), _("État"), _("Jours"), _("Rédigé par"), _("Approuvé par"), _("Titre"))
        ]
        rows += [
            (
                str(bulletin.pk),
                bulletin.get_state_display(),
                f"{bulletin.first_day:%d/%m/%Y} – {bulletin.last_day:%d/%m/%Y}",
                str(bulletin.drafted_by),
                str(bulletin.approved_by or "–"),
                bulletin.title,
            )
            for bulletin in listed
        ]
        for line in _table(rows):
            self.stdout.write(line)

    def _say(self, sentence: str, bulletin: Bulletin) -> None:
        self.stdout.write(sentence % {"number": bulletin.pk, "title": bulletin.title})


def _count_rows(result: preview.BulletinPreview) -> list[tuple[str, ...]]:
    names = dict(Site.objects.values_list("code", "name"))
    rows = [(_("Jour"), _("Site"), _("Activité"), _("Décision"), _("Rendez-vous"))]
    totals: dict[tuple[str, ...], int] = {}
    for count in result.counts:
        key = (
            f"{count.day:%d/%m/%Y}",
            names.get(count.site, count.site),
            str(Service(count.service).label),
            str(Outcome(count.outcome).label) if count.outcome else _("sans décision"),
        )
        totals[key] = totals.get(key, 0) + count.appointments
    return rows + [(*key, str(number)) for key, number in totals.items()]


def _telling_rows(result: preview.BulletinPreview) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        (_("Décisions qui changent"), str(result.appointments_changed)),
        (_("Patients à prévenir"), str(result.patients_to_tell)),
        (_("Patients prévenus par SMS"), str(result.patients_by_sms)),
        (_("SMS facturés"), str(result.sms_parts)),
        (_("Durée de l'envoi"), duration_in_words(result.sms_seconds)),
        (_("Patients à appeler"), str(result.patients_by_phone)),
        (_("dont sans numéro"), str(result.patients_without_number)),
        (_("Avis retirés"), str(result.notices_withdrawn)),
        (_("Patients déjà prévenus"), str(result.already_told)),
        (_("Décidés par une personne"), str(result.kept_by_people)),
        (_("Urgences maintenues"), str(result.emergency_protected)),
    ]
    if result.sms_cost_euro:
        rows.insert(3, (_("Coût des SMS"), f"{result.sms_cost_euro:.2f} €"))
    return rows


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return aligned lines; numbers stand to the right, the last column is never padded."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]

    def cell(text: str, width: int) -> str:
        return text.rjust(width) if text.isdecimal() else text.ljust(width)

    return ["  ".join(map(cell, row, widths)).rstrip() for row in rows]


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(
            _("%(file)s ne peut pas être lu : %(why)s") % {"file": file, "why": error},
            returncode=MISUSED,
        ) from None


def _user(name: str | None) -> User:
    if name is None:
        return command_line.user()
    try:
        return User.objects.get(username=name, is_active=True)
    except User.DoesNotExist:
        raise Refusal(
            _("Personne ne s'appelle « %(name)s » ici ; --by attend un nom d'utilisateur.")
            % {"name": name}
        ) from None


def _day(text: str) -> dt.date:
    try:
        return dt.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=BRUSSELS).date()
    except ValueError:
        raise ArgumentTypeError(_("attendu : une date comme 2022-05-16")) from None
