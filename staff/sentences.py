"""Stored sentences that each reader sees in their own language.

A sentence translated before storing is in the language of the person who caused it. A
``Sentence`` stores the French original with its values, and is translated when it is shown.
Mark one with ``gettext_stored`` where ``gettext`` would translate at once::

    from staff.sentences import gettext_stored as _

    why = _("Trop long : %(longest)s caractères au plus.") % {"longest": 80}

Keep it in a ``SentenceField``, or inside the JSON of a ``JSONField(encoder=SentenceEncoder,
decoder=SentenceDecoder)``. Plain text, which a person typed or an older version stored, stays as
it is.
"""

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

_SAID = '{"said": '  # the start of a sentence in a column of text


@dataclass(frozen=True, slots=True)
class ShownDay:
    """A day in a sentence, in the reader's date format: ``form`` is Django's."""

    day: dt.date
    form: str = "d/m/Y"

    def __str__(self) -> str:
        return date_format(self.day, self.form)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence that is translated each time it is shown (``str``).

    Attributes:
        msgid: the French original, as the catalogues know it.
        plural: its plural; empty without a number.
        count: the number that decides between the two.
        values: for each name in it, a text, a number, a day or another sentence.
    """

    msgid: str
    plural: str = ""
    count: int = 0
    values: tuple[tuple[str, "Value"], ...] = ()

    def __mod__(self, values: Mapping[str, object]) -> "Sentence":
        """Return the sentence with its values, as with ``gettext``."""
        return replace(self, values=tuple((name, _value(one)) for name, one in values.items()))

    def __str__(self) -> str:
        if self.plural:
            text = ngettext(self.msgid, self.plural, self.count)
        else:
            text = gettext(self.msgid)
        if not self.values:
            return text
        try:
            return text % dict(self.values)
        except (KeyError, TypeError, ValueError):
            return text  # not stored by this code: the page must not fail

    def as_kept(self) -> dict[str, Any]:
        """Return its stored form, in JSON; ``said`` comes first."""
        kept: dict[str, Any] = {"said": self.msgid}
        if self.plural:
            kept |= {"plural": self.plural, "count": self.count}
        if self.values:
            kept["with"] = {name: _kept(value) for name, value in self.values}
        return kept

    @classmethod
    def from_kept(cls, kept: Mapping[str, Any]) -> Self:
        """Return the sentence that ``as_kept`` kept."""
        values = tuple((name, _read(value)) for name, value in kept.get("with", {}).items())
        plural, count = str(kept.get("plural", "")), int(kept.get("count", 0))
        return cls(str(kept["said"]), plural, count, values)


Value = str | int | ShownDay | Sentence
Stored = Sentence | str  # plain text if a person typed it, or an older version stored it


def gettext_stored(msgid: str) -> Sentence:
    """Mark a sentence for the catalogues, to be translated when it is shown."""
    return Sentence(msgid)


def ngettext_stored(singular: str, plural: str, count: int) -> Sentence:
    """Mark a sentence that counts, to be translated when it is shown."""
    return Sentence(singular, plural, count)


def joined(parts: Iterable[Stored], between: str = " ") -> Stored:
    """Return several sentences as one; empty if there are none."""
    said = [part for part in parts if part]
    if len(said) <= 1:
        return said[0] if said else ""
    numbered = {f"{number}": part for number, part in enumerate(said, start=1)}
    between = between.replace("%", "%%")
    return Sentence(between.join(f"%({name})s" for name in numbered)) % numbered


if TYPE_CHECKING:
    _TextField = models.TextField[Stored, Stored]
else:
    _TextField = models.TextField


class SentenceField(_TextField):
    """A column of text that holds a sentence, or plain text as it is."""

    def from_db_value(self, value: str | None, *_args: object) -> Stored | None:
        """Return what was stored."""
        return self.to_python(value)

    def to_python(self, value: Any) -> Stored | None:
        """Return a sentence for what was stored as one; anything else is plain text."""
        if isinstance(value, Sentence) or value is None:
            return value
        text = str(value)
        if not text.startswith(_SAID):
            return text
        try:
            return Sentence.from_kept(json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError):
            return text

    def get_prep_value(self, value: Any) -> str | None:
        """Return what is stored."""
        if isinstance(value, str) and value.startswith(_SAID):
            value = Sentence("%(text)s") % {"text": value}  # somebody typed it
        if isinstance(value, Sentence):
            return json.dumps(value.as_kept(), ensure_ascii=False)
        return None if value is None else str(value)

    def value_to_string(self, obj: models.Model) -> str:
        """Return what a dump of the database holds."""
        return self.get_prep_value(self.value_from_object(obj)) or ""


class SentenceEncoder(json.JSONEncoder):
    """Writes the sentences inside of JSON."""

    def default(self, o: Any) -> Any:
        """Return the stored form of a sentence."""
        return o.as_kept() if isinstance(o, Sentence) else super().default(o)


class SentenceDecoder(json.JSONDecoder):
    """Reads the sentences inside of JSON."""

    def decode(self, s: str, *args: Any) -> Any:
        """Return the stored JSON, with its sentences."""
        return _with_sentences(super().decode(s, *args))


def _with_sentences(kept: Any) -> Any:
    if isinstance(kept, list):
        return [_with_sentences(one) for one in kept]
    if isinstance(kept, dict):
        if "said" in kept:
            return Sentence.from_kept(kept)
        return {name: _with_sentences(one) for name, one in kept.items()}
    return kept


def _value(value: object) -> Value:
    return value if isinstance(value, Sentence | ShownDay | int) else str(value)


def _kept(value: Value) -> Any:
    if isinstance(value, Sentence):
        return value.as_kept()
    if isinstance(value, ShownDay):
        return {"day": value.day.isoformat(), "form": value.form}
    return value


def _read(kept: Any) -> Value:
    if not isinstance(kept, dict):
        plain: str | int = kept
        return plain
    if "said" in kept:
        return Sentence.from_kept(kept)
    return ShownDay(dt.date.fromisoformat(kept["day"]), kept["form"])
