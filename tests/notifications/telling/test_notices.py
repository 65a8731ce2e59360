"""The patients behind the numbers of the telling."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from notifications.models import Notice
from notifications.telling.progress import notices_in, progress
from notifications.telling.views import LISTED
from staff.models import AuditEvent, User
from tests.builders import a_patient, a_practitioner, a_site, a_unit, a_user
from tests.notifications.builders import SUNDAY, a_call, a_notice, an_sms
from tests.notifications.screens import as_user, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]
LAST_WEEK = [("2022-05-02 09:10", "cancelled")]


def told(**fields) -> Notice:
    return a_notice(state="told", settled_at=SUNDAY, handed_over_at=SUNDAY, **fields)


def unreachable(**fields) -> Notice:
    return a_notice(state="unreachable", settled_at=SUNDAY, **fields)


def one_of_everything() -> None:
    """Notices in every state, of this week and of long ago, here and elsewhere."""
    for place in (a_site("arlon"), a_site("virton")):
        for items in (LAST_WEEK, [("2022-05-16 09:10", "cancelled")]):
            a_call(a_notice(site=place, items=items))
            an_sms(told(site=place, items=items), state="delivered")
            an_sms(unreachable(site=place, items=items), state="failed", failure="barred")
            a_notice(site=place, items=items, state="withdrawn", settled_at=SUNDAY)


@pytest.mark.parametrize("where", [{}, {"site": "arlon"}, {"unit": "arlon-cardio"}])
def test_each_list_is_as_long_as_its_number(where: dict[str, str]) -> None:
    one_of_everything()
    places = {"site": a_site, "unit": a_unit}
    held = {kind: places[kind](code) for kind, code in where.items()}
    user = a_user("somewhere", "crisis_cell", **held)
    counted = progress(user).patients
    for state in LISTED:
        assert notices_in(user, state).count() == counted[state] > 0


def test_another_site_is_not_listed(client: Client) -> None:
    a_notice(site=a_site("virton"), patient=a_patient(family_name="Zwartkop"))
    local = a_user("local", "crisis_cell", site=a_site("arlon"))
    assert "ZWARTKOP" not in text(as_user(client, local), "notices")


def test_the_page_counts_lists_and_leaves_a_trace(client: Client, chief: User) -> None:
    lost = unreachable(patient=a_patient(family_name="Zwartkop"))
    an_sms(lost, state="failed", failure="barred", finished_at=SUNDAY)
    a_call(lost, state="failed", failure="no_answer", finished_at=SUNDAY)
    page = text(as_user(client, chief), "notices", state="unreachable")
    for words in ("ZWARTKOP", "numéro bloqué", "ne répond pas", "Injoignables (1)"):
        assert words in page
    event = AuditEvent.objects.get()
    assert (event.action, event.detail) == (
        "notices.viewed",
        {"state": "unreachable", "notices": [lost.pk]},
    )


def test_who_is_called_by_a_doctor_says_so(client: Client, chief: User) -> None:
    a_call(a_notice(reserved_for=a_practitioner("dubois")))
    assert "DUBOIS l'a gardé et l'appelle" in text(as_user(client, chief), "notices")


def test_what_is_no_state_of_the_list_shows_who_is_to_be_told(client: Client, chief: User) -> None:
    a_notice()
    told()
    as_user(client, chief)
    for asked in ("withdrawn", "nonsense", ""):
        shown = client.get(reverse("notices"), {"state": asked}).context["page"].items
        assert [one.state for one in shown] == ["open"]


def test_the_number_of_queries_does_not_grow(
    client: Client, chief: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    as_user(client, chief)
    client.get(reverse("notices"))  # the first event of all makes the head of the trail
    counts = []
    for _ in range(2):
        for _number in range(4):
            a_call(a_notice(reserved_for=a_practitioner("dubois")))
        with django_assert_num_queries(100, exact=False) as queries:
            client.get(reverse("notices"))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_outbox_can_be_narrowed_to_what_the_telling_counts(client: Client, chief: User) -> None:
    one_of_everything()
    as_user(client, chief)
    shown = client.get(reverse("outbox"), {"state": ["delivered"], "recent": "on"})
    assert len(shown.context["page"].items) == progress(chief).deliveries["sms"]["delivered"] == 2
    assert "Depuis hier, ou encore à prévenir" in shown.content.decode()
