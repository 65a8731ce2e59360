"""One person or two: compares a source's description of a record number with the known people.

Pure: no database. A record number is typed by people, shared by mistake ("0"), given to a whole
family, or used again; two people under one number would become one, and one of them would never
be told. ``compare`` answers for one record number, ``link`` for two of them; ``Holders`` finds the
known people who may be a new one.
"""

import datetime as dt
import enum
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from patients import national_number
from patients.models import Likeness
from patients.names import fold
from staff.sentences import Stored

Names = tuple[str, str, dt.date]  # folded family name, folded given name, birth date
_MOST_COMPARED = 20  # of the people with the same number or the same name and birth date
_SHORTEST_NICKNAME = 3
_MOST_WORDS = 6  # of one given name; beyond, only an equal one is compatible
# Written before a child has a name, or instead of one.
_NO_GIVEN_NAME = {"BEBE", "BABY", "NN", "N N", "NOUVEAU NE", "INCONNU", "ONBEKEND", "X"}
# Louis and Louise, Jean and Jeanne, Paul and Paulette: two children rather than a nickname.
_FEMININE = {"A", "E", "IE", "NE", "LE", "TE", "NA", "INE", "ETTE", "LINE"}


@dataclass(frozen=True, slots=True)
class Person:
    """The identifying values of a person; unknown ones are empty.

    ``national_number`` is as written; only one that passes every check counts here.
    """

    family_name: str = ""
    given_name: str = ""
    birth_date: dt.date | None = None
    national_number: str = ""


class Difference(enum.Enum):
    """Why two descriptions under one record number are two people."""

    NATIONAL_NUMBER = "national_number"
    GIVEN_NAME = "given_name"
    BIRTH_DATE = "birth_date"
    NAMES = "names"


class Remark(enum.Enum):
    """A change in the description of one person, reported without refusing the row."""

    FAMILY_NAME = "family_name"
    GIVEN_NAME = "given_name"
    BIRTH_DATE = "birth_date"
    SWAPPED_NAMES = "swapped_names"


@dataclass(frozen=True, slots=True)
class IdentityVerdict:
    """``difference`` is None for the same person; ``remarks`` are the changes."""

    difference: Difference | None = None
    remarks: tuple[Remark, ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether both are one person."""
        return self.difference is None


class LinkCertainty(enum.Enum):
    """The certainty that two record numbers are one person."""

    NO = "no"
    PROPOSED = "proposed"
    SURE = "sure"


class _Said(enum.Enum):
    """The result of comparing two values; an empty one is not compared."""

    EQUAL = enum.auto()
    CLOSE = enum.auto()
    CONTRADICTS = enum.auto()
    NOTHING = enum.auto()


def compare(known: Person, said: Person) -> IdentityVerdict:
    """Return whether a description under a known record number is of the same person.

    They are one person unless two of given name, birth date and valid national number
    contradict. Some contradictions are enough alone:

    - two valid national numbers that differ;
    - birth dates that have nothing in common (father and son);
    - given names that cannot be one person's, without an equal national number (twins);
    - any of them where the family name changed too: a family name alone may change.

    An empty value contradicts nothing, and neither does a national number that fails its checks.
    A birth date with one other digit, or with day and month swapped, is a typing error.
    Without birth dates, twins cannot be told from others, so their rule holds too.
    """
    if known == said:
        return IdentityVerdict()  # nearly every row of a load
    numbers = _numbers(known, said)
    if numbers is _Said.CONTRADICTS:
        return IdentityVerdict(Difference.NATIONAL_NUMBER)
    births = _births(known.birth_date, said.birth_date)
    is_swapped = _are_swapped(known, said)
    is_one_family = is_swapped or are_one_family(known.family_name, said.family_name)
    given_contradicts = not is_swapped and not are_compatible(known.given_name, said.given_name)
    if given_contradicts and not is_one_family:
        return IdentityVerdict(Difference.NAMES)
    if given_contradicts and numbers is not _Said.EQUAL:
        return IdentityVerdict(Difference.GIVEN_NAME)
    if births is _Said.CONTRADICTS:
        return IdentityVerdict(Difference.BIRTH_DATE)
    found = (
        (Remark.SWAPPED_NAMES, is_swapped),
        (Remark.FAMILY_NAME, not is_one_family),
        (Remark.GIVEN_NAME, given_contradicts),
        (Remark.BIRTH_DATE, births is _Said.CLOSE),
    )
    return IdentityVerdict(remarks=tuple(remark for remark, holds in found if holds))


def link(one: Person, other: Person) -> LinkCertainty:
    """Return whether the people of two record numbers, or of two sources, are one.

    Certain only if valid national number, family name, given name and birth date are all present
    and equal, except accents, capitals and hyphens. A copied national number, or equal names and
    birth date without one, needs a person to decide.
    """
    numbers = _numbers(one, other)
    if numbers is _Said.CONTRADICTS:
        return LinkCertainty.NO
    names = names_and_birth(one)
    is_one_name = names is not None and names == names_and_birth(other)
    if numbers is _Said.EQUAL:
        return LinkCertainty.SURE if is_one_name else LinkCertainty.PROPOSED
    return LinkCertainty.PROPOSED if is_one_name else LinkCertainty.NO


def names_and_birth(person: Person) -> Names | None:
    """Return folded family name, folded given name and birth date; None unless all are known."""
    family, given = _folded(person)
    if not family or not given or person.birth_date is None:
        return None
    return family, given, person.birth_date


def merged(known: Person, said: Person) -> Person:
    """Return a person after one more description: its empty values stay as known."""
    number = said.national_number or known.national_number
    if is_worse_number(said.national_number, known.national_number):
        number = known.national_number
    return Person(
        said.family_name or known.family_name,
        said.given_name or known.given_name,
        said.birth_date or known.birth_date,
        number,
    )


def is_worse_number(said: str, known: str) -> bool:
    """Whether a national number fails its checks and would replace a valid one."""
    return bool(said) and not valid_number(said) and bool(valid_number(known))


def valid_number(written: str) -> str:
    """Return the eleven digits of a national number; empty for one that fails its checks."""
    if not written or not national_number.is_valid(written):
        return ""
    return national_number.digits(written)


def are_one_family(one: str, other: str) -> bool:
    """Whether two family names may be one, in another spelling or with a second name.

    >>> are_one_family("Van den Berg", "VANDENBERG"), are_one_family("Dupont", "Dupont-Martin")
    (True, True)
    """
    first, second = fold(one), fold(other)
    if not first or not second or _glued(first) == _glued(second):
        return True
    words, others = set(first.split()), set(second.split())
    return words <= others or others <= words


def are_compatible(one: str, other: str) -> bool:
    """Whether two given names may be one person's: initials, second names, nicknames.

    Every word of the shorter name stands for a word of the other: equal, an initial, or its
    first letters (``Alex`` for ``Alexandre``), but not its masculine (``Louis``, ``Louise``).

    >>> are_compatible("J.-P.", "Jean-Pierre"), are_compatible("Anne", "Anne-Marie")
    (True, True)
    >>> are_compatible("Marie-Claire", "Marie-Louise"), are_compatible("Louis", "Louise")
    (False, False)
    """
    first, second = _given(one), _given(other)
    if not first or not second or _glued(first) == _glued(second):
        return True
    few, many = sorted((first.split(), second.split()), key=len)
    if len(many) > _MOST_WORDS:
        return False
    return _stand_for(few, many) or (
        len(few) == 1 and len(many) > 1 and few[0] == "".join(word[0] for word in many)
    )


def _stand_for(few: Sequence[str], many: Sequence[str]) -> bool:
    """Whether each of the few words stands for a word of its own among the many."""
    if not few:
        return True
    return any(
        _is_one_word(few[0], word) and _stand_for(few[1:], [*many[:place], *many[place + 1 :]])
        for place, word in enumerate(many)
    )


def _is_one_word(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if short == long:
        return True
    if not long.startswith(short):
        return False
    rest = long.removeprefix(short)
    return len(short) == 1 or (len(short) >= _SHORTEST_NICKNAME and rest not in _FEMININE)


def _given(name: str) -> str:
    folded = fold(name)
    return "" if folded in _NO_GIVEN_NAME else folded


def _glued(folded: str) -> str:
    return folded.replace(" ", "")


def _folded(person: Person) -> tuple[str, str]:
    return fold(person.family_name), fold(person.given_name)


def _are_swapped(known: Person, said: Person) -> bool:
    """Whether family name and given name are swapped."""
    family, given = _folded(known)
    return bool(family and given) and family != given and _folded(said) == (given, family)


def _numbers(known: Person, said: Person) -> _Said:
    one, other = valid_number(known.national_number), valid_number(said.national_number)
    if not one or not other:
        return _Said.NOTHING
    return _Said.EQUAL if one == other else _Said.CONTRADICTS


def _births(one: dt.date | None, other: dt.date | None) -> _Said:
    if one is None or other is None:
        return _Said.NOTHING
    if one == other:
        return _Said.EQUAL
    is_swapped = (one.day, one.month, one.year) == (other.month, other.day, other.year)
    digits = zip(f"{one:%d%m%Y}", f"{other:%d%m%Y}", strict=True)
    is_slip = sum(a != b for a, b in digits) == 1
    return _Said.CLOSE if is_swapped or is_slip else _Said.CONTRADICTS


@dataclass(frozen=True, slots=True)
class Holder:
    """A known person: a patient's id, or a record number that is new in this load.

    ``where`` tells the readers of a remark where the person is found.
    """

    key: int | str
    person: Person
    record: str
    where: Stored = ""


@dataclass(frozen=True, slots=True)
class HolderMatch:
    """A known person who is, or may be, the same."""

    holder: Holder
    link: LinkCertainty
    likeness: Likeness


@dataclass
class Holders:
    """People by the values that are equal for one person: all of them, a number, a name."""

    _sure: dict[tuple[str, Names], Holder] = field(default_factory=dict)
    _by_number: dict[str, list[Holder]] = field(default_factory=lambda: defaultdict(list))
    _by_names: dict[Names, list[Holder]] = field(default_factory=lambda: defaultdict(list))

    def add(self, holder: Holder) -> None:
        """Add a person."""
        number, names = valid_number(holder.person.national_number), names_and_birth(holder.person)
        if number and names:
            self._sure.setdefault((number, names), holder)
        if number and len(self._by_number[number]) < _MOST_COMPARED:
            self._by_number[number].append(holder)
        if names and len(self._by_names[names]) < _MOST_COMPARED:
            self._by_names[names].append(holder)

    def find(self, person: Person, *, but: int | None = None) -> HolderMatch | None:
        """Return the certain match of a person, else a possible one, else None.

        Args:
            person: the person.
            but: the patient to leave out: the person's own.
        """
        number, names = valid_number(person.national_number), names_and_birth(person)
        same = self._sure.get((number, names)) if names else None
        if same and same.key != but:
            return HolderMatch(same, LinkCertainty.SURE, Likeness.ALL)
        close = [(one, Likeness.NUMBER) for one in self._by_number.get(number, ())]
        if names:
            close += [(one, Likeness.NAMES) for one in self._by_names.get(names, ())]
        for holder, likeness in close:
            how_sure = LinkCertainty.NO if holder.key == but else link(holder.person, person)
            if how_sure is LinkCertainty.SURE:
                return HolderMatch(holder, how_sure, Likeness.ALL)
            if how_sure is LinkCertainty.PROPOSED:
                return HolderMatch(holder, how_sure, likeness)
        return None
