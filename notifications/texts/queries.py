"""The texts of messages for their editor: which are in force, and who changed them."""

import hashlib
from dataclasses import dataclass

from django.db.models import QuerySet

from notifications.gateways import preferred
from notifications.models import MessageKind, MessageText
from notifications.texts import render as texts
from notifications.texts import wording
from notifications.texts.cost import reckon
from notifications.texts.preview import Draft
from patients.models import Language
from staff import clock
from staff.access import Capability, scope_of
from staff.models import AuditEvent, Site, User

CHANGES_SHOWN = 5


@dataclass(frozen=True)
class Cell:
    """One text of the table.

    Attributes:
        is_edited: whether it replaces the shipped one.
        change: the last one, if any.
        parts: of an SMS about one appointment (one of each sort for a mixed one); 0 for a call.
        most_parts: of one about four.
        has_faults: whether it could not be saved any more: the rules or names have changed.
    """

    language: str
    kind: str
    is_edited: bool
    change: AuditEvent | None
    parts: int
    most_parts: int
    has_faults: bool

    @property
    def language_name(self) -> str:
        """The language in words."""
        return str(Language(self.language).label)


def text_of(row: MessageText | None, language: str, kind: str) -> str:
    """Return the text in force, given the edited one if there is any."""
    return row.body if row is not None else texts.shipped(language, kind)


def in_force(language: str, kind: str) -> str:
    """Return the text in force, read from the database."""
    row = MessageText.objects.filter(language=language, kind=kind).first()
    return text_of(row, language, kind)


def fingerprint(body: str) -> str:
    """Return a hash that tells whether a text is still the one that a person saw."""
    return hashlib.sha256(body.encode()).hexdigest()[:16]


def table(user: User) -> dict[MessageKind, list[Cell]]:
    """Return the texts of each kind in every language, if the user may change them."""
    if not scope_of(user, Capability.EDIT_TEXTS).everywhere:
        return {}
    edited = {(row.language, row.kind): row for row in MessageText.objects.all()}
    last = {
        (event.detail.get("language"), event.detail.get("kind")): event
        for event in _events().order_by("sequence")
    }
    alphabet, day = preferred().alphabet, clock.today()
    numbers = list(Site.objects.values_list("callback_number", flat=True))
    names = wording.known_names()

    def parts(text: str) -> int:
        return len(reckon(text, alphabet=alphabet).parts)

    def cell(language: str, kind: str) -> Cell:
        row = edited.get((language, kind))
        draft = Draft(language, kind, text_of(row, language, kind))
        _title, usual = draft.cases[0]
        one = draft.message(usual, day=day, number=max(numbers, key=len, default=""))
        return Cell(
            language=language,
            kind=kind,
            is_edited=row is not None,
            change=last.get((language, kind)),
            parts=0 if draft.is_spoken else parts(one),
            most_parts=0 if draft.is_spoken else parts(draft.longest(day=day, numbers=numbers)),
            has_faults=bool(wording.faults(kind=kind, body=draft.body, names=names)),
        )

    return {kind: [cell(language, kind) for language in Language.values] for kind in MessageKind}


def changes(language: str, kind: str) -> list[AuditEvent]:
    """Return the last changes of a text, the newest first; ``detail`` has ``was`` and ``body``."""
    events = _events().filter(detail__language=language, detail__kind=kind)
    return list(events.order_by("-sequence")[:CHANGES_SHOWN])


def _events() -> QuerySet[AuditEvent]:
    # By the index on what an event is about; texts change a few times a year.
    return AuditEvent.objects.filter(object_type=MessageText._meta.model_name)
