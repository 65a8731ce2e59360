"""Every page of every person, as addresses: what ``test_pages`` asks for."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.urls import reverse

from appointments.models import Appointment, Bulletin, Roster, ScheduleImport
from notifications.models import Delivery, Notice
from patients.models import Patient
from staff.models import Unit
from tests.bench.hospital import COMMON_NAME, FIRST, NO_BIRTHDAY, TODAY

DAY = {"day": TODAY.isoformat()}


@dataclass(frozen=True)
class Visit:
    """One address that one person opens; with ``turn`` the page after it."""

    who: str
    name: str
    on: tuple = ()
    query: dict[str, str] = field(default_factory=dict)
    turn: bool = False

    def __str__(self) -> str:
        query = " ".join(f"{key}={value}" for key, value in self.query.items())
        page = "page 2" if self.turn else ""
        return " ".join(filter(None, [self.name, query, page, f"({self.who})"]))

    @property
    def address(self) -> str:
        """Where it is."""
        path = reverse(self.name, args=self.on)
        return f"{path}?{urlencode(self.query)}" if self.query else path


def all_visits() -> list[Visit]:
    """Return the visits, with the objects of the hospital around today."""
    return [
        *_board(),
        *_bulletins(),
        *_schedule(),
        *_care(),
        *_telling(),
        *_outbox(),
        *_calls(),
        *_wards(),
        *_house(),
    ]


def _board() -> Iterator[Visit]:
    for who in ("crisis", "crisis of a site", "director", "auditor"):
        yield Visit(who, "board", query=DAY)
    yield Visit("crisis", "board")
    yield Visit("crisis", "board_live", query=DAY)
    yield Visit("crisis", "waiting_doctors")
    yield Visit("crisis of a site", "waiting_doctors")


def _bulletins() -> Iterator[Visit]:
    ruling, draft = Bulletin.objects.get(title="Semaine"), Bulletin.objects.get(title="La suite")
    yield Visit("clerk", "bulletins")
    yield Visit("crisis", "bulletins")
    for bulletin in (ruling, draft):
        yield Visit("crisis", "bulletin", (bulletin.pk,))
        yield Visit("crisis", "bulletin_preview", (bulletin.pk,))
    yield Visit("crisis", "bulletin_new")
    yield Visit("crisis", "bulletin_edit", (draft.pk,))
    yield Visit("second", "bulletin_approve", (draft.pk,))
    yield Visit("crisis", "bulletin_text", (draft.pk, "fr"))
    yield Visit("crisis", "bulletin_withdraw", (ruling.pk,))
    yield Visit("crisis", "bulletin_delete", (draft.pk,))
    yield Visit("crisis", "standing_decisions")
    yield Visit("crisis", "sending_release")


def _schedule() -> Iterator[Visit]:
    someone = Patient.objects.get(pk=FIRST + 337)
    searches = {
        "name": f"{someone.family_name} {someone.given_name}",
        "common name": COMMON_NAME,
        "beginning": "la",
        "birth date": f"{someone.birth_date:%d/%m/%Y}",
        "no birthday": f"{NO_BIRTHDAY}",
        "mobile": someone.mobile,
        "national number": someone.national_number,
        "record": f"D-{someone.pk}",
        "nobody": "Zzyzx",
    }
    for who in ("crisis", "agent of a site", "clerk of a unit"):
        yield Visit(who, "schedule", query=DAY)
        yield Visit(who, "schedule")
        yield Visit(who, "schedule", turn=True)
        for text in searches.values():
            yield Visit(who, "schedule", query={"q": text})
    for query in (
        {"site": "arlon"},
        {"unit": "arlon-4"},
        {"service": "surgery"},
        {"outcome": "cancelled"},
        {"outcome": "maintained", "basis": "person"},
        {"outcome": "none"},
        {"practitioner": "d0"},
        {"status": "cancelled"},
        {"group": "pregnancy"},
        {"missing": "on"},
        {"moved": "on"},
    ):
        yield Visit("crisis", "schedule", query=query)
        yield Visit("crisis", "schedule", query=DAY | query)
    yield Visit("crisis", "schedule", query={"until": "2022-05-20", "outcome": "under_review"})
    for who in ("agent", "agent of a site"):
        for text in (*searches.values(), _a_reference()):
            yield Visit(who, "incoming", query={"q": text})
        yield Visit(who, "incoming_patient", (someone.pk,))
    yield Visit("clerk", "wards", query=DAY | {"q": COMMON_NAME})
    for text in (*searches.values(), _a_reference()):
        yield Visit("crisis", "outbox", query={"q": text})


def _a_reference() -> str:
    return Notice.objects.filter(day=TODAY, state="told", site__code="arlon")[0].reference


def _care() -> Iterator[Visit]:
    mine = Appointment.objects.filter(practitioner__user__username="doctor", day=TODAY)
    operation = Appointment.objects.filter(practitioner__user__username="surgeon", day=TODAY)[0]
    past = Appointment.objects.filter(day__lt=TODAY, outcome="cancelled")[0]
    yield Visit("doctor", "doctor_day")
    yield Visit("doctor", "appointment", (mine[0].pk,))
    yield Visit("doctor", "delegates")
    for who in ("surgeon", "director", "nurse", "crisis"):
        yield Visit(who, "operations", query=DAY)
        yield Visit(who, "operations", query={"show": "awaiting"})
    yield Visit("director", "operations", query=DAY, turn=True)
    yield Visit("director", "operation_news", query=DAY)
    for who in ("crisis", "auditor"):
        yield Visit(who, "appointment", (operation.pk,))
        yield Visit(who, "appointment", (past.pk,))


def _telling() -> Iterator[Visit]:
    for who in ("crisis", "crisis of a site", "auditor"):
        yield Visit(who, "telling")
        yield Visit(who, "queue_unknown")
        yield Visit(who, "queue_failed")
        for state in ("open", "told", "unreachable"):
            yield Visit(who, "notices", query={"state": state})
    yield Visit("crisis", "notices", query={"state": "told"}, turn=True)
    yield Visit("crisis", "telling", query={"hours": "48"})
    yield Visit("crisis", "telling_live")
    yield Visit("crisis", "gateways")
    yield Visit("crisis", "unmatched_receipts")
    yield Visit("crisis", "settle", ("unknown", "told"), {"all": "1"})
    yield Visit("agent", "queue_failed")
    yield Visit("agent", "replies")
    yield Visit("agent of a site", "replies")
    yield Visit("agent", "replies", query={"show": "handled"})
    yield Visit("crisis", "message_texts")
    yield Visit("crisis", "message_text", ("fr", "cancelled"))


def _outbox() -> Iterator[Visit]:
    yield Visit("crisis", "outbox")
    yield Visit("crisis", "outbox", turn=True)
    yield Visit("crisis of a site", "outbox")
    for query in (
        DAY,
        {"day": "2022-05-13"},
        {"site": "virton"},
        {"gateway": "smpp bench"},
        {"failure": "invalid_number"},
        {"failure": "barred"},
        {"state": "delivered"},
        {"state": "unknown"},
        {"state": "queued"},
        {"state": "expired"},
        {"state": "failed"},
        {"language": "nl"},
        {"language": "en"},
        {"recent": "on"},
        {"recent": "on", "state": "delivered"},
        {"text": "ANNULE"},
        {"text": "mot jamais envoyé"},
    ):
        yield Visit("crisis", "outbox", query=query)
        yield Visit("crisis of a site", "outbox", query=query)
    sms = Delivery.objects.filter(channel="sms", notice__day=TODAY, state="delivered")[0]
    yield Visit("crisis", "message", (sms.pk,))
    yield Visit("agent", "message", (sms.pk,))


def _calls() -> Iterator[Visit]:
    open_call = Delivery.objects.filter(channel="phone", state="queued", notice__site__code="arlon")
    for who in ("agent", "agent of a site"):
        yield Visit(who, "call_list")
        yield Visit(who, "call", (open_call[0].pk,))
    yield Visit("agent", "call_list", turn=True)
    yield Visit("agent", "call_sheet")


def _wards() -> Iterator[Visit]:
    unit = Unit.objects.get(code="arlon-0").pk
    for who in ("clerk", "clerk of a unit"):
        yield Visit(who, "wards", query=DAY)
        yield Visit(who, "ward_day", (unit, TODAY))
        yield Visit(who, "rosters", query=DAY)
    yield Visit("clerk", "rosters")
    yield Visit("clerk", "ward_counts", (unit, TODAY))
    yield Visit("clerk", "ward_paper", (unit, TODAY))
    yield Visit("clerk", "roster_progress", (TODAY,))
    yield Visit("clerk", "roster_print", (unit, TODAY))
    yield Visit("clerk", "roster_file", (Roster.objects.filter(unit=unit, day=TODAY)[0].pk,))


def _house() -> Iterator[Visit]:
    load = ScheduleImport.objects.latest("pk").pk
    yield Visit("operator", "imports")
    yield Visit("operator", "import_new")
    yield Visit("operator", "import", (load,))
    yield Visit("operator", "import_progress", (load,))
    yield Visit("operator", "import_faults", (load,))
    yield Visit("operator", "import_template", ("csv",))
    yield Visit("operator", "import_disappeared", (load,))
    yield Visit("operator", "import_conflicts")
    yield Visit("operator", "import_source", ("bench",))
    yield Visit("operator", "refused_rows")
    yield Visit("operator", "links")
    yield Visit("operator", "double_entries")
    yield Visit("auditor", "trail")
    yield Visit("auditor", "trail", turn=True)
    someone = Appointment.objects.filter(day=TODAY)[0].pk
    for query in (
        {"actor": "crisis"},
        {"actor": "doctor"},
        {"actor": "director"},
        {"action": "bulletin"},
        {"action": "appointment"},
        {"action": "nothing"},
        {"object_type": "bulletin"},
        {"object_type": "appointment"},
        {"object_type": "appointment", "object_id": str(someone)},
        {"object_id": str(someone)},
        DAY,
        {"day": "2022-05-13", "action": "bulletin"},
    ):
        yield Visit("auditor", "trail", query=query)
