"""Find patients by a typed text. The caller narrows to what the reader may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from patients.models import Patient, PatientIdentifier, PatientPhone
from patients.names import MOST_WORDS, keys_of, spellings
from patients.search_text import SearchText
from staff import lookups  # noqa: F401 (registers ``prefix``)

MOST_MEANT = 300  # of a million patients some thousands have the commonest name


@dataclass(frozen=True)
class Meant:
    """The numbers of the patients found by a search; ``is_more`` if there are others."""

    ids: list[int]
    is_more: bool


def first_meant(search: SearchText) -> Meant:
    """Return the patients that a search finds, or ``MOST_MEANT`` of them (one query).

    The database chooses which: an order would make it read all of them.
    """
    ids = [number for (number,) in patient_ids(search)[: MOST_MEANT + 1]]
    return Meant(list(dict.fromkeys(ids))[:MOST_MEANT], len(ids) > MOST_MEANT)


def first_sounding(search: SearchText, *, but: Sequence[int] = ()) -> Meant:
    """Return patients whose names sound like the text, except those given (one query).

    The first typed word or any later one begins the family name. The index of
    ``Patient.search_sound`` is used.
    """
    keys = keys_of(search.words)
    if not keys or len(keys) > MOST_WORDS:
        return Meant([], is_more=False)
    alike = Patient.objects.filter(_sounds(keys), _birth_date(search)).exclude(pk__in=but)
    ids = list(alike.values_list("pk", flat=True)[: MOST_MEANT + 1])
    return Meant(ids[:MOST_MEANT], len(ids) > MOST_MEANT)


def _sounds(keys: Sequence[str]) -> Q:
    options = []
    for place, first in enumerate(keys):
        others = [*keys[:place], *keys[place + 1 :]]
        later = [Q(search_sound__contains=f" {key} ") for key in others]
        options.append(reduce(and_, later, Q(search_sound__prefix=f"{first} ")))
    return reduce(or_, options)


def is_meant(search: SearchText) -> Q:
    """Return the condition that a search finds a patient, for a query with few rows."""
    if search.words:
        return _name(search) & _birth_date(search)
    records = _records(search).filter(patient=OuterRef("pk"))
    meant = _birth_or_number(search) | Q(Exists(records))
    if search.phone:
        listed = PatientPhone.objects.filter(number=search.phone, patient=OuterRef("pk"))
        meant |= Q(mobile=search.phone) | Q(landline=search.phone) | Q(Exists(listed))
    return meant


def patient_ids(search: SearchText) -> QuerySet[Any, Any]:
    """Return the numbers of the patients that a search finds, some perhaps twice.

    Each branch of the union uses an index, which an ``OR`` over two tables would prevent.
    """
    if search.words:
        return Patient.objects.filter(_name(search), _birth_date(search)).values_list("pk")
    arms: list[QuerySet[Any, Any]] = [_records(search).values_list("patient_id")]
    if search.phone:
        arms += [
            Patient.objects.filter(Q(mobile=search.phone) | Q(landline=search.phone)).values_list(
                "pk"
            ),
            PatientPhone.objects.filter(number=search.phone).order_by().values_list("patient_id"),
        ]
    meant = Patient.objects.filter(_birth_or_number(search)).values_list("pk")
    return meant.union(*arms, all=True)


def _birth_or_number(search: SearchText) -> Q:
    meant = Q(birth_date__in=search.birth_dates)
    if search.national_number:
        meant |= Q(national_number__in=_national_numbers(search.national_number))
    return meant


def _records(search: SearchText) -> QuerySet[PatientIdentifier]:
    number = search.record_number
    return PatientIdentifier.objects.filter(value__in=sorted({number, number.upper()}))


def _name(search: SearchText) -> Q:
    """One word begins the family or the given name, the others begin any later word.

    Either order is found, and either name alone: ``Patient.search_name`` is family name first,
    ``Patient.search_given_name`` given name first, each with its index. Any word is enough
    beside a birth date, whose index bounds the search. A name with a particle is found written
    together and apart.
    """
    written = spellings(search.words)
    if search.birth_dates:
        return reduce(or_, (reduce(and_, map(_any_word, words)) for words in written))
    return reduce(or_, (_begins(words) for words in written))


def _begins(words: Sequence[str]) -> Q:
    options = []
    for first in dict.fromkeys(words):
        others = list(words)
        others.remove(first)
        for column in ("search_name", "search_given_name"):
            later = [Q(**{f"{column}__contains": f" {word}"}) for word in others]
            options.append(reduce(and_, later, Q(**{f"{column}__prefix": first})))
    return reduce(or_, options)


def _any_word(word: str) -> Q:
    return Q(search_name__prefix=word) | Q(search_name__contains=f" {word}")


def _birth_date(search: SearchText) -> Q:
    return Q(birth_date__in=search.birth_dates) if search.birth_dates else Q()


def _national_numbers(n: str) -> list[str]:
    """The number bare and as the identity card prints it."""
    return [n, f"{n[:2]}.{n[2:4]}.{n[4:6]}-{n[6:9]}.{n[9:]}"]
