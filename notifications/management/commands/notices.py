"""``manage.py notices``: how far the telling is."""

import datetime as dt
import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from notifications.lifecycle.call_states import said_of_doctors
from notifications.models import Channel, DeliveryState, NoticeState
from notifications.telling.progress import Progress, notices_by_state, progress


class Command(BaseCommand):
    """Print the counts by state and channel."""

    help = "Compte les avis par état, et les envois par canal et par état."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="pour les scripts")
        parser.add_argument(
            "--all",
            action="store_true",
            help="aussi les jours passés ; sinon depuis hier, et tout ce qui est encore ouvert",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        since = dt.date.min if options["all"] else None
        counts, notices = progress(since=since), notices_by_state(since=since)
        if options["json"]:
            self.stdout.write(json.dumps(counts.as_dict() | {"notices": notices}, indent=2))
        else:
            self.stdout.write("\n".join(_lines(counts, notices)))


def _lines(counts: Progress, notices: dict[str, int]) -> list[str]:
    told = {"told": counts.told, "number": counts.to_tell}
    lines = [_("Patients prévenus : %(told)s sur %(number)s") % told, _("Avis")]
    lines += [f"  {number:>7}  {NoticeState(s).label}" for s, number in notices.items()]
    for channel, states in counts.deliveries.items():
        lines.append(_("Envois par %(channel)s") % {"channel": Channel(channel).label})
        used = {state: number for state, number in states.items() if number}
        lines += [f"  {number:>7}  {DeliveryState(s).label}" for s, number in used.items()]
    to_call = _("Appels à passer : %(number)s") % {"number": counts.calls_left}
    by_doctors = said_of_doctors(counts.calls_by_doctors)
    lines.append(f"{to_call}, {by_doctors}" if by_doctors else to_call)
    if counts.paused:
        lines.append(_("Tous les envois sont en pause."))
    return lines
