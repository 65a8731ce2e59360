"""Bulletins as small TOML files that can be prepared long before: playbooks.

``read`` is pure: text in, a ``Playbook`` out, or every fault of the file at once. Whether the
sites and units exist is asked later, by the service that drafts. docs/playbooks.md describes the
format; TOML 1.0 is that of https://toml.io/en/v1.0.0 as ``tomllib`` reads it.
"""

import datetime as dt
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

from django.utils.translation import gettext as _

from appointments.rules import ClauseTerms
from appointments.vocabulary import KeptBy, ProtectedGroup, Ruling, Service, Tell
from notifications.vocabulary import Channel
from staff.clock import BRUSSELS
from staff.errors import Refusal

LONGEST_FILE = 200_000  # characters; a real bulletin has some 2,000
MOST_CLAUSES = 200
YEARS = range(2000, 2101)
_TITLE_LENGTH = 120
_TOP_KEYS = ("title", "first_day", "last_day", "release_at", "source_text", "clause")
_CLAUSE_KEYS = (
    "ruling",
    "tell",
    "channel",
    "kept_by",
    "keep_until",
    "services",
    "sites",
    "units",
    "days",
    "groups",
)
T = TypeVar("T")
_NO_DAY = dt.date(2000, 1, 1)  # stands in for a day at fault; never leaves this module
_NO_MOMENT = dt.datetime(2000, 1, 1, tzinfo=BRUSSELS)


class Fault(NamedTuple):
    """One thing wrong in a playbook; ``clause`` counts from 1, 0 stands for the head."""

    clause: int
    key: str
    found: str
    allowed: str

    def __str__(self) -> str:
        place = _("clause %(number)d") % {"number": self.clause} if self.clause else _("en-tête")
        return _("%(place)s, %(key)s : trouvé %(found)s ; attendu : %(allowed)s") % {
            "place": place,
            "key": self.key,
            "found": self.found,
            "allowed": self.allowed,
        }


class PlaybookRefused(Refusal):
    """The file is not a playbook; ``faults`` holds every reason."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)), field="playbook")


@dataclass(frozen=True)
class Playbook:
    """A bulletin as a file says it; days are local, moments aware in Europe/Brussels."""

    title: str
    first_day: dt.date
    last_day: dt.date
    release_at: dt.datetime
    source_text: str = ""
    clauses: tuple[ClauseTerms, ...] = ()

    def starting(self, first_day: dt.date) -> "Playbook":
        """Return the same playbook with every date moved so that it starts on ``first_day``.

        Hours stay what they are on the clock, also across a change to summer time.

        Raises:
            Refusal: the day lies outside the years a playbook may speak of.
        """
        by = first_day - self.first_day
        if not _is_near(first_day):
            raise Refusal(_("Le premier jour doit tomber entre 2000 et 2100."), field="first_day")
        return replace(
            self,
            first_day=first_day,
            last_day=self.last_day + by,
            release_at=_moved(self.release_at, by),
            clauses=tuple(
                replace(
                    clause,
                    keep_until=clause.keep_until and _moved(clause.keep_until, by),
                    days=tuple(day + by for day in clause.days),
                )
                for clause in self.clauses
            ),
        )


def read(text: str) -> Playbook:
    """Return the playbook written in ``text``.

    Raises:
        PlaybookRefused: naming clause, key, what was found and what is allowed, for all faults.
    """
    table = _parse(text)
    faults: list[Fault] = []
    head = _Table(0, table, faults)
    head.refuse_unknown(_TOP_KEYS)
    playbook = Playbook(
        title=head.text("title", longest=_TITLE_LENGTH, required=True),
        first_day=head.day("first_day"),
        last_day=head.day("last_day"),
        release_at=head.moment("release_at") or _NO_MOMENT,
        source_text=head.text("source_text", longest=LONGEST_FILE),
        clauses=tuple(_clause(_Table(*row, faults)) for row in head.rows("clause")),
    )
    if not faults and playbook.last_day < playbook.first_day:
        after = _("le %(day)s ou plus tard") % {"day": playbook.first_day.isoformat()}
        faults.append(Fault(0, "last_day", _shown(playbook.last_day), after))
    if faults:
        raise PlaybookRefused(faults)
    return playbook


def _parse(text: str) -> dict[str, Any]:
    if len(text) > LONGEST_FILE:
        allowed = _("au plus %(most)d caractères") % {"most": LONGEST_FILE}
        raise PlaybookRefused([Fault(0, _("fichier"), str(len(text)), allowed)])
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        found = _shown(str(error) or type(error).__name__)
        raise PlaybookRefused([Fault(0, _("fichier"), found, _("un texte TOML"))]) from error


def _clause(table: "_Table") -> ClauseTerms:
    table.refuse_unknown(_CLAUSE_KEYS)
    return ClauseTerms(
        ruling=table.choice("ruling", Ruling),
        tell=table.choice("tell", Tell),
        channel=table.choice("channel", Channel, default=Channel.SMS),
        kept_by=table.choice("kept_by", KeptBy, default=KeptBy.NOBODY),
        keep_until=table.moment("keep_until", required=False),
        services=table.many("services", _member(Service), _values(Service)),
        sites=table.many("sites", _code, _("des codes de site")),
        units=table.many("units", _code, _("des codes d'unité")),
        days=table.many("days", _as_day, _("des dates comme 2022-05-16")),
        groups=table.many("groups", _member(ProtectedGroup), _values(ProtectedGroup)),
    )


@dataclass(frozen=True)
class _Table:
    """One table of the file; what is wrong in it goes to ``faults``, and reading goes on."""

    clause: int
    values: dict[str, Any]
    faults: list[Fault] = field(repr=False)

    def refuse_unknown(self, known: tuple[str, ...]) -> None:
        for key in self.values.keys() - set(known):
            self.faults.append(
                Fault(self.clause, _shown(key), _("une clé inconnue"), ", ".join(known))
            )

    def text(self, key: str, *, longest: int, required: bool = False) -> str:
        value = self.values.get(key, "")
        if isinstance(value, str) and _is_printable(value):
            text = value.strip()
            if len(text) <= longest and (text or not required):
                return text
        self._fault(key, _("un texte de %(most)d caractères au plus") % {"most": longest})
        return ""

    def day(self, key: str) -> dt.date:
        return self._one(key, _as_day, _("une date comme 2022-05-16"), required=True) or _NO_DAY

    def moment(self, key: str, *, required: bool = True) -> dt.datetime | None:
        allowed = _("une date et une heure de Bruxelles comme 2022-05-15 18:00")
        return self._one(key, _as_moment, allowed, required=required)

    def choice(self, key: str, words: type[StrEnum], default: StrEnum | None = None) -> Any:
        found = self._one(key, _member(words), _values(words), required=default is None)
        return found or default or next(iter(words))

    def many(self, key: str, one: Callable[[Any], T | None], allowed: str) -> tuple[T, ...]:
        values = self.values.get(key, [])
        found = [one(value) for value in values] if isinstance(values, list) else [None]
        if None in found:
            self._fault(key, _("une liste : %(words)s") % {"words": allowed})
            return ()
        return tuple(dict.fromkeys(item for item in found if item is not None))

    def rows(self, key: str) -> list[tuple[int, dict[str, Any]]]:
        rows = self.values.get(key, [])
        tables = isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
        if not tables or not 1 <= len(rows) <= MOST_CLAUSES:
            self._fault(key, _("de 1 à %(most)d tables [[clause]]") % {"most": MOST_CLAUSES})
            return []
        return list(enumerate(rows, start=1))

    def _one(
        self, key: str, one: Callable[[Any], T | None], allowed: str, *, required: bool
    ) -> T | None:
        if key not in self.values and not required:
            return None
        found = one(self.values.get(key))
        if found is None:
            self._fault(key, allowed)
        return found

    def _fault(self, key: str, allowed: str) -> None:
        found = _shown(self.values[key]) if key in self.values else _("rien")
        self.faults.append(Fault(self.clause, key, found, allowed))


def _member(words: type[StrEnum]) -> Callable[[Any], Any]:
    def member(value: Any) -> StrEnum | None:
        return words(value) if isinstance(value, str) and value in set(words) else None

    return member


def _values(words: type[StrEnum]) -> str:
    return ", ".join(words)


def _code(value: Any) -> str | None:
    return value if isinstance(value, str) and value and _is_printable(value) else None


def _as_day(value: Any) -> dt.date | None:
    if isinstance(value, str):
        try:
            value = dt.date.fromisoformat(value.strip())
        except ValueError:
            return None
    is_day = isinstance(value, dt.date) and not isinstance(value, dt.datetime)
    return value if is_day and _is_near(value) else None


def _as_moment(value: Any) -> dt.datetime | None:
    """Return the local moment; an offset, or an hour that the clock skips, is no local moment."""
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if not isinstance(value, dt.datetime) or value.tzinfo or not _is_near(value):
        return None
    moment = value.replace(tzinfo=BRUSSELS)
    return moment if _on_the_clock(moment) == moment else None


def _moved(moment: dt.datetime, by: dt.timedelta) -> dt.datetime:
    return _on_the_clock(moment.astimezone(BRUSSELS) + by)


def _on_the_clock(moment: dt.datetime) -> dt.datetime:
    """Return the moment as the clock on the wall shows it: 02:30 in a skipped hour is 03:30."""
    return moment.astimezone(dt.UTC).astimezone(BRUSSELS)


def _is_near(day: dt.date) -> bool:
    return day.year in YEARS


def _is_printable(text: str) -> bool:
    return all(character.isprintable() or character in "\n\r\t" for character in text)


def _shown(value: Any) -> str:
    """Return a value as a person recognises it in the file, on one line and not too long."""
    try:
        text = value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)
    except (ValueError, RecursionError):  # a number or a nesting too long to be written out
        text = type(value).__name__
    text = "".join(c if c.isprintable() else "\ufffd" for c in text)
    return f"« {text[:80]} »"
