"""Withdrawing: two persons, what holds then, what comes back, whom it makes call."""

import datetime as dt
from html import unescape

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from appointments.board.queries import board
from appointments.bulletins import withdrawals
from appointments.bulletins.preview import withdrawal
from appointments.bulletins.queries import restorable
from appointments.decisions import keeping, rulings
from appointments.models import Bulletin
from appointments.operations import services as operations
from appointments.rules import ClauseTerms, Heard, told_over
from appointments.vocabulary import Basis, Outcome
from notifications.models import Delivery, Notice
from notifications.telling.progress import holding_untrue
from notifications.vocabulary import Channel
from staff.errors import AccessRefused, Refusal
from staff.models import AuditEvent
from tests.appointments.bulletins.builders import SATURDAY_NOON, THE_DAY, in_force, withdrawn
from tests.appointments.bulletins.builders import somebody_in_the_crisis_cell as somebody
from tests.appointments.bulletins.pages import crisis, page, text_of
from tests.builders import (
    MONDAY,
    a_patient,
    a_practitioner,
    a_unit,
    a_user,
    an_appointment,
    at,
)
from tests.pages import fields_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]
TUESDAY, WEDNESDAY = MONDAY + dt.timedelta(days=1), MONDAY + dt.timedelta(days=2)
CANCELS = ClauseTerms("cancel", "cancelled", services=("consultation",))
MAINTAINS = ClauseTerms("maintain", "nobody")


def asked(bulletin: Bulletin, by: str = "crise1", **more) -> Bulletin:
    return withdrawals.ask_withdrawal(
        bulletin_id=bulletin.pk, by=somebody(by), reason="Serveurs rétablis", **more
    )


def tell_all() -> None:
    """Let every open notice have been told by an SMS that arrived."""
    Notice.objects.filter(state="open").update(
        state="told", handed_over_at=SATURDAY_NOON, settled_at=SATURDAY_NOON
    )
    Delivery.objects.filter(notice__state="told").update(
        state="delivered", submitted_at=SATURDAY_NOON, finished_at=SATURDAY_NOON
    )


class TestTwoPersons:
    def test_one_asks_and_nothing_changes_until_another_does_it(self) -> None:
        appointment = an_appointment()
        bulletin = asked(in_force())
        appointment.refresh_from_db()
        assert (bulletin.state, appointment.outcome) == ("in_force", "cancelled")
        with pytest.raises(Refusal, match="un autre membre de la cellule doit le confirmer"):
            withdrawals.withdraw(bulletin_id=bulletin.pk, by=somebody("crise1"))
        gone = withdrawals.withdraw(bulletin_id=bulletin.pk, by=somebody("crise2"))
        appointment.refresh_from_db()
        assert (gone.state, appointment.outcome) == ("withdrawn", "maintained")
        assert withdrawals.withdraw(bulletin_id=bulletin.pk, by=somebody("crise3")) == gone

    def test_what_nobody_asked_for_is_not_done(self) -> None:
        bulletin = in_force()
        with pytest.raises(Refusal, match="Personne n'a demandé"):
            withdrawals.withdraw(bulletin_id=bulletin.pk, by=somebody("crise2"))
        asked(bulletin)
        withdrawals.drop_withdrawal(bulletin_id=bulletin.pk, by=somebody("crise2"))
        with pytest.raises(Refusal, match="Personne n'a demandé"):
            withdrawals.withdraw(bulletin_id=bulletin.pk, by=somebody("crise2"))

    def test_what_was_asked_otherwise_since_is_read_again(self, saturday_noon) -> None:
        bulletin = asked(in_force())
        read_at = bulletin.withdrawal_asked_at
        saturday_noon.shift(60)
        asked(bulletin, by="crise3")
        with pytest.raises(Refusal, match="crise3 a demandé ce retrait autrement"):
            withdrawals.withdraw(bulletin_id=bulletin.pk, by=somebody("crise2"), asked_at=read_at)

    def test_a_bulletin_that_is_superseded_meanwhile_is_not_asked_for_any_more(self) -> None:
        bulletin = asked(in_force())
        in_force(MAINTAINS)
        bulletin.refresh_from_db()
        assert (bulletin.state, bulletin.withdrawal_asked_at) == ("superseded", None)

    def test_only_the_crisis_cell_and_only_with_a_reason(self) -> None:
        bulletin = in_force()
        nurse = a_user("n", "nurse")
        for do in (withdrawals.withdraw, withdrawals.drop_withdrawal):
            with pytest.raises(AccessRefused):
                do(bulletin_id=bulletin.pk, by=nurse)
        with pytest.raises(Refusal, match="Indiquez pourquoi"):
            withdrawals.ask_withdrawal(bulletin_id=bulletin.pk, by=somebody("crise1"), reason=" ")

    def test_the_database_keeps_it(self) -> None:
        bulletin = asked(in_force())
        with pytest.raises(IntegrityError), transaction.atomic():
            Bulletin.objects.filter(pk=bulletin.pk).update(
                state="withdrawn", withdrawn_by=somebody("crise1"), withdrawn_at=SATURDAY_NOON
            )
        with pytest.raises(IntegrityError), transaction.atomic():
            Bulletin.objects.filter(pk=bulletin.pk).update(withdrawal_asked_by=None)

    def test_as_planned_is_said_only_where_it_is_so(self) -> None:
        an_appointment()
        operation = an_appointment(service="surgery")
        bulletin = in_force()
        director = a_user("director", "medical_director")

        def shown() -> str:
            client = crisis("crise1")
            names = (("board",), ("bulletins",), ("bulletin_withdraw", bulletin.pk))
            return unescape(" ".join(text_of(page(client, *one)) for one in names))

        assert "Lundi 16 mai : tout a lieu comme prévu" in " ".join(shown().split())
        operations.rule(
            appointment_id=operation.pk, outcome="cancelled", reason="Trop risqué", by=director
        )
        said = " ".join(shown().split())
        assert "tout a lieu comme prévu" not in said
        assert "l'agenda vaut, sauf pour 1 rendez-vous que décide une personne" in said
        withdrawn(bulletin.pk)
        said = " ".join(shown().split())
        assert "comme prévu" not in said
        assert "Pourtant des rendez-vous ne suivent pas l'agenda" in said
        assert said.count("Pourtant des rendez-vous") == 2

    def test_without_a_bulletin_nobody_may_still_believe_the_contrary(self) -> None:
        an_appointment()
        bulletin = in_force()
        tell_all()
        withdrawn(bulletin.pk)
        assert "comme prévu" not in text_of(page(crisis(), "board"))
        assert "comme prévu" not in text_of(page(crisis(), "bulletins"))

    def test_the_pages_lead_both_through_it(self) -> None:
        an_appointment()
        bulletin = in_force()
        tell_all()
        address = reverse("bulletin_withdraw", args=[bulletin.pk])
        first, second = crisis("crise1"), crisis("crise2")
        shown = text_of(first.get(address))
        assert "Lundi 16 mai" in shown
        assert "tout a lieu comme prévu" not in shown  # somebody believes the contrary
        assert "l'agenda vaut de nouveau" in unescape(shown)
        assert "; 1 patient ne le sait pas encore" in shown
        assert "<strong>1</strong> patient à appeler" in shown
        assert "environ 3 min d'appels" in " ".join(shown.split())
        first.post(address, {"reason": "Serveurs rétablis"})
        assert "Confirmer le retrait" not in text_of(first.get(address))
        assert "retrait demandé par crise1" in text_of(page(second, "board"))
        fields = fields_of(text_of(second.get(address)), having="asked_at")
        answer = second.post(address, fields | {"confirm": "1"})
        assert answer.url == reverse("bulletin", args=[bulletin.pk])
        shown = text_of(page(second, "bulletin", bulletin.pk))
        assert "Retrait demandé par crise1" in shown
        assert "Retiré par crise2" in shown

    def test_it_can_be_left_in_force(self) -> None:
        bulletin = asked(in_force())
        crisis().post(reverse("bulletin_withdraw", args=[bulletin.pk]), {"drop": "1"})
        bulletin.refresh_from_db()
        assert not bulletin.waits_for_withdrawal
        shown = text_of(page(crisis(), "bulletin", bulletin.pk))
        assert "Retrait abandonné par crise2" in shown


class TestWhatComesBack:
    def test_the_earlier_bulletin_rules_again_by_both_persons(self) -> None:
        appointment = an_appointment()
        old = in_force(CANCELS)
        new = in_force(MAINTAINS)
        assert restorable(new) == [old]
        asked(new, restores=old.pk)
        withdrawals.withdraw(bulletin_id=new.pk, by=somebody("crise2"))
        appointment.refresh_from_db()
        old.refresh_from_db()
        assert (appointment.outcome, old.state) == ("cancelled", "in_force")
        assert (old.restored_by, old.restored_at) == (somebody("crise2"), SATURDAY_NOON)
        event = AuditEvent.objects.get(action="bulletin.restored")
        assert (event.object_id, event.detail["asked_by"]) == (str(old.pk), "crise1")
        assert "Remis en vigueur par crise1 et crise2" in text_of(
            page(crisis(), "bulletin", old.pk)
        )

    def test_it_takes_no_day_from_one_that_was_approved_after_it(self) -> None:
        monday, tuesday = (an_appointment(starts=f"2022-05-{day} 09:00") for day in (16, 17))
        old = in_force(CANCELS, last_day=TUESDAY)
        new = in_force(MAINTAINS)
        later = in_force(MAINTAINS, first_day=TUESDAY)
        assert Bulletin.objects.get(pk=old.pk).state == "superseded"
        effect = withdrawal(new.pk, restored=old)
        assert [(one.day, one.ruling) for one in effect.days] == [(MONDAY, old)]
        withdrawn(new.pk, restores=old.pk)
        monday.refresh_from_db(), tuesday.refresh_from_db()
        assert (monday.outcome, tuesday.outcome) == ("cancelled", "maintained")
        assert Bulletin.objects.get(pk=later.pk).state == "in_force"

    def test_each_day_says_what_rules_it_then(self) -> None:
        old = in_force(CANCELS, last_day=WEDNESDAY)
        new = in_force(MAINTAINS, first_day=TUESDAY, last_day=TUESDAY)
        then = [[(one.day, one.ruling) for one in withdrawal(pk).days] for pk in (new.pk, old.pk)]
        assert then == [[(TUESDAY, old)], [(MONDAY, None), (TUESDAY, new), (WEDNESDAY, None)]]

    def test_an_older_one_is_offered_where_the_last_three_would_rule_nothing(self) -> None:
        old = in_force(CANCELS)
        for _ in range(3):
            in_force(CANCELS, first_day=TUESDAY, last_day=TUESDAY)
        new = in_force(MAINTAINS, last_day=TUESDAY)
        in_force(MAINTAINS, first_day=TUESDAY, last_day=TUESDAY)
        assert restorable(new) == [old]

    def test_what_would_rule_nothing_is_not_offered(self, saturday_noon) -> None:
        old, new = in_force(CANCELS), in_force(MAINTAINS)
        other = in_force(CANCELS, first_day=WEDNESDAY)
        for number in (other.pk, new.pk, 9999):
            with pytest.raises(Refusal, match="ne peut pas être remis en vigueur"):
                asked(new, restores=number)
        saturday_noon.move_to(at("2022-05-17 08:00"))
        assert restorable(new) == []
        assert old.pk < new.pk

    @pytest.mark.parametrize("comes_back", [False, True])
    def test_the_numbers_are_those_of_doing_it(self, comes_back: bool) -> None:
        for hour in (9, 10, 11):
            an_appointment(starts=f"2022-05-16 {hour:02}:00")
        old = in_force(CANCELS)
        tell_all()
        an_appointment(starts="2022-05-16 14:00", service="radiology")
        new = in_force(MAINTAINS)
        restored = old if comes_back else None
        seen = withdrawal(new.pk, restored=restored)
        last = max(Notice.objects.values_list("pk", flat=True))
        withdrawn(new.pk, restores=restored.pk if restored else None)
        opened = Notice.objects.filter(pk__gt=last)
        assert seen.patients_to_tell == opened.count()
        calls = Delivery.objects.filter(notice__in=opened, channel="phone").count()
        assert seen.by_phone == calls
        assert seen.call_seconds == calls * 180


class TestWhoKnows:
    def test_who_heard_the_contrary_is_still_to_be_told(self) -> None:
        for hour in (9, 10):
            an_appointment(starts=f"2022-05-16 {hour:02}:00")
        bulletin = in_force(CANCELS)
        tell_all()
        withdrawn(bulletin.pk)
        for name in ("board", "telling"):
            shown = " ".join(text_of(page(crisis(), name)).split())
            assert "<span>Patients prévenus</span> <strong> 0 sur 2 </strong>" in shown


class TestMaintainedBySms:
    """Who hears "maintained after all" by SMS, when whoever withdraws chose it."""

    def channels(self) -> set[tuple[str, str]]:
        live = Delivery.objects.filter(notice__state="open")
        return set(live.values_list("notice__patient__family_name", "channel"))

    def test_only_where_the_first_message_arrived_for_certain(self) -> None:
        for name in ("SURE", "DOUBT"):
            an_appointment(patient=a_patient(family_name=name))
        bulletin = in_force(CANCELS)
        tell_all()
        doubtful = Delivery.objects.filter(notice__patient__family_name="DOUBT")
        doubtful.update(state="accepted", finished_at=None)
        Notice.objects.filter(patient__family_name="DOUBT").update(state="open", settled_at=None)
        seen = withdrawal(bulletin.pk, by_sms=True)
        assert (seen.by_sms, seen.by_phone) == (1, 1)
        withdrawn(bulletin.pk, by_sms=True)
        waiting = Delivery.objects.filter(state__in=["held", "queued"])
        assert set(waiting.values_list("notice__patient__family_name", "channel")) == {
            ("SURE", "sms"),
            ("DOUBT", "phone"),
        }

    def test_without_the_choice_everybody_is_called(self) -> None:
        an_appointment(patient=a_patient(family_name="SURE"))
        bulletin = in_force(CANCELS)
        tell_all()
        withdrawn(bulletin.pk)
        assert self.channels() == {("SURE", "phone")}

    def test_the_choice_outlives_a_later_load(self) -> None:
        appointment = an_appointment(patient=a_patient(family_name="SURE"))
        bulletin = in_force(CANCELS)
        tell_all()
        withdrawn(bulletin.pk, by_sms=True)
        rulings.rule_on(appointment_ids=[appointment.pk])
        assert self.channels() == {("SURE", "sms")}

    def test_what_a_doctor_keeps_stays_by_phone(self) -> None:
        doctor = a_practitioner()
        appointment = an_appointment(practitioner=doctor)
        old = in_force(CANCELS)
        tell_all()
        withdrawn(old.pk, by_sms=True)
        in_force(*THE_DAY)
        tell_all()
        user = a_user("doctor", "doctor")
        doctor.user = user
        doctor.save()
        keeping.keep(appointment_id=appointment.pk, by=user)
        waiting = Delivery.objects.filter(notice__state="open")
        assert set(waiting.values_list("channel", flat=True)) == {"phone"}

    @pytest.mark.parametrize("basis", list(Basis))
    @pytest.mark.parametrize("word", [None, *Outcome])
    def test_the_rule_answers_sms_for_a_cancellation_that_arrived_and_no_persons_word(
        self, basis: Basis, word: Outcome | None
    ) -> None:
        told = told_over(
            clause=None,
            service="consultation",
            outcome=Outcome.MAINTAINED,
            basis=basis,
            heard=Heard(word, says_so=word == Outcome.MAINTAINED),
            back_by_sms=True,
        )
        by_sms = word == Outcome.CANCELLED and basis != Basis.PERSON
        assert (told is not None and told.channel == Channel.SMS) == by_sms


class TestUntrueMessages:
    def test_the_board_says_so_until_the_last_has_heard(self) -> None:
        appointment = an_appointment()
        bulletin = in_force()
        watcher = somebody("crise2")
        assert (holding_untrue(), board(watcher).untrue) == (0, 0)
        tell_all()
        assert holding_untrue() == 0
        withdrawn(bulletin.pk)
        assert (holding_untrue(), board(watcher).untrue) == (1, 1)
        assert "tient de nous un message" in text_of(page(crisis(), "board"))
        call = Notice.objects.get(state="open", patient=appointment.patient)
        Notice.objects.filter(pk=call.pk).update(state="unreachable", settled_at=SATURDAY_NOON)
        assert holding_untrue() == 1
        Notice.objects.filter(pk=call.pk).update(state="told", handed_over_at=SATURDAY_NOON)
        assert holding_untrue() == 0
        assert "tient de nous un message" not in text_of(page(crisis(), "board"))


class TestDecisionsOfPersons:
    def cancelled_by_the_director(self):
        operation = an_appointment(unit=a_unit("arlon-bloc"), service="surgery")
        bulletin = in_force(*THE_DAY)
        director = a_user("director", "medical_director")
        operations.rule(
            appointment_id=operation.pk, by=director, outcome="cancelled", reason="Lits"
        )
        return operation, bulletin

    def test_they_are_counted_and_can_be_sent_back_with_the_withdrawal(self) -> None:
        operation, bulletin = self.cancelled_by_the_director()
        shown = text_of(page(crisis(), "bulletin_withdraw", bulletin.pk))
        assert "director : 1 annulation" in shown
        withdrawn(bulletin.pk, sends_decisions_back=True)
        operation.refresh_from_db()
        assert operation.outcome == "under_review"

    def test_the_board_counts_what_stands_without_a_bulletin_and_sends_it_back(self) -> None:
        operation, bulletin = self.cancelled_by_the_director()
        watcher = somebody("crise2")
        assert board(watcher).standing_decisions == 0
        withdrawn(bulletin.pk)
        assert board(watcher).standing_decisions == 1
        assert "tient sur un jour sans bulletin" in text_of(page(crisis(), "board"))
        address = reverse("standing_decisions")
        assert "director : 1 annulation" in text_of(crisis().get(address))
        assert crisis().post(address, {"reason": " "}).status_code == 422
        with pytest.raises(Refusal, match="Indiquez pourquoi"):
            keeping.send_back_unruled(by=watcher, reason=" ")
        crisis().post(address, {"reason": "Le bloc rouvre"})
        operation.refresh_from_db()
        assert operation.outcome == "under_review"
        assert board(watcher).standing_decisions == 0
        assert keeping.unruled_days() == []
