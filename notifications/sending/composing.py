"""Thousands of SMS a second: texts that differ only in their reference are written once."""

import datetime as dt
from collections.abc import Sequence

from notifications import sms_text
from notifications.references import reference_of
from notifications.sms_text import Alphabet
from notifications.texts import render as texts

_PLACE = "{}"  # in the SMS alphabet, and in no text: ``wording`` keeps braces for itself
_LARGEST = 20_000
_composed: dict[tuple, tuple[list[str], int]] = {}
_edition: list[object] = [None]


def sms(
    *,
    language: str,
    day: dt.date,
    lines: Sequence[texts.Line],
    callback_number: str,
    notice_id: int,
    alphabet: Alphabet = "gsm7",
) -> tuple[str, int]:
    """Return the text of a notice's SMS and the parts it takes.

    Args:
        language, day, lines, callback_number: as for ``texts.body``.
        notice_id: which it is.
        alphabet: of the gateway.
    """
    reference = reference_of(notice_id)
    words = tuple((line.starts_at, line.word, line.site_id) for line in lines)
    key = (language, day, words, callback_number, len(reference), alphabet)
    _forget_the_old()
    if key not in _composed:
        _composed[key] = _shape(language, day, lines, callback_number, reference, alphabet)
    pieces, parts = _composed[key]
    return reference.join(pieces), parts


def _shape(
    language: str,
    day: dt.date,
    lines: Sequence[texts.Line],
    callback_number: str,
    reference: str,
    alphabet: Alphabet,
) -> tuple[list[str], int]:
    """Return what stands around each place of the reference, and the parts of the whole."""
    text = texts.body(
        language=language,
        day=day,
        lines=lines,
        callback_number=callback_number,
        reference=_PLACE,
    )
    pieces = text.split(_PLACE)
    return pieces, sms_text.count(reference.join(pieces), alphabet=alphabet).parts


def _forget_the_old() -> None:
    edition = texts.edition()
    if edition != _edition[0] or len(_composed) > _LARGEST:
        _composed.clear()
        _edition[0] = edition
