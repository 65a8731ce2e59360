"""Telephone numbers: reads them as people and files write them, in international form.

Numbering facts come from libphonenumber's metadata. Any country's mobile may get an SMS. A number
without its country's prefix is Belgian if possible; near Arlon many patients have one of
Luxembourg or of France, which is recognised if no Belgian number has that form. Pure: no
database and no Django.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType

from patients.names import fold

HOME = "BE"
LONGEST_CELL = 500  # characters that are read: a cell holds numbers, not a letter
LONGEST_LABEL = 40
MOST_KEPT = 8  # numbers of a patient: the newest, and always a mobile and a landline
_MOBILE = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
_NOBODY_LIVES_THERE = {PhoneNumberType.PREMIUM_RATE, PhoneNumberType.PAGER}
# How the neighbours write their numbers at home. France: ten digits from 0. Luxembourg has no
# trunk prefix; of its landlines many have the form of a Belgian number without its zero, so that
# only mobiles are taken without prefix.
_LOCAL = (
    ("FR", re.compile(r"0[1-9]\d{8}")),
    ("LU", re.compile(r"6\d{8}")),
)
# The prefix written without its plus: mobiles alone, since an identifier has as many digits.
_PLUS_FORGOTTEN = re.compile(r"3526\d{8}|33[67]\d{8}|324\d{8}|491[567]\d{8,9}|316\d{8}")
_TRUNK_ZERO = re.compile(r"\(0\)")
_WRITTEN = re.compile(r"\+?[\d\s./(),\-]+")
_DATE = re.compile(r"\s*\d{1,2}([./-])\d{1,2}\1(?:19|20)\d{2}\s*")
_RUN = re.compile(r"[+(]*\d[\d ./(),+\-]*")  # a line break ends a number
_GROUP = re.compile(r"(?:\+ *)?\d+")
_STRONG = re.compile(r"[/,]| - |  ")
# Between two numbers, or after an area alone: "063 / 22 33 44".
_SPACED = re.compile(r" [/,-]|[/,-] |  ")
_AREA = re.compile(r"0[1-9]\d{0,2}")
_EXTENSION = re.compile(
    r"\s*[,(]?\s*(?:\b(?:ext(?:ension)?|poste?|toestel|tst|int(?:erne)?)\b\.?|#)\s*:?\s*(\d{1,6})"
    r"(?!\d)\)?",
    re.I,
)
_PIECES = re.compile(r"[;,/|\n]|\b(?:ou|of|or|et|en|and|oder|und)\b", re.I)
_FEWEST_DIGITS = 4  # fewer are an hour, a count or "tél 2", never a telephone
_SHORTEST, _LONGEST = 8, 16  # digits of a number as people write it, the prefix included
_SHORTEST_START = 3
# Words that only announce a telephone and its sort: the number shows that itself.
_SAYS_NOTHING = {
    "TEL", "TELEPHONE", "TELEPHONES", "TELEFOON", "TELEFOONNUMMER", "TELEFON", "PHONE", "GSM",
    "MOBILE", "MOBIEL", "MOB", "PORTABLE", "PORT", "HANDY", "FIXE", "FIX", "VAST", "T", "P", "M",
    "F", "G", "N", "NO", "NR", "NUM", "NUMERO", "NUMMER", "CONTACT", "DE", "DU", "LE", "LA", "A",
    "AU", "OU", "OF", "OR", "ET", "EN", "AND", "ODER", "UND",
}  # fmt: skip
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-"))  # noqa: RUF001


@dataclass(frozen=True, slots=True)
class Phone:
    """A number that can be dialled.

    Attributes:
        number: E.164 (ITU-T), for example ``+32495123456``.
        is_mobile: an SMS can reach it.
        label: its owner or place in the source's words: ``fille``, ``poste 12``.
    """

    number: str
    is_mobile: bool
    label: str = ""

    @property
    def shown(self) -> str:
        """The number as a person reads it, with its label."""
        number = display(self.number)
        return f"{number} ({self.label})" if self.label else number


@dataclass(frozen=True, slots=True)
class PhoneCell:
    """The content of a cell of telephones.

    Attributes:
        phones: the numbers, in the order of the cell, each once.
        written: for each number, the part of the cell that it was read from, with its label.
        doubtful: parts that look like a number and cannot be dialled, as written.
    """

    phones: tuple[Phone, ...] = ()
    written: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()


# A load reads each number twice, once to check its row and once to write its patient.
@lru_cache(maxsize=4096)
def read(text: str) -> Phone | None:
    """Return the phone of a text, or None if it cannot be dialled.

    Args:
        text: one number and nothing else, for example ``0495/12.34.56``, ``+352 621 123 456``,
            ``063 22 33 44``.
    """
    written = _TRUNK_ZERO.sub("", _plain(text)).strip()
    if not _WRITTEN.fullmatch(written):
        return None
    digits = re.sub(r"\D", "", written)
    if written.startswith("+"):
        return _valid(f"+{digits}", HOME)
    if digits.startswith("00"):
        return _valid(f"+{digits[2:]}", HOME)
    found = _valid(digits, HOME)
    for region, form in _LOCAL:
        if found is None and form.fullmatch(digits):
            found = _valid(digits, region)
    if found is None and _PLUS_FORGOTTEN.fullmatch(digits):
        found = _valid(f"+{digits}", HOME)
    return found


def _valid(digits: str, region: str) -> Phone | None:
    try:
        parsed = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    kind = phonenumbers.number_type(parsed)
    if kind in _NOBODY_LIVES_THERE:
        return None
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return Phone(number=number, is_mobile=kind in _MOBILE)


def merged(said: Iterable[Phone], known: Iterable[Phone]) -> tuple[Phone, ...]:
    """Return a patient's numbers after a source named some of them, in the order to store.

    The source's numbers come first. The known ones stay after them, since a source may leave a
    column out: one number too many costs a call, one too few may cost the patient.

    Args:
        said: the source's numbers, in its order; nothing changes if there are none.
        known: the stored numbers, in order.
    """
    before = {phone.number: phone for phone in known}
    found: dict[str, Phone] = {}
    for phone in said:
        label = phone.label or (before[phone.number].label if phone.number in before else "")
        found.setdefault(phone.number, replace(phone, label=label))
    every = [*found.values(), *(one for one in before.values() if one.number not in found)]
    first = [one for kind in (True, False) if (one := first_of(every, is_mobile=kind))]
    rest = [one for one in every if one not in first][: MOST_KEPT - len(first)]
    return tuple(one for one in every if one in first or one in rest)


def first_of(phones: Iterable[Phone], *, is_mobile: bool) -> Phone | None:
    """Return the first mobile, or the first landline, of several numbers."""
    return next((one for one in phones if one.is_mobile == is_mobile), None)


def in_calling_order(phones: Sequence[Phone]) -> tuple[Phone, ...]:
    """Return the numbers in the order of calling: landline, mobile, then the others.

    The SMS already went to the mobile, so the landline comes first.
    """
    first = [one for kind in (False, True) if (one := first_of(phones, is_mobile=kind))]
    return (*first, *(one for one in phones if one not in first))


def display(number: str) -> str:
    """Return an E.164 number as a person reads it: national for Belgium, else international."""
    try:
        parsed = phonenumbers.parse(number, HOME)
    except phonenumbers.NumberParseException:
        return number
    national = parsed.country_code == phonenumbers.country_code_for_region(HOME)
    style = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(parsed, style.NATIONAL if national else style.INTERNATIONAL)


@dataclass(frozen=True, slots=True)
class _Run:
    """Digits and their separators: one number, several, or none."""

    text: str
    start: int
    end: int


@lru_cache(maxsize=4096)
def read_cell(text: str) -> PhoneCell:
    """Return every number of a cell, with any separators.

    An invalid number never affects its neighbours, and no number is made of a part of a longer
    one.

    Args:
        text: for example ``0495/12.34.56 - 063/22.33.44``, ``GSM: 0495 12 34 56 (fille)``,
            ``063 22 33 44 poste 12``, one a line.
    """
    plain = _plain(text)[:LONGEST_CELL]
    extensions = {}
    for found in _EXTENSION.finditer(plain):
        extensions[found.start()] = f"poste {found[1]}"
    plain = _EXTENSION.sub(lambda found: " " * (found.end() - found.start() - 1) + "\n", plain)
    runs = [_Run(one[0], one.start(), one.end()) for one in _RUN.finditer(plain)]
    numbers: list[tuple[int, int, Phone]] = []
    doubtful: list[str] = []
    for run in runs:
        found_here, left = _numbers_of(run)
        numbers += found_here
        doubtful += left
    if not numbers and not doubtful and any(c.isalnum() for c in plain):
        doubtful = [" ".join(plain.split())]
    if numbers:
        doubtful = [one for one in doubtful if _count(one) >= _FEWEST_DIGITS]
    return _cell(plain, numbers, doubtful, extensions)


def _cell(
    plain: str,
    numbers: Sequence[tuple[int, int, Phone]],
    doubtful: Sequence[str],
    extensions: dict[int, str],
) -> PhoneCell:
    labels = _labels(plain, numbers)
    phones: dict[str, Phone] = {}
    written: dict[str, str] = {}
    for place, (start, end, phone) in enumerate(numbers):
        following = numbers[place + 1][0] if place + 1 < len(numbers) else len(plain) + 1
        own = [text for at, text in extensions.items() if start < at < following]
        label = ", ".join(filter(None, [labels[place], *own]))[:LONGEST_LABEL].strip()
        if phone.number in phones:
            continue
        phones[phone.number] = replace(phone, label=label)
        piece = " ".join(_TRUNK_ZERO.sub("", plain[start:end]).replace(")", " ").split())
        written[phone.number] = f"{piece} ({label})" if label else piece
    return PhoneCell(
        tuple(phones.values()), tuple(written.values()), tuple(dict.fromkeys(doubtful))
    )


def _numbers_of(run: _Run) -> tuple[list[tuple[int, int, Phone]], list[str]]:
    """Return the numbers in a run with their places, and the rest of the run."""
    groups = [(one.start(), one.end()) for one in _GROUP.finditer(run.text)]
    chosen = _best_split(run.text, groups)
    numbers, left, at = [], [], 0
    for first, last, phone in chosen:
        if first > at:
            left.append(_piece(run.text, groups[at:first]))
        numbers.append((run.start + groups[first][0], run.start + groups[last][1], phone))
        at = last + 1
    if at < len(groups):
        left.append(_piece(run.text, groups[at:]))
    return numbers, left


def _best_split(text: str, groups: Sequence[tuple[int, int]]) -> list[tuple[int, int, Phone]]:
    """Return the numbers that use most digits of a run; of equal solutions, the one with fewest.

    A number without a clear beginning (no ``0``, no ``+``) counts only if no digit is left over.
    The same holds for one cut out of digits separated by spaces only.
    """
    if not groups:
        return []
    whole = _dialled(text, groups, 0, len(groups) - 1)
    if whole:
        return [(0, len(groups) - 1, whole)]
    everything = _split(text, groups, strict=False)
    covered = sum(last - first + 1 for first, last, _phone in everything)
    return everything if covered == len(groups) else _split(text, groups, strict=True)


def _split(
    text: str, groups: Sequence[tuple[int, int]], *, strict: bool
) -> list[tuple[int, int, Phone]]:
    # best[n]: of the first n groups, (digits covered, -numbers, the numbers).
    best: list[tuple[int, int, tuple[tuple[int, int, Phone], ...]]] = [(0, 0, ())]
    for end in range(1, len(groups) + 1):
        options = [best[end - 1]]
        for start, size in _sizes(groups, end):
            if strict and not _stands_alone(text, groups, start, end - 1):
                continue
            phone = _dialled(text, groups, start, end - 1)
            if phone:
                digits, count, before = best[start]
                options.append((digits + size, count - 1, (*before, (start, end - 1, phone))))
        best.append(max(options, key=lambda one: one[:2]))
    return list(best[-1][2])


def _sizes(groups: Sequence[tuple[int, int]], end: int) -> Iterator[tuple[int, int]]:
    """Yield the possible beginnings of a number that ends before group ``end``, with its digits."""
    size = 0
    for start in range(end - 1, -1, -1):
        size += groups[start][1] - groups[start][0]
        if size > _LONGEST + 1:
            return
        if size >= _SHORTEST:
            yield start, size


def _stands_alone(text: str, groups: Sequence[tuple[int, int]], first: int, last: int) -> bool:
    """Whether no neighbouring text may belong to a number."""
    start = text[groups[first][0] : groups[first][1]]
    is_apart = first == 0 or _STRONG.search(text[groups[first - 1][1] : groups[first][0]])
    if not _shows_a_beginning(start) and not (is_apart and start.startswith("0")):
        return False
    if last + 1 == len(groups):
        return True
    behind = text[groups[last][1] : groups[last + 1][0]]
    own = text[groups[first][0] : groups[last][1]]
    if _STRONG.search(behind) or ("-" in behind and "-" not in own):
        return True
    return _shows_a_beginning(text[groups[last + 1][0] : groups[last + 1][1]])


def _shows_a_beginning(group: str) -> bool:
    return group.startswith("+") or (group.startswith("0") and len(group) >= _SHORTEST_START)


def _dialled(text: str, groups: Sequence[tuple[int, int]], first: int, last: int) -> Phone | None:
    written = text[groups[first][0] : groups[last][1]]
    if "+" in written[1:] or _DATE.fullmatch(written):
        return None
    if last > first:
        head = groups[first][1] - groups[first][0]
        spaced = list(_SPACED.finditer(written))
        is_area = _AREA.fullmatch(written[:head]) is not None
        if any(one.start() > head or not is_area for one in spaced):
            return None
    return read(written)


def _piece(text: str, groups: Sequence[tuple[int, int]]) -> str:
    return " ".join(text[groups[0][0] : groups[-1][1]].split())


def _labels(plain: str, numbers: Sequence[tuple[int, int, Phone]]) -> list[str]:
    """Return the label of each number from the words before and after it."""
    labels: list[list[str]] = [[] for _ in numbers]
    if not numbers:
        return []
    leads = bool(_said(plain[: numbers[0][0]]))
    labels[0].append(_said(plain[: numbers[0][0]]))
    for place, (_start, end, _phone) in enumerate(numbers):
        is_last = place + 1 == len(numbers)
        between = plain[end : len(plain) if is_last else numbers[place + 1][0]]
        pieces = _PIECES.split(between)
        behind, before = pieces[0], " ".join(pieces[1:])
        if is_last:
            behind, before = between, ""
        elif len(pieces) == 1 and (between.rstrip().endswith(":") or leads) and "(" not in between:
            behind, before = "", between
        labels[place].append(_said(behind))
        if not is_last:
            labels[place + 1].append(_said(before))
    return [", ".join(filter(None, one)) for one in labels]


def _said(text: str) -> str:
    """Return the words of a label without those that only announce a telephone."""
    words = re.findall(r"[\w'’.-]*[^\W\d_][\w'’.-]*", text)
    return " ".join(word.strip(".-") for word in words if fold(word) not in _SAYS_NOTHING)


def _count(text: str) -> int:
    return sum(c.isdigit() for c in text)


def _plain(text: str) -> str:
    """Return text with ASCII digits, hyphens and spaces, without invisible characters."""
    folded = unicodedata.normalize("NFKC", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept = (
        c if c == "\n" or unicodedata.category(c) not in {"Cc", "Cs"} else " "
        for c in folded
        if unicodedata.category(c) != "Cf"
    )
    return "".join(_ascii_digit(c) for c in "".join(kept).translate(_DASHES))


def _ascii_digit(character: str) -> str:
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return " " if character.isspace() and character != "\n" else character
