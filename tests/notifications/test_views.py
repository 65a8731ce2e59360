"""The outbox, the call list and the switch, as people use them."""

import re

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from notifications.calls import services as calls
from notifications.calls.queries import why_none
from notifications.models import Delivery, Notice, Reply, Sending
from notifications.telling.progress import progress
from staff.models import AuditEvent
from tests.builders import a_patient, a_practitioner, a_site, a_user, at
from tests.notifications.builders import SUNDAY, FakeGateway, a_call, a_notice, an_sms, send
from tests.notifications.screens import as_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]


class TestOutbox:
    def test_it_shows_the_message_as_the_phone_does_before_and_after_it_is_sent(
        self, client, chief
    ) -> None:
        an_sms()
        page = as_user(client, chief).get(reverse("outbox"))
        assert "est ANNULÉ. Ne venez pas" in page.content.decode()
        send(FakeGateway())
        page = client.get(reverse("outbox"))
        assert "est ANNULÉ. Ne venez pas" in page.content.decode()
        assert "remis à l&#x27;opérateur" in page.content.decode()

    def test_it_is_filtered_by_state_site_and_reference(self, client, chief) -> None:
        virton = a_site("virton")
        here, there = an_sms(), an_sms(a_notice(site=virton), state="queued")
        as_user(client, chief)

        def shown(**query) -> set[Delivery]:
            return set(client.get(reverse("outbox"), query).context["page"].items)

        assert shown() == {here, there}
        assert shown(state="queued") == {there}
        assert shown(site=virton.pk) == {there}
        assert shown(q=here.notice.reference.lower()) == {here}
        assert shown(q="2222-222") == set()

    def test_words_are_looked_for_in_the_messages_of_a_week_unless_a_day_is_chosen(
        self, client, chief
    ) -> None:
        new = an_sms(body="ANNULE", state="delivered")
        old = an_sms(
            a_notice(items=[("2022-05-02 09:10", "cancelled")]), body="ANNULE", state="delivered"
        )

        def shown(**query) -> tuple[list[Delivery], bool]:
            answer = as_user(client, chief).get(reverse("outbox"), query)
            return answer.context["page"].items, "Pour plus loin" in answer.content.decode()

        assert shown() == ([old, new], False)
        assert shown(text="annule") == ([new], True)
        assert shown(state="delivered") == ([new], True)
        assert shown(text="annule", day="2022-05-02") == ([old], False)
        assert shown(state="delivered", q=old.notice.reference) == ([old], False)

    def test_a_site_sees_its_own_messages_only(self, client) -> None:
        an_sms(a_notice(site=a_site("virton")))
        mine = an_sms()
        local = a_user("local", "crisis_cell", site=a_site("arlon"))
        page = as_user(client, local).get(reverse("outbox"))
        assert page.context["page"].items == [mine]

    def test_the_number_of_queries_does_not_grow_with_the_messages(
        self, client, chief, django_assert_max_num_queries
    ) -> None:
        for _ in range(25):
            an_sms()
        as_user(client, chief).get(reverse("outbox"))
        with django_assert_max_num_queries(25):
            client.get(reverse("outbox"))

    def test_one_notices_life_is_told_in_order_and_that_it_was_seen_is_recorded(
        self, client, chief
    ) -> None:
        sms = an_sms(state="failed", finished_at=at("2022-05-14 20:00"), failure="invalid_number")
        a_call(sms.notice)
        page = as_user(client, chief).get(reverse("message", args=[sms.pk])).content.decode()
        opened, failed = page.index("Patient à prévenir"), page.index("numéro invalide")
        assert opened < failed < page.index("téléphone")
        assert AuditEvent.objects.get().action == "notice.viewed"

    def test_a_message_of_another_site_is_not_found(self, client) -> None:
        sms = an_sms(a_notice(site=a_site("virton")))
        local = a_user("local", "crisis_cell", site=a_site("arlon"))
        answer = as_user(client, local).get(reverse("message", args=[sms.pk]))
        assert answer.status_code == 404


class TestCallList:
    def test_the_next_call_is_the_most_urgent_and_says_what_to_say(self, client, agent) -> None:
        patient = a_patient(language="nl", family_name="Peeters")
        a_call(a_notice(items=[("2022-05-16 11:00", "cancelled")]))
        urgent = a_call(a_notice(patient=patient, items=[("2022-05-16 08:00", "maintained")]))
        page = as_user(client, agent).post(reverse("call_take"), follow=True)
        assert page.redirect_chain[-1][0] == reverse("call", args=[urgent.pk])
        text = page.content.decode()
        assert "Die gaat door: kom zoals gepland" in text
        assert 'lang="nl"' in text
        assert f'href="tel:{patient.mobile}"' in text

    def test_an_empty_list_says_so(self, client, agent) -> None:
        page = as_user(client, agent).post(reverse("call_take"), follow=True)
        assert "est à appeler sur vos sites pour le moment" in page.content.decode()

    def test_reached_settles_the_notice_and_goes_back_to_the_list(self, client, agent) -> None:
        call = a_call()
        as_user(client, agent).post(reverse("call_take"))
        done = client.post(reverse("call", args=[call.pk]), {"result": "reached"})
        assert done.url == reverse("call_list")
        assert Notice.objects.get().state == "told"

    def test_a_call_back_is_asked_for_at_a_time_to_come(self, client, agent) -> None:
        call = a_call()
        as_user(client, agent).post(reverse("call_take"))
        later = {"result": "call_back_later", "call_at": "2022-05-15T08:00"}
        page = client.post(reverse("call", args=[call.pk]), later)
        assert page.status_code == 422
        assert "Cette heure est passée" in page.content.decode()
        client.post(reverse("call", args=[call.pk]), later | {"call_at": "2022-05-15T12:30"})
        assert Delivery.objects.get(state="queued").not_before == at("2022-05-15 12:30")

    def test_a_call_back_that_comes_too_late_is_said_at_its_field(self, client, agent) -> None:
        call = a_call()
        as_user(client, agent).post(reverse("call_take"))
        late = {"result": "call_back_later", "call_at": "2022-05-16T09:00", "remark": "sa fille"}
        page = client.post(reverse("call", args=[call.pk]), late)
        assert page.status_code == 422
        assert "Trop tard" in page.content.decode()
        assert "sa fille" in page.content.decode()

    @pytest.mark.parametrize("sent", [{}, {"result": "perhaps"}])
    def test_a_result_that_does_not_exist_is_refused_visibly(self, client, agent, sent) -> None:
        call = a_call()
        as_user(client, agent).post(reverse("call_take"))
        page = client.post(reverse("call", args=[call.pk]), sent)
        assert page.status_code == 422
        assert "Rien n&#x27;est noté" in page.content.decode()

    def test_several_days_of_one_patient_are_said_in_one_call(self, client, agent) -> None:
        patient = a_patient()
        days = [("2022-05-16 09:00", "cancelled"), ("2022-05-17 10:00", "maintained")]
        call, _other = (a_call(a_notice(patient=patient, items=[day])) for day in days)
        as_user(client, agent).post(reverse("call_take"))
        page = client.get(reverse("call", args=[call.pk])).content.decode()
        assert page.count('class="to-say"') == 2
        assert "Un seul appel" in page
        assert page.index("lundi 16 mai") < page.index("mardi 17 mai")
        client.post(reverse("call", args=[call.pk]), {"result": "reached"})
        assert set(Notice.objects.values_list("state", flat=True)) == {"told"}

    def test_it_says_which_try_it_is_and_why_it_cannot_wait(self, client, agent, sunday) -> None:
        sunday.move_to(at("2022-05-16 07:00"))
        call = a_call(number=2, urgency=81710)
        a_call(call.notice, state="failed", failure="no_answer", finished_at=SUNDAY)
        as_user(client, agent)
        for address in (reverse("call_list"), reverse("call", args=[call.pk])):
            page = client.get(address).content.decode()
            assert "essai 2 sur 3" in page
            assert "opération" in page
            assert "aujourd&#x27;hui à 9:10" in page

    def test_a_call_is_given_back(self, client, agent) -> None:
        call = a_call()
        as_user(client, agent).post(reverse("call_take"))
        assert "Rendre à la liste" in client.get(reverse("call", args=[call.pk])).content.decode()
        done = client.post(reverse("call_give_back", args=[call.pk]))
        assert done.url == reverse("call_list")
        assert Delivery.objects.get().state == "queued"

    def test_a_lease_that_ran_out_lets_anybody_take_the_call(self, client, agent, sunday) -> None:
        call = a_call()
        calls.take_next(by=a_user("other", "call_agent"))
        sunday.shift(16 * 60)
        as_user(client, agent)
        assert "est en train d" not in client.get(reverse("call_list")).content.decode()
        page = client.get(reverse("call", args=[call.pk])).content.decode()
        assert "Prendre cet appel" in page

    def test_the_page_of_a_call_asks_as_much_for_one_day_as_for_several(
        self, client, agent, django_assert_max_num_queries
    ) -> None:
        patient = a_patient()
        first = a_call(a_notice(patient=patient))
        a_call(a_notice(patient=patient, items=[("2022-05-17 09:00", "cancelled")]))
        address = reverse("call", args=[first.pk])
        as_user(client, agent).get(address)
        with CaptureQueriesContext(connection) as two_days:
            client.get(address)
        number = len(two_days)
        for day in range(18, 23):
            a_call(a_notice(patient=patient, items=[(f"2022-05-{day} 09:00", "cancelled")]))
        with django_assert_max_num_queries(number):
            client.get(address)

    def test_a_call_withdrawn_meanwhile_says_what_to_do(self, client, agent) -> None:
        call = a_call()
        as_user(client, agent).post(reverse("call_take"))
        now = at("2022-05-15 09:00")
        Delivery.objects.update(state="withdrawn", lease_until=None, finished_at=now)
        Notice.objects.update(state="withdrawn", settled_at=now)
        page = client.post(reverse("call", args=[call.pk]), {"result": "reached"}, follow=True)
        assert "regardez ce qui vaut maintenant" in page.content.decode()

    def test_a_colleagues_call_cannot_be_taken_and_its_page_says_who_has_it(
        self, client, agent
    ) -> None:
        call = a_call()
        other = a_user("other", "call_agent")
        as_user(client, other).post(reverse("call_take"))
        as_user(client, agent)
        page = client.post(reverse("call_take"), {"delivery": call.pk}, follow=True)
        assert "other est en train d" in page.content.decode()
        page = client.get(reverse("call", args=[call.pk]))
        assert 'value="reached"' not in page.content.decode()

    def test_a_call_of_another_site_is_not_found(self, client) -> None:
        call = a_call(a_notice(site=a_site("virton")))
        local = a_user("local", "call_agent", site=a_site("arlon"))
        as_user(client, local)
        assert client.get(reverse("call", args=[call.pk])).status_code == 404
        assert client.post(reverse("call_take"), {"delivery": call.pk}).status_code == 404
        assert list(client.get(reverse("call_list")).context["page"].items) == []

    def test_it_leads_to_what_patients_wrote_back(self, client, agent) -> None:
        Reply.objects.create(
            gateway="fake",
            key="1",
            meaning="other",
            notice=a_notice(),
            received_at=SUNDAY,
        )
        page = as_user(client, agent).get(reverse("call_list"))
        assert "1 réponse d'un patient à traiter" in page.content.decode()

    def test_the_number_of_queries_does_not_grow_with_the_calls(
        self, client, agent, django_assert_max_num_queries
    ) -> None:
        for _ in range(30):
            a_call()
        as_user(client, agent).get(reverse("call_list"))
        with django_assert_max_num_queries(25):
            page = client.get(reverse("call_list"))
        assert len(page.context["page"].items) == 30


class TestTheSwitch:
    def test_pause_and_resume(self, client, chief) -> None:
        as_user(client, chief).post(reverse("sending_pause"))
        assert Sending.is_paused()
        client.post(reverse("sending_resume"))
        assert not Sending.is_paused()
        actions = list(AuditEvent.objects.order_by("sequence").values_list("action", flat=True))
        assert actions == ["sending.paused", "sending.resumed"]

    def test_release_lets_the_held_ones_go(self, client, chief) -> None:
        sms = an_sms(not_before=at("2022-05-15 18:00"))
        as_user(client, chief).post(reverse("sending_release"))
        sms.refresh_from_db()
        assert (sms.state, sms.not_before) == ("queued", at("2022-05-15 09:00"))

    def test_release_lets_the_landlines_of_the_same_bulletin_be_called(self, client, chief) -> None:
        evening = at("2022-05-15 18:00")
        landline = a_call(not_before=evening)
        an_sms(not_before=evening)
        answer = as_user(client, chief).post(reverse("sending_release"), follow=True)
        said = " ".join(str(one) for one in answer.context["messages"])
        assert said == "1 SMS part maintenant. 1 patient est à appeler maintenant."
        landline.refresh_from_db()
        assert (landline.state, landline.not_before) == ("queued", at("2022-05-15 09:00"))
        event = AuditEvent.objects.get(action="sending.released")
        assert (event.detail["messages"], event.detail["calls"]) == (1, 1)

    def test_landlines_alone_are_released_too(self, client, chief) -> None:
        landline = a_call(not_before=at("2022-05-15 18:00"))
        page = as_user(client, chief).get(reverse("telling")).content.decode()
        assert 'id="sending-release"' in page
        client.post(reverse("sending_release"))
        landline.refresh_from_db()
        assert landline.not_before == at("2022-05-15 09:00")
        assert 'id="sending-release"' not in client.get(reverse("telling")).content.decode()

    def test_what_a_doctor_or_the_patient_chose_keeps_its_time(self, client, chief) -> None:
        evening = at("2022-05-15 18:00")
        a_call(a_notice(reserved_for=a_practitioner()), not_before=evening)
        a_call(number=2, not_before=evening)
        assert as_user(client, chief).post(reverse("sending_release")).status_code == 409
        assert set(Delivery.objects.values_list("not_before", flat=True)) == {evening}

    def test_every_number_of_calls_leaves_those_of_doctors_apart(self, client, chief, capsys):
        evening = at("2022-05-15 18:00")
        for _ in range(3):
            a_call(not_before=evening)
        a_call(a_notice(reserved_for=a_practitioner()), not_before=evening)
        and_one = "et 1 que son médecin appelle"
        as_user(client, chief)
        for name in ("board", "telling"):
            page = client.get(reverse(name))
            tile = re.search(r'id="tile-calls"[^<]*|<dd>\s*3\s*</dd>', page.content.decode())
            assert tile, name
            assert and_one in page.content.decode()
        page = " ".join(client.get(reverse("sending_release")).content.decode().split())
        assert "<strong>3</strong> patients sont à appeler tout de suite" in page
        assert "<strong>1</strong> autre reste à son médecin, qui l'appelle." in page
        call_command("notices")
        assert f"Appels à passer : 3, {and_one}" in capsys.readouterr().out
        as_user(client, a_user("agent", "call_agent"))
        page = " ".join(client.get(reverse("call_list")).content.decode().split())
        assert re.search(rf"3 appels à passer, dont 0 maintenant, <a [^>]*>{and_one}</a>\.", page)
        assert "3 appels attendent leur heure" in page
        for show, number in (("all", 3), ("doctors", 1)):
            answer = client.get(reverse("call_list"), {"show": show})
            assert len(answer.context["page"].items) == number

    def test_at_their_hour_the_calls_of_doctors_are_ours(self, client, chief, sunday) -> None:
        a_call(a_notice(reserved_for=a_practitioner()), not_before=at("2022-05-15 18:00"))
        assert (progress().calls_left, progress().calls_by_doctors) == (0, 1)
        assert "le médecin du seul patient à prévenir l'appelle" in why_none(chief)
        sunday.move_to(at("2022-05-15 18:00"))
        assert (progress().calls_left, progress().calls_by_doctors) == (1, 0)

    def test_nothing_to_release_is_said(self, client, chief) -> None:
        answer = as_user(client, chief).post(reverse("sending_release"))
        assert answer.status_code == 409

    def test_who_holds_the_role_at_one_site_only_cannot_stop_the_group(self, client) -> None:
        local = a_user("local", "crisis_cell", site=a_site("arlon"))
        assert as_user(client, local).post(reverse("sending_pause")).status_code == 403
        assert not Sending.is_paused()

    def test_a_link_cannot_press_the_button(self, client, chief) -> None:
        assert as_user(client, chief).get(reverse("sending_pause")).status_code == 405


ALLOWED = {
    "outbox": {"crisis_cell", "auditor"},
    "message": {"crisis_cell", "auditor", "call_agent"},
    "call_list": {"crisis_cell", "call_agent"},
    "call": {"crisis_cell", "call_agent"},
}


@pytest.mark.parametrize("name", ALLOWED)
def test_each_page_opens_for_its_roles_and_no_other(name, client, every_role) -> None:
    row = a_call() if name == "call" else an_sms()
    address = reverse(name, args=[row.pk] if name in {"message", "call"} else [])
    assert client.get(address).status_code == 302
    opened = set()
    for role, user in every_role.items():
        status = as_user(client, user).get(address).status_code
        assert status in {200, 403}
        opened |= {role} if status == 200 else set()
    assert opened == ALLOWED[name]
