"""The queues, and what is confirmed before it is done to many."""

import pytest
from django.urls import reverse

from notifications.models import Delivery, Notice
from staff.models import AuditEvent
from tests.builders import a_site, a_user
from tests.notifications.builders import SUNDAY, a_call, a_notice, an_sms
from tests.notifications.screens import as_user, text, unknown

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]


class TestQueues:
    def test_an_unknown_one_says_why_where_since_when_and_what_comes(self, client, chief) -> None:
        sms = unknown(remark="l'opérateur n'a rien répondu")
        page = text(as_user(client, chief), "queue_unknown")
        for words in (str(sms.notice.patient), "rien répondu", "console", "09:00", "15"):
            assert words in page
        assert AuditEvent.objects.get().action == "sms_unknown.viewed"

    def test_a_failed_one_says_who_carries_it_now(self, client, chief, agent) -> None:
        sms = an_sms(state="failed", failure="invalid_number", finished_at=SUNDAY)
        call = a_call(sms.notice)
        page = text(as_user(client, chief), "queue_failed")
        assert "numéro invalide" in page
        assert "sur la liste des appels" in page
        Delivery.objects.filter(pk=call.pk).update(
            state="claimed", claimed_by="agent", caller=agent, lease_until=SUNDAY
        )
        assert "agent est en train d" in text(client, "queue_failed")

    def test_what_is_settled_or_tried_again_is_gone_from_it(self, client, chief) -> None:
        told = an_sms(state="failed", finished_at=SUNDAY)
        Notice.objects.filter(pk=told.notice_id).update(
            state="told", settled_at=SUNDAY, handed_over_at=SUNDAY
        )
        again = an_sms(state="failed", finished_at=SUNDAY)
        an_sms(again.notice, number=2, state="queued")
        as_user(client, chief)
        assert client.get(reverse("queue_failed")).context["page"].items == []

    def test_it_is_narrowed_and_pages_by_the_oldest(self, client, chief) -> None:
        here = unknown()
        there = unknown(notice=a_notice(site=a_site("virton")))
        as_user(client, chief)
        shown = client.get(reverse("queue_unknown")).context["page"].items
        assert shown == [here, there]
        site = a_site("virton").pk
        assert client.get(reverse("queue_unknown"), {"site": site}).context["page"].items == [there]

    @pytest.mark.parametrize("name", ["queue_unknown", "queue_failed"])
    def test_an_empty_one_says_so(self, name: str, client, chief) -> None:
        assert 'class="empty"' in text(as_user(client, chief), name)

    @pytest.mark.parametrize("name", ["queue_unknown", "queue_failed"])
    def test_the_number_of_queries_does_not_grow(
        self, name: str, client, chief, django_assert_max_num_queries
    ) -> None:
        for _ in range(20):
            unknown()
            a_call(an_sms(state="failed", finished_at=SUNDAY).notice)
        as_user(client, chief)
        with django_assert_max_num_queries(22):
            assert len(client.get(reverse(name)).context["page"].items) == 20

    def test_an_auditor_looks_and_gets_no_button(self, client) -> None:
        unknown()
        page = text(as_user(client, a_user("auditor", "auditor")), "queue_unknown")
        assert "settle" not in page
        assert 'type="checkbox"' not in page


class TestSettling:
    def ask(self, client, action: str, **query):
        return client.get(reverse("settle", args=["unknown", action]), query)

    def post(self, client, action: str, **data):
        return client.post(reverse("settle", args=["unknown", action]), data, follow=True)

    def test_ticked_ones_are_asked_about_and_then_sent_again(self, client, chief) -> None:
        first, second, third = unknown(), unknown(), unknown()
        page = self.ask(as_user(client, chief), "resend", id=[first.pk, third.pk])
        assert page.context["ids"] == f"{first.pk},{third.pk}"
        assert str(second.notice.patient) not in page.content.decode()
        ids = page.context["ids"]
        done = self.post(client, "resend", ids=ids, reason="Coupure", twice="on")
        assert "2 SMS repartent." in done.content.decode()
        assert Delivery.objects.filter(state="queued").count() == 2

    def test_sending_again_needs_the_tick_and_a_reason(self, client, chief) -> None:
        sms = unknown()
        as_user(client, chief)
        for data in ({"reason": "Coupure"}, {"twice": "on"}):
            answer = self.post(client, "resend", ids=sms.pk, **data)
            assert answer.status_code == 422
        assert Delivery.objects.get().state == "unknown"

    def test_the_whole_filter_is_what_was_counted_and_nothing_that_came_later(
        self, client, chief
    ) -> None:
        here = [unknown(), unknown()]
        unknown(notice=a_notice(site=a_site("virton")))
        as_user(client, chief)
        page = self.ask(client, "call", all="1", site=a_site("arlon").pk)
        assert page.context["number"] == 2
        late = unknown()
        done = self.post(client, "call", ids=page.context["ids"], reason="")
        assert "2 patients sont sur la liste des appels." in done.content.decode()
        called = Delivery.objects.filter(channel="phone").values_list("notice", flat=True)
        assert set(called) == {sms.notice_id for sms in here}
        late.refresh_from_db()
        assert late.state == "unknown"

    def test_what_changed_meanwhile_is_said(self, client, chief) -> None:
        ids = [unknown().pk for _ in range(4)]
        Delivery.objects.filter(pk__in=ids[1:]).update(state="accepted")
        done = self.post(as_user(client, chief), "told", ids=",".join(map(str, ids)), reason="Vus")
        page = done.content.decode()
        assert "1 patient compte comme prévenu." in page
        assert "3 avaient changé entre-temps" in page

    def test_an_agent_settles_one_from_its_row(self, client, agent) -> None:
        sms = unknown()
        page = text(as_user(client, agent), "queue_unknown")
        address = f"{reverse('settle', args=['unknown', 'told'])}?id={sms.pk}"
        assert f'href="{address}"' in page
        assert 'type="checkbox"' not in page
        assert client.get(address).status_code == 200
        self.post(client, "told", ids=sms.pk, reason="Il a rappelé")
        assert Notice.objects.get().settled_by == agent

    def test_an_agent_does_not_send_again(self, client, agent) -> None:
        sms = unknown()
        assert self.ask(as_user(client, agent), "resend", id=sms.pk).status_code == 403
        answer = self.post(client, "resend", ids=sms.pk, reason="x", twice="on")
        assert "Votre rôle ne permet pas" in answer.content.decode()
        assert Delivery.objects.get().state == "unknown"

    def test_nothing_ticked_is_said(self, client, chief) -> None:
        unknown()
        page = self.ask(as_user(client, chief), "call")
        assert page.url == reverse("queue_unknown")
        assert "Cochez" in client.get(page.url).content.decode()

    @pytest.mark.parametrize("path", ["held/call", "unknown/delete"])
    def test_what_does_not_exist_is_not_found(self, path: str, client, chief) -> None:
        assert as_user(client, chief).get(f"/telling/{path}/").status_code == 404

    @pytest.mark.parametrize("ids", ["", "abc", "1,,-4,99999999999999999999", "²"])
    def test_numbers_that_are_none_harm_nothing(self, ids: str, client, chief) -> None:
        unknown()
        as_user(client, chief)
        assert self.post(client, "call", ids=ids, reason="").status_code == 200
        assert self.ask(client, "call", id=ids).status_code in {200, 302}
