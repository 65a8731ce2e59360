"""Change the text of a message, or go back to the one that came with the application."""

import unicodedata

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from notifications.models import MessageText
from notifications.texts import render as texts
from notifications.texts import wording
from notifications.texts.queries import fingerprint, text_of
from staff.access import Capability, require_everywhere
from staff.errors import Refusal
from staff.models import User
from staff.services import audit


def tidy(body: str) -> str:
    """Return a text as it is kept: NFC, one form of line end, no blank edges."""
    lines = unicodedata.normalize("NFC", body).splitlines()
    return "\n".join(line.strip() for line in lines).strip()


@transaction.atomic
def save(*, language: str, kind: str, body: str, seen: str, by: User) -> bool:
    """Replace a text from now on; in other processes within 20 seconds.

    Args:
        language, kind: which text.
        body: the new one, with its variables.
        seen: ``fingerprint`` of the text that the person began with.

    Returns:
        whether anything changed.

    Raises:
        AccessRefused: not for the whole group.
        Refusal: the text says too much or lacks something, or somebody changed it meanwhile.
    """
    require_everywhere(by, Capability.EDIT_TEXTS)
    body = tidy(body)
    if faults := wording.faults(kind=kind, body=body, names=wording.known_names()):
        raise Refusal(" ".join(faults), field="body")
    row, was = _locked(language, kind, seen)
    if body == was:
        return False
    if body == texts.shipped(language, kind):
        _back_to_shipped(row, was, by)
        return True
    row = row or MessageText(language=language, kind=kind)
    row.body = body
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:  # two people made the first change at the same moment
        raise _changed_meanwhile() from None
    _record("message_text.saved", row, was, by)
    return True


@transaction.atomic
def reset(*, language: str, kind: str, seen: str, by: User) -> bool:
    """Go back to the shipped text; arguments, answer and errors are those of ``save``."""
    require_everywhere(by, Capability.EDIT_TEXTS)
    row, was = _locked(language, kind, seen)
    if row is None:
        return False
    _back_to_shipped(row, was, by)
    return True


def _locked(language: str, kind: str, seen: str) -> tuple[MessageText | None, str]:
    """Return the edited text, locked, and the text in force."""
    rows = MessageText.objects.select_for_update().filter(language=language, kind=kind)
    row = rows.first()
    was = text_of(row, language, kind)
    if fingerprint(was) != seen:
        raise _changed_meanwhile()
    return row, was


def _changed_meanwhile() -> Refusal:
    return Refusal(
        _(
            "Quelqu'un a changé ce texte entre-temps : voyez les derniers changements, puis "
            "enregistrez à nouveau si vous voulez le remplacer."
        )
    )


def _back_to_shipped(row: MessageText | None, was: str, by: User) -> None:
    if row is not None:
        shipped = MessageText(pk=row.pk, language=row.language, kind=row.kind)
        shipped.body = texts.shipped(row.language, row.kind)
        row.delete()
        _record("message_text.reset", shipped, was, by)


def _record(action: str, text: MessageText, was: str, by: User) -> None:
    audit.record(
        action=action,
        by=by,
        subject=text,
        language=text.language,
        kind=text.kind,
        was=was,
        body=text.body,
    )
    transaction.on_commit(texts.forget)
