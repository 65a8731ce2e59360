"""What is said holds: each statement, and each sentence, against ``rules.decide``."""

import datetime as dt
from dataclasses import replace
from itertools import product

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from appointments.bulletins.grid import (
    EVERY,
    Grid,
    GridRow,
    RowSettings,
    may_stand_in_cell,
    to_clauses,
)
from appointments.bulletins.sentences import (
    _RULINGS,
    _SUBJECTS,
    PlaceNames,
    order_sentences,
    public_sentences,
)
from appointments.decisions.effective_orders import (
    Effect,
    Place,
    Statement,
    World,
    compared,
    outcome_alone,
    statements,
    whole_order,
)
from appointments.rules import ClauseTerms, Facts, decide, numbered
from appointments.vocabulary import KeptBy, Outcome, ProtectedGroup, Ruling, Service, Tell
from notifications.vocabulary import Channel
from tests.builders import MONDAY, at

SITES = ("arlon", "bastogne", "bertrix", "libramont", "marche", "virton")
SITE_OF = {"arlon-cardio": "arlon", "virton-bloc": "virton", "bertrix-gyn": "bertrix"}
DAYS = tuple(MONDAY + dt.timedelta(days=number) for number in range(4))
GROUPS = (ProtectedGroup.CAST, ProtectedGroup.DIABETES, ProtectedGroup.PREGNANCY)
WORLD = World(SITES, DAYS, SITE_OF)
NAMES = PlaceNames(
    {site: site.capitalize() for site in SITES},
    {unit: unit.upper() for unit in SITE_OF},
    SITE_OF,
)
PLACES = [*(Place(site) for site in SITES), *(Place(site, unit) for unit, site in SITE_OF.items())]
ALL_GROUPS = [frozenset(), *(frozenset(some) for some in ((g,) for g in GROUPS))]
ALL_GROUPS += [frozenset(GROUPS[:2]), frozenset(GROUPS[1:]), frozenset(GROUPS)]


def few(words: tuple, most: int = 3) -> st.SearchStrategy[frozenset]:
    return st.frozensets(st.sampled_from(words), max_size=most)


seldom = st.just(frozenset()) | st.just(frozenset())
clauses = st.lists(
    st.builds(
        ClauseTerms,
        position=st.just(0),
        ruling=st.sampled_from(Ruling),
        tell=st.sampled_from(Tell),
        channel=st.sampled_from(Channel),
        kept_by=st.sampled_from(KeptBy),
        keep_until=st.sampled_from([None, at("2022-05-15 18:00")]),
        services=few(tuple(map(str, Service))),
        sites=few(SITES),
        units=seldom | few(tuple(SITE_OF), 2),
        days=seldom | few(DAYS, 2),
        groups=seldom | few(tuple(map(str, GROUPS)), 2),
    ),
    max_size=7,
).map(
    lambda found: tuple(replace(one, position=number) for number, one in enumerate(found, start=1))
)


@st.composite
def grids(draw: st.DrawFn) -> tuple[ClauseTerms, ...]:
    """Return the clauses of a grid as the editor has it: any service, all sites and single ones."""
    rows = []
    for service in (EVERY, *map(str, Service)):
        offered = [one for one in Ruling if may_stand_in_cell(service, one)]
        cells = st.dictionaries(
            st.sampled_from((EVERY, *SITES)), st.sampled_from(offered), max_size=3
        )
        rows.append(GridRow(service, RowSettings(), draw(cells)))
    return to_clauses(Grid(tuple(rows)))


def said_by(
    found: list[Statement], service: str, place: Place, day: dt.date, groups: frozenset
) -> set:
    """Return all that statements say of somebody."""
    told = {
        one.said.to(groups)
        for one in found
        if service in one.services and place in one.places and day in one.days
    }
    return told - {None}


@settings(deadline=None)
@given(clauses)
def test_each_statement_says_what_is_decided_for_everybody_it_speaks_of(
    found: tuple[ClauseTerms, ...],
) -> None:
    said = statements(found, WORLD, outcome_alone)
    for service, place, day, groups in product(map(str, Service), PLACES, DAYS, ALL_GROUPS):
        verdict = decide(Facts(service, place.site, place.unit, day, groups), found)
        place_named = place if any(place.unit in one.units for one in found) else Place(place.site)
        answers = said_by(said, service, place_named, day, groups)
        if service == Service.EMERGENCY:
            assert answers <= {Effect(Outcome.MAINTAINED)}
        else:
            assert answers == ({Effect(verdict.outcome)} if verdict else set())


def ordered(facts: Facts, found: tuple[ClauseTerms, ...]) -> Effect | None:
    verdict = decide(facts, found)
    return whole_order(verdict, facts.service) if verdict else None


@settings(deadline=None)
@given(clauses, clauses)
def test_what_changes_is_said_once_and_what_does_not_is_not(
    old: tuple[ClauseTerms, ...], new: tuple[ClauseTerms, ...]
) -> None:
    dropped, added = compared(old, new, WORLD)
    both = (*old, *new)
    for service, place, day in product(map(str, Service), PLACES, DAYS):
        if service == Service.EMERGENCY:
            continue
        place_named = place if any(place.unit in one.units for one in both) else Place(place.site)
        for groups in ALL_GROUPS:
            facts = Facts(service, place.site, place.unit, day, groups)
            was, will = (ordered(facts, version) for version in (old, new))
            gone = said_by(dropped, service, place_named, day, groups)
            come = said_by(added, service, place_named, day, groups)
            if was != will:
                assert (gone, come) == ({was} - {None}, {will} - {None})
            assert gone <= {was}
            assert come <= {will}


WORDS = {
    "fr": ("Toutes les activités", "tous les sites", "sauf", "et", " : ", "au cas par cas"),
    "nl": ("Alle activiteiten", "alle sites", "behalve", "en", ": ", "geval per geval"),
    "de": ("Alle Bereiche", "alle Standorte", "außer", "und", ": ", "von Fall zu Fall"),
    "en": ("All services", "all sites", "except", "and", ": ", "case by case"),
}


@pytest.mark.parametrize("language", WORDS)
@settings(deadline=None, max_examples=60)
@given(drafts=grids())
def test_each_sentence_read_word_by_word_says_what_is_decided(
    language: str, drafts: tuple[ClauseTerms, ...]
) -> None:
    found = numbered(drafts)
    with translation.override(language):
        sentences = public_sentences(statements(found, WORLD, outcome_alone), NAMES, DAYS)
        claims = [_claim(sentence, language) for sentence in sentences]
    for service, site in product(map(str, Service), SITES):
        verdict = decide(Facts(service, site, "", MONDAY), found)
        said = {
            outcome for services, sites, outcome in claims if service in services and site in sites
        }
        if service == Service.EMERGENCY:
            assert said <= {Outcome.MAINTAINED}
        else:
            assert said == ({verdict.outcome} if verdict else set())


def _claim(sentence: str, language: str) -> tuple[set[str], set[str], Outcome]:
    """Read a sentence as a person does: which services, which sites, what."""
    all_services, all_sites, but, last, colon, case_by_case = WORDS[language]
    whom, ruling = sentence.rsplit(colon, 1)
    services = _vocabulary()
    starts = [whom.find(f", {place}") for place in (all_sites, *NAMES.sites.values())]
    cut = min(start for start in starts if start >= 0)
    what, where = whom[:cut], whom[cut + 2 :]
    named = {name: code for code, name in NAMES.sites.items()}
    outcome = Outcome.UNDER_REVIEW if ruling == case_by_case else services[ruling]
    return (
        _listed(what, all_services, but, last, services),
        _listed(where, all_sites, but, last, named),
        outcome,
    )


def _listed(text: str, everything: str, but: str, last: str, names: dict) -> set[str]:
    rest = text.removeprefix(everything)
    words = rest.removeprefix(f" {but} ").replace(f" {last} ", ", ").split(", ") if rest else []
    codes = {names.get(word) or names[word[:1].lower() + word[1:]] for word in words}
    whole = {code for code in names.values() if not isinstance(code, Outcome)}
    return whole - codes if text.startswith(everything) else codes


def _vocabulary() -> dict[str, object]:
    """Return the words of services and rulings in the language that is active."""
    words: dict[str, object] = {str(name): str(one) for one, (name, _n) in _SUBJECTS.items()}
    for outcome, forms in _RULINGS.items():
        words |= {str(form): outcome for form in forms.values()}
    return words


def in_words(*drafts: ClauseTerms, days: tuple[dt.date, ...] = DAYS) -> list[str]:
    return order_sentences(drafts, NAMES, days)


ALL_CANCELLED = ClauseTerms("cancel", "cancelled", services=("consultation", "radiology"))
BERTRIX_WORKS = ClauseTerms("maintain", "nobody", sites=("bertrix",))


def test_the_site_that_is_kept_is_named_in_the_sentence_that_it_is_an_exception_to() -> None:
    assert in_words(BERTRIX_WORKS, ALL_CANCELLED) == [
        (
            "Consultations et radiologie, tous les sites sauf Bertrix : annulées ; "
            "prévenir les annulés par SMS"
        ),
        "Toutes les activités, Bertrix : maintenues ; ne prévenir personne",
    ]


def test_a_unit_and_a_group_that_are_kept_are_named_too() -> None:
    assert in_words(
        ClauseTerms("cancel", "nobody"),
        ClauseTerms("maintain", "nobody", units=("arlon-cardio",)),
        ClauseTerms("maintain", "nobody", groups=("cast",)),
    ) == [
        (
            "Toutes les activités sauf opérations et urgences, tous les sites sauf ARLON-CARDIO : "
            "annulées ; ne prévenir personne (sauf patients avec plâtre : maintenues ; ne prévenir "
            "personne)"
        ),
        "Toutes les activités, ARLON-CARDIO : maintenues ; ne prévenir personne",
        (
            "Opérations, tous les sites sauf ARLON-CARDIO : annulées ; ne prévenir personne ; le "
            "Directeur médical tranche (sauf patients avec plâtre : maintenues ; ne prévenir "
            "personne)"
        ),
    ]


def test_a_patient_of_two_groups_is_not_told_two_things() -> None:
    assert in_words(
        ClauseTerms("maintain", "nobody", services=("dialysis",), groups=("cast",)),
        ClauseTerms("cancel", "nobody", groups=("diabetes",), services=("dialysis",)),
    ) == [
        "Dialyses, tous les sites, patients avec plâtre : maintenues ; ne prévenir personne",
        (
            "Dialyses, tous les sites, patients avec diabète, mais sans plâtre : annulées ; "
            "ne prévenir personne"
        ),
    ]


def test_a_day_apart_is_named_as_the_exception() -> None:
    assert in_words(
        ClauseTerms("cancel", "nobody", services=("dialysis",)),
        ClauseTerms("maintain", "nobody", services=("dialysis",), days=DAYS[:1]),
    ) == [
        "Dialyses, tous les sites, le lundi 16/05 : maintenues ; ne prévenir personne",
        (
            "Dialyses, tous les sites, tous les jours sauf le lundi 16/05 : annulées ; "
            "ne prévenir personne"
        ),
    ]


def test_who_is_told_and_who_may_keep_is_what_the_rules_say() -> None:
    assert in_words(
        ClauseTerms("cancel", "maintained", services=("consultation",), kept_by="doctor"),
        ClauseTerms("cancel", "cancelled", services=("surgery",)),
        ClauseTerms("case_by_case", "nobody", services=("dialysis",), kept_by="doctor"),
        days=DAYS[:1],
    ) == [
        (
            "Consultations, tous les sites : annulées ; ne prévenir personne ; "
            "le médecin concerné peut garder"
        ),
        (
            "Opérations, tous les sites : annulées ; prévenir les annulés par SMS ; "
            "le Directeur médical tranche"
        ),
        (
            "Dialyses, tous les sites : au cas par cas ; prévenir chaque patient par téléphone ; "
            "le médecin concerné peut garder"
        ),
    ]
