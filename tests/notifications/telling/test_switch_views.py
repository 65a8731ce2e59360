"""The live progress and the filters of the outbox, as people use them."""

import datetime as dt

import pytest
from django.urls import reverse

from notifications.models import Delivery, Sending
from tests.builders import a_patient, a_site, a_user, at
from tests.notifications.builders import SUNDAY, a_call, a_notice, an_sms
from tests.notifications.screens import as_user, text, unknown

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]


class TestTelling:
    def test_each_number_leads_to_the_list_behind_it(self, client, chief) -> None:
        an_sms()
        an_sms(state="queued")
        unknown()
        failed = an_sms(state="failed", finished_at=SUNDAY)
        a_call(failed.notice)
        page = text(as_user(client, chief), "telling")
        for address in (
            "?state=held&recent=on",
            "?state=queued&state=claimed&state=submitting&recent=on",
            "?state=failed&state=expired&state=suppressed&recent=on",
        ):
            assert f'href="{reverse("outbox")}{address}"' in page
            assert client.get(f"{reverse('outbox')}{address}").context["page"].items
        for name in ("queue_unknown", "queue_failed", "call_list"):
            assert f'href="{reverse(name)}"' in page
        assert "dont 1 à prévenir" in page

    def test_it_says_when_it_will_be_over(self, client, chief) -> None:
        for seconds in (60, 1):
            left = SUNDAY - dt.timedelta(seconds=seconds - 1)
            an_sms(state="accepted", submitted_at=left, finished_at=left, parts=1)
        for _ in range(4):
            an_sms(state="queued")
        page = text(as_user(client, chief), "telling_live")
        assert "terminé dimanche 15 mai vers <strong>09:01</strong>" in page

    def test_it_shows_the_curve_and_the_same_numbers_as_a_table(self, client, chief) -> None:
        an_sms(state="accepted", submitted_at=SUNDAY - dt.timedelta(minutes=3))
        page = text(as_user(client, chief), "telling", hours=1)
        assert "<polyline" in page
        assert '<td class="number">1</td>' in page

    def test_an_unknown_span_is_the_usual_one(self, client, chief) -> None:
        as_user(client, chief)
        assert client.get(reverse("telling"), {"hours": "9999"}).context["span"] == 12

    def test_only_who_may_hold_all_sending_gets_the_switch(self, client, chief) -> None:
        an_sms()
        page = text(as_user(client, chief), "telling")
        assert 'id="sending-switch"' in page
        assert 'id="sending-release"' in page
        local = a_user("local", "crisis_cell", site=a_site("arlon"))
        for user in (local, a_user("auditor", "auditor")):
            assert 'id="sending-switch"' not in text(as_user(client, user), "telling")

    def test_a_director_sees_the_numbers_without_ways_into_closed_lists(self, client) -> None:
        an_sms()
        page = text(as_user(client, a_user("director", "medical_director")), "telling")
        assert reverse("outbox") not in page
        assert reverse("call_list") not in page

    def test_the_switch_comes_back_to_where_it_was_pressed(self, client, chief) -> None:
        as_user(client, chief)
        for name in ("sending_pause", "sending_resume"):
            assert client.post(reverse(name), {"from": "telling"}).url == reverse("telling")
            assert client.post(reverse(name), {"from": "//evil"}).url == reverse("board")

    def test_a_pause_is_said_there(self, client, chief) -> None:
        an_sms(state="queued")
        Sending.objects.create(paused_at=SUNDAY, paused_by=chief)
        page = text(as_user(client, chief), "telling_live")
        assert "En pause" in page
        assert "Reprendre les envois" in page

    def test_the_number_of_queries_does_not_grow(
        self, client, chief, django_assert_max_num_queries
    ) -> None:
        for number in range(10):
            unknown(submitted_at=SUNDAY - dt.timedelta(minutes=number))
        as_user(client, chief)
        with django_assert_max_num_queries(19):
            client.get(reverse("telling_live"))


class TestOutboxFilters:
    @pytest.fixture
    def shown(self, client, chief):
        as_user(client, chief)

        def ask(**query) -> set[Delivery]:
            return set(client.get(reverse("outbox"), query).context["page"].items)

        return ask

    def test_several_states_at_once(self, shown) -> None:
        held, queued = an_sms(), an_sms(state="queued")
        an_sms(state="withdrawn", finished_at=SUNDAY)
        assert shown(state=["held", "queued"]) == {held, queued}

    def test_by_patient_phone_and_reference(self, shown) -> None:
        sms = an_sms(a_notice(patient=a_patient(family_name="Zwartkop", given_name="Jan")))
        an_sms()
        assert shown(q="zwart jan") == {sms}
        assert shown(q=sms.address) == {sms}
        assert shown(q=sms.notice.reference.lower()) == {sms}
        assert shown(q="Nulleperson") == set()

    def test_by_language_gateway_cause_day_and_words(self, shown) -> None:
        an_sms()
        sms = an_sms(
            a_notice(patient=a_patient(language="nl"), items=[("2022-05-17 09:10", "cancelled")]),
            state="failed",
            finished_at=SUNDAY,
            gateway="console",
            failure="barred",
            body="Uw afspraak is GEANNULEERD.",
        )
        for query in (
            {"language": "nl"},
            {"gateway": "console"},
            {"failure": "barred"},
            {"day": "2022-05-17"},
            {"text": "geannuleerd"},
        ):
            assert shown(**query) == {sms}, query

    def test_a_page_keeps_the_filters(self, client, chief) -> None:
        for _ in range(32):
            an_sms(state="queued")
        page = text(as_user(client, chief), "outbox", state=["held", "queued"], language="fr")
        assert "state=held&amp;state=queued&amp;language=fr&amp;cursor=" in page

    def test_a_site_of_others_is_no_choice(self, client) -> None:
        virton = a_site("virton")
        local = a_user("local", "crisis_cell", site=a_site("arlon"))
        page = as_user(client, local).get(reverse("outbox"), {"site": virton.pk})
        assert page.context["page"].items == []
        assert "Virton" not in page.content.decode()

    def test_nothing_found_is_not_nothing_there(self, client, chief) -> None:
        page = text(as_user(client, chief), "outbox", q="2222-222")
        assert "Aucun message ne correspond" in page
        assert "Un bulletin approuvé crée les messages" in text(client, "outbox")

    def test_a_wrong_day_is_said_at_its_field(self, client, chief) -> None:
        an_sms(not_before=at("2022-05-14 18:00"))
        page = as_user(client, chief).get(reverse("outbox"), {"day": "mardi"})
        assert page.context["form"].errors["day"]
        assert page.context["page"].items == []
