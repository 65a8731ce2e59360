"""A doctor's day: the cards, its days, and the days of who delegated theirs."""

from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse

from appointments.models import Appointment, Bulletin
from appointments.rules import ClauseTerms
from patients.models import Patient
from staff.models import AuditEvent, Delegation, Practitioner
from tests.appointments.bulletins.builders import SATURDAY_NOON, THE_DAY, in_force, withdrawn
from tests.appointments.operations.builders import an_operation
from tests.builders import a_patient, a_practitioner, a_unit, a_user, an_appointment, at
from tests.page_rules import faults_of
from tests.pages import HTMX, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]


@pytest.fixture
def client(doctor) -> Client:
    return signed_in(doctor)


@pytest.fixture
def consultation(doctor) -> Appointment:
    """Return a consultation of the doctor that the bulletin cancels."""
    patient = a_patient(family_name="Lambert", mobile="+32495123456", landline="+3263223344")
    made = an_appointment(
        practitioner=doctor.practitioner,
        patient=patient,
        act="Contrôle du plâtre",
        protected_groups="cast",
        priority="urgent",
    )
    in_force()
    made.refresh_from_db()
    return made


class TestTheDay:
    def test_a_card_says_what_is_needed_to_judge(self, client, consultation):
        page = client.get(reverse("doctor_day")).content.decode()
        for words in (
            "Lundi 16 mai",
            "09:10",
            "LAMBERT Anne",
            "62 ans",
            "Contrôle du plâtre",
            "plâtre",
            "urgente",
            'href="tel:+32495123456"',
            "0495 12 34 56",
            'href="tel:+3263223344"',
            "Annulé",
            ">1 j 6 h</time>",
            "Garder",
        ):
            assert words in page, words

    def test_only_what_a_bulletin_touches_from_today_on_is_listed(self, client, doctor):
        own = doctor.practitioner
        touched = an_appointment(practitioner=own)
        an_appointment(practitioner=own, starts="2022-05-17 09:00")
        an_appointment(practitioner=own, starts="2022-05-13 09:00")
        an_appointment(practitioner=own, status="cancelled")
        an_appointment(practitioner=a_practitioner("dr-2"))
        in_force()
        cards = client.get(reverse("doctor_day")).context["cards"]
        assert [card.appointment.pk for card in cards] == [touched.pk]

    def test_a_day_without_a_bulletin_says_that_all_is_as_planned(self, client, doctor):
        an_appointment(practitioner=doctor.practitioner)
        assert "Aucun bulletin ne touche" in client.get(reverse("doctor_day")).content.decode()

    def test_without_any_known_appointment_nothing_is_promised(self, client):
        page = client.get(reverse("doctor_day")).content.decode()
        assert "Aucun rendez-vous à venir n'est connu" in page.replace("&#x27;", "'")
        assert "comme prévu" not in page

    def test_a_sign_in_without_a_practitioner_is_told_what_to_do(self):
        client = signed_in(a_user("new", "doctor"))
        page = client.get(reverse("doctor_day")).content.decode()
        assert "Votre compte n'est lié à aucun praticien" in page

    def test_looking_is_recorded(self, client, consultation, doctor):
        client.get(reverse("doctor_day"))
        seen = AuditEvent.objects.get(action="doctor_day.viewed")
        assert (seen.actor, seen.object_id) == (doctor, str(doctor.practitioner.pk))

    def test_the_number_of_queries_does_not_grow_with_the_patients(
        self, client, doctor, django_assert_max_num_queries
    ):
        queries = []
        for day, rows in (("2022-05-16", 1), ("2022-05-17", 9)):
            for _ in range(rows):
                an_appointment(practitioner=doctor.practitioner, starts=f"{day} 09:00")
            in_force(first_day=at(f"{day} 00:00").date())
            with django_assert_max_num_queries(40) as counted:
                client.get(reverse("doctor_day"))
            queries.append(len(counted))
        assert queries[0] == queries[1]


class TestOtherVisits:
    def card(self, client):
        return client.get(reverse("doctor_day")).context["cards"][0]

    def test_a_card_says_where_else_the_patient_is_expected_but_not_what_for(
        self, client, consultation
    ):
        virton = a_unit("virton-onco", site="virton")
        an_appointment(
            patient=consultation.patient,
            unit=virton,
            starts="2022-05-18 14:00",
            act="Chimiothérapie",
            practitioner=a_practitioner("dr-9"),
        )
        page = client.get(reverse("doctor_day")).content.decode()
        others = page.partition("Autres rendez-vous")[2].partition("</ul>")[0]
        assert "mer 18/05 14:00" in others.lower()
        assert "Virton" in others
        for secret in ("Chimio", "onco", "DR-9"):
            assert secret not in page

    def test_three_are_shown_and_the_others_counted(self, client, consultation):
        for day in (15, 16, 17, 18, 19):
            an_appointment(patient=consultation.patient, starts=f"2022-05-{day} 14:00")
        assert [one.day.day for one in self.card(client).others.shown] == [15, 16, 17]
        assert "et 2 autres" in client.get(reverse("doctor_day")).content.decode()

    def test_what_is_far_called_off_past_or_another_s_is_left_out(self, client, consultation):
        own = {"patient": consultation.patient}
        an_appointment(**own, starts="2022-05-24 09:10")
        an_appointment(**own, starts="2022-05-13 09:10")
        an_appointment(**own, starts="2022-05-17 09:10", status="cancelled")
        an_appointment(starts="2022-05-17 09:10")
        assert self.card(client).others.shown == ()
        assert "Autres rendez-vous" not in client.get(reverse("doctor_day")).content.decode()

    def test_the_card_names_the_language(self, client, consultation):
        Patient.objects.update(language="de")
        assert "62 ans, allemand" in client.get(reverse("doctor_day")).content.decode()


class TestTheDays:
    @pytest.fixture
    def two_days(self, doctor) -> None:
        for day, patients in (("2022-05-16", 1), ("2022-05-17", 2)):
            for _ in range(patients):
                an_appointment(practitioner=doctor.practitioner, starts=f"{day} 09:00")
            in_force(first_day=at(f"{day} 00:00").date())

    def test_the_strip_says_how_many_patients_each_day_has(self, client, two_days):
        page = client.get(reverse("doctor_day"))
        days = [(one.day.day, one.patients) for one in page.context["days"]]
        assert days == [(16, 1), (17, 2)]
        assert "practitioner=dr-1&amp;day=2022-05-17" in page.content.decode()

    def test_a_day_shows_its_own_and_keeps_the_counts_of_all(self, client, two_days):
        page = client.get(reverse("doctor_day"), {"day": "2022-05-17"})
        assert [card.appointment.day.day for card in page.context["cards"]] == [17, 17]
        assert page.context["counts"].touched == 3
        assert 'aria-current="date"' in page.content.decode()

    @pytest.mark.parametrize("day", ["", "x", "2022-06-01"])
    def test_a_day_without_anybody_shows_all_days(self, client, two_days, day):
        page = client.get(reverse("doctor_day"), {"day": day})
        assert len(page.context["cards"]) == 3

    def test_a_single_day_needs_no_strip(self, client, consultation):
        assert "days-strip" not in client.get(reverse("doctor_day")).content.decode()


class TestWhatComesFirst:
    """Days of withdrawn bulletins filled the page, and what can still be kept stood below them."""

    @pytest.fixture
    def days(self, doctor) -> dict[int, Appointment]:
        """Return an appointment a day: Monday's bulletin is withdrawn, Thursday's comes first."""
        made = {
            day: an_appointment(practitioner=doctor.practitioner, starts=f"2022-05-{day} 09:00")
            for day in (16, 17, 18, 19)
        }
        for day, hour in ((16, 18), (17, 18), (18, None), (19, 16)):
            clause = ClauseTerms(
                "cancel",
                "cancelled",
                kept_by="doctor" if hour else "nobody",
                keep_until=at(f"2022-05-15 {hour}:00") if hour else None,
                services=("consultation",),
            )
            found = in_force(clause, first_day=at(f"2022-05-{day} 00:00").date())
            if day == 16:
                withdrawn(found.pk)
        return made

    def shown(self, page) -> list[int]:
        return [card.appointment.day.day for card in page.context["cards"]]

    def test_decisions_by_deadline_then_days_that_a_bulletin_rules(self, client, days):
        page = client.get(reverse("doctor_day"))
        assert self.shown(page) == [19, 17, 18]
        text = " ".join(page.content.decode().split())
        assert "à décider avant dim 15/05 16:00" in text
        assert text.index("avant dim 15/05 16:00") < text.index("avant dim 15/05 18:00")
        assert page.context["counts"].touched == 3

    def test_what_a_withdrawn_bulletin_ruled_is_folded_away(self, client, days):
        page = client.get(reverse("doctor_day"))
        folded = page.content.decode().split('class="panel lapsed"')[1]
        assert reverse("appointment", args=[days[16].pk]) in folded
        assert [one.day.day for one in page.context["days"]] == [17, 18, 19]
        assert faults_of(page.content.decode()) == []

    def test_what_was_decided_goes_after_what_waits(self, client, days):
        client.post(reverse("keep", args=[days[19].pk]))
        assert self.shown(client.get(reverse("doctor_day"))) == [17, 18, 19]

    def test_the_pages_follow_each_other_without_a_gap(self, client, days, monkeypatch):
        monkeypatch.setattr("appointments.doctors.views.PAGE_SIZE", 1)
        seen, cursor = [], ""
        for _ in range(3):
            page = client.get(reverse("doctor_day"), {"cursor": cursor})
            seen += self.shown(page)
            cursor = page.context["page"].next_cursor
        assert (seen, cursor) == ([19, 17, 18], "")

    def test_only_a_withdrawn_bulletin_is_no_bulletin(self, client, days):
        for found in Bulletin.objects.filter(state="in_force"):
            withdrawn(found.pk)
        text = client.get(reverse("doctor_day")).content.decode()
        assert "Aucun bulletin ne touche vos rendez-vous à venir" in text
        assert "4 rendez-vous dont le bulletin ne vaut plus" in text


class TestInSomebodysName:
    @pytest.fixture
    def other(self, doctor) -> Practitioner:
        other = a_practitioner("dr-2")
        Delegation.objects.create(practitioner=other, delegate=doctor, given_at=SATURDAY_NOON)
        return other

    def test_the_own_day_comes_first_and_the_others_can_be_chosen(self, client, doctor, other):
        an_appointment(practitioner=other)
        in_force()
        own = client.get(reverse("doctor_day"))
        assert own.context["practitioner"] == doctor.practitioner
        assert "?practitioner=dr-2" in own.content.decode()
        lent = client.get(reverse("doctor_day"), {"practitioner": "dr-2"})
        assert len(lent.context["cards"]) == 1

    def test_a_colleague_who_did_not_delegate_is_not_found(self, client):
        a_practitioner("dr-3")
        answer = client.get(reverse("doctor_day"), {"practitioner": "dr-3"})
        assert answer.status_code == 404


class TestADelegateOfTheWard:
    """A nurse or a secretary keeps in the name of the doctor who named them."""

    @pytest.mark.parametrize("role", ["nurse", "ward_clerk"])
    def test_they_keep_for_the_doctor_and_only_while_named(self, doctor, consultation, role):
        delegate = a_user("secretaire", role)
        client = signed_in(delegate)
        address = reverse("keep", args=[consultation.pk])
        assert client.post(address).status_code == 404
        assert ">Mes consultations</a>" not in client.get(reverse("wards")).content.decode()
        given = Delegation.objects.create(
            practitioner=doctor.practitioner, delegate=delegate, given_at=SATURDAY_NOON
        )
        assert "Mes consultations" in client.get(reverse("wards")).content.decode()
        page = client.get(reverse("doctor_day"))
        assert [card.appointment for card in page.context["cards"]] == [consultation]
        client.post(address)
        consultation.refresh_from_db()
        assert (consultation.outcome, consultation.outcome_basis) == ("maintained", "person")
        assert consultation.decisions.latest("version").decided_by == delegate
        given.revoked_at = SATURDAY_NOON
        given.save()
        assert client.post(reverse("undo_keep", args=[consultation.pk])).status_code == 404


class TestTheTriageList:
    def test_the_filter_shows_what_still_waits_for_a_choice(self, client, doctor, consultation):
        kept, let_go = (an_appointment(practitioner=doctor.practitioner) for _ in range(2))
        an_operation(practitioner=doctor.practitioner)
        in_force()
        client.post(reverse("keep", args=[kept.pk]))
        client.post(reverse("let_go", args=[let_go.pk]))
        page = client.get(reverse("doctor_day"), {"show": "review"})
        assert [card.appointment for card in page.context["cards"]] == [consultation]
        assert page.context["review"].number == 1
        assert page.context["counts"].touched == 4

    def test_a_tap_counts_down_what_is_to_be_reviewed(self, client, consultation):
        answer = client.post(reverse("keep", args=[consultation.pk]), headers=HTMX)
        assert '<span id="to-review" hx-swap-oob="true">0</span>' in answer.content.decode()
        page = client.get(reverse("doctor_day"), {"show": "review"}).content.decode()
        assert "Plus rien à revoir ici" in page

    def test_one_sentence_says_what_silence_means_and_when(self, client, consultation):
        page = client.get(reverse("doctor_day")).content.decode()
        assert "Sans choix de votre part, le rendez-vous reste annulé" in page
        assert "prévenus à partir de dim 15/05 18:00" in page
        assert "Premier délai pour garder : dim 15/05 18:00" in page

    def test_where_nobody_is_told_it_does_not_say_so(self, client, doctor):
        an_appointment(practitioner=doctor.practitioner)
        in_force(replace(THE_DAY[0], tell="nobody"))
        page = client.get(reverse("doctor_day")).content.decode()
        assert "Sans choix de votre part, le rendez-vous reste annulé." in page
        assert "prévenus" not in page

    def test_after_the_deadline_nothing_is_to_be_reviewed(
        self, client, doctor, consultation, saturday_noon
    ):
        saturday_noon.move_to(at("2022-05-15 23:00"))
        client.force_login(doctor)
        assert client.get(reverse("doctor_day")).context["review"].number == 0

    def test_a_line_says_who_when_and_why_they_may_not_wait(self, client, consultation):
        line = client.get(reverse("doctor_day")).content.decode()
        line = line.partition('<div class="line"')[2].partition("<details")[0]
        for words in ("09:10", "LAMBERT Anne", "62 ans", "Contrôle du plâtre", "urgente", "Garder"):
            assert words in line, words

    def test_where_keep_stood_nothing_stands_that_decides(self, client, consultation):
        card = client.post(reverse("keep", args=[consultation.pk]), headers=HTMX).content.decode()
        line = card.partition('<div class="line"')[2].partition("</article>")[0]
        assert "<button" not in line.partition('class="lost"')[0]
        outside, _, inside = card.partition('<details class="change"')
        assert "Revenir sur ce choix" not in outside
        assert "Revenir sur ce choix" in inside


class TestADecisionWithoutABulletin:
    def let_go_then_withdrawn(self, client: Client, made: Appointment, **asked) -> str:
        client.post(reverse("let_go", args=[made.pk]))
        found = Bulletin.objects.get()
        withdrawn(found.pk, **asked)
        return client.get(reverse("doctor_day")).content.decode()

    def test_whoever_let_go_may_still_take_it_back(self, client, consultation):
        page = self.let_go_then_withdrawn(client, consultation)
        assert "Revenir sur ce choix" in page
        client.post(reverse("undo_keep", args=[consultation.pk]))
        consultation.refresh_from_db()
        assert consultation.outcome == "maintained"

    def test_what_was_sent_back_is_decided_anew(self, client, consultation):
        page = self.let_go_then_withdrawn(client, consultation, sends_decisions_back=True)
        assert "votre décision vous est renvoyée" in page
        assert "Renvoyé pour décision" in page
        assert "Annulation confirmée" not in page
        assert "Revenir sur ce choix" not in page
        client.post(reverse("keep", args=[consultation.pk]))
        consultation.refresh_from_db()
        assert (consultation.outcome, consultation.outcome_basis) == ("maintained", "person")
