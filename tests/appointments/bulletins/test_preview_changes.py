"""What a draft changes, as sentences that add up."""

from hypothesis import given
from hypothesis import strategies as st

from appointments.bulletins.preview import OUTCOMES, PreviewCount, changes_of
from tests.appointments.bulletins.test_preview_tables import NAMES, counts
from tests.builders import MONDAY


def test_each_change_says_how_many_from_what_to_what_and_where() -> None:
    (back, gone) = changes_of(
        [
            PreviewCount(MONDAY, "arlon", "consultation", "maintained", "cancelled", 200),
            PreviewCount(MONDAY, "virton", "consultation", "maintained", "cancelled", 10),
            PreviewCount(MONDAY, "virton", "dialysis", "maintained", "cancelled", 2),
            PreviewCount(MONDAY, "arlon", "dialysis", "cancelled", "", 1),
            PreviewCount(MONDAY, "arlon", "dialysis", "cancelled", "cancelled", 7),
        ],
        NAMES,
    )

    assert back.sentence == "212 rendez-vous passent d'annulé à maintenu"
    assert gone.sentence == "1 rendez-vous sans décision passe à annulé"
    assert back.sites == ("Virton", "Arlon")
    assert [(one.label, one.numbers, one.total) for one in back.services] == [
        ("Consultation", (10, 200), 210),
        ("Dialyse", (2, 0), 2),
    ]


@given(st.lists(counts.filter(lambda count: count.outcome or not count.was), max_size=30))
def test_the_changes_add_up_to_what_changes(listed: list[PreviewCount]) -> None:
    changes = changes_of(listed, NAMES)

    changed = sum(count.appointments for count in listed if count.outcome != count.was)
    assert sum(change.appointments for change in changes) == changed
    for change in changes:
        assert sum(service.total for service in change.services) == change.appointments


def test_every_change_that_a_bulletin_can_make_has_its_sentence() -> None:
    made = [
        PreviewCount(MONDAY, "arlon", "consultation", outcome, was, 1)
        for was in OUTCOMES
        for outcome in OUTCOMES
        if outcome and outcome != was
    ]

    sentences = [change.sentence for change in changes_of(made, NAMES)]
    assert len(set(sentences)) == len(made) == 9
