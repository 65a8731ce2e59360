"""A bulletin may send in quiet hours, for a reason that whoever approves it reads."""

import datetime as dt

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.urls import reverse

from appointments.bulletins import services as bulletins
from appointments.bulletins.preview import preview
from appointments.bulletins.queries import fingerprint
from appointments.decisions.rulings import clauses_of
from appointments.models import Bulletin
from appointments.rules import ClauseTerms
from notifications.models import Delivery
from staff.errors import Refusal
from staff.models import AuditEvent
from tests.appointments.bulletins.builders import a_draft, approved, somebody_in_the_crisis_cell
from tests.appointments.bulletins.pages import crisis, page, text_of
from tests.builders import MONDAY, a_patient, an_appointment, at
from tests.pages import fields_of

pytestmark = pytest.mark.django_db
REASON = "Les premiers patients partent avant 7 h."
TEN_AT_NIGHT = at("2022-05-15 22:00")
THEY_WAIT = "Les SMS libérés dimanche 15/05 à 22:00 attendront lundi 16/05 à 08:00"


@pytest.fixture(autouse=True)
def quiet_nights(saturday_noon, settings) -> None:
    """Stand on the Saturday of the bulletin, with the usual quiet hours."""
    settings.SMS_QUIET_HOURS = "21:00-08:00"


def a_late_draft(reason: str = "", release_at: dt.datetime = TEN_AT_NIGHT) -> Bulletin:
    return bulletins.draft(
        by=somebody_in_the_crisis_cell("crise1"),
        title="Le soir",
        first_day=MONDAY,
        last_day=MONDAY,
        release_at=release_at,
        clauses=[ClauseTerms("cancel", "cancelled")],
        quiet_hours_override_reason=reason,
    )


class TestTheEstimate:
    @pytest.fixture(autouse=True)
    def a_monday_morning(self):
        for hour in ("07:30", "08:29", "08:30", "11:00"):
            an_appointment(starts=f"2022-05-16 {hour}")

    def figures(self, bulletin: Bulletin) -> tuple[int, int, int]:
        seen = preview(bulletin.pk)
        return seen.patients_by_sms, seen.patients_by_phone, len(seen.warnings)

    def test_who_leaves_before_the_sms_may_is_counted_with_the_calls(self):
        assert self.figures(a_late_draft()) == (2, 2, 2)

    def test_the_sentence_says_until_when_the_others_wait(self):
        waits, late = preview(a_late_draft().pk).warnings
        assert waits.startswith(THEY_WAIT)
        assert late.startswith("2 patients sont comptés parmi les appels")

    def test_with_a_reason_all_get_their_sms(self):
        assert self.figures(a_late_draft(REASON)) == (4, 0, 0)

    def test_without_quiet_hours_all_get_their_sms(self, settings):
        settings.SMS_QUIET_HOURS = ""
        assert self.figures(a_late_draft()) == (4, 0, 0)

    def test_a_release_by_day_reaches_all(self):
        assert self.figures(a_late_draft(release_at=at("2022-05-15 18:00"))) == (4, 0, 0)

    def test_a_release_of_the_day_itself_comes_too_late_for_the_first(self):
        draft = a_late_draft(release_at=at("2022-05-16 09:00"))
        assert self.figures(draft) == (1, 3, 1)

    def test_a_release_that_is_past_counts_from_now(self):
        draft = a_late_draft(release_at=at("2022-05-14 10:00"))
        with time_machine.travel(at("2022-05-15 23:00"), tick=False):
            assert self.figures(draft) == (2, 2, 3)
            at_once, quiet, _late = preview(draft.pk).warnings
            assert "ne sont pas retenus" in at_once
            assert "libérés dimanche 15/05 à 23:00" in quiet

    def test_the_first_appointment_of_the_day_counts(self):
        both = a_patient()
        an_appointment(patient=both, starts="2022-05-16 07:00")
        an_appointment(patient=both, starts="2022-05-16 16:00")
        assert self.figures(a_late_draft()) == (2, 3, 2)

    def test_who_is_called_anyway_is_not_too_late(self):
        an_appointment(
            patient=a_patient(mobile="", landline="+3263000001"), starts="2022-05-16 07:00"
        )
        assert self.figures(a_late_draft()) == (2, 3, 2)
        assert preview(a_late_draft().pk).warnings[1].startswith("2 patients")

    def test_the_gateways_own_rate_and_cap_count(self, settings):
        settings.SMS_PARTS_PER_SECOND = 20.0
        draft = a_late_draft(REASON)
        assert preview(draft.pk).sms_seconds == 0.2
        settings.SMS_GATEWAY_URL = "console://?tps=2&cap=3"
        seen = preview(draft.pk)
        assert (seen.sms_parts, seen.sms_seconds) == (4, 2.0)
        assert "(3 parties par jour) ne suffit pas : il en faut 4" in seen.warnings[0]
        settings.SMS_GATEWAY_URL = "console://?mps=1"
        assert preview(draft.pk).sms_seconds == 4.0

    def test_what_is_sent_at_night_says_so_on_each_message(self):
        approved(a_late_draft(REASON))
        assert Delivery.objects.filter(ignores_quiet_hours=True).count() == 4


class TestTheWording:
    def test_the_trail_keeps_the_reason_of_the_draft_and_of_the_approval(self):
        approved(a_late_draft(f" {REASON} "))
        told = {
            event.action: event.detail.get("quiet_hours_override_reason")
            for event in AuditEvent.objects.filter(object_type="bulletin")
        }
        assert told == {
            "bulletin.drafted": REASON,
            "bulletin.ready": None,
            "bulletin.approved": REASON,
        }

    def test_without_a_reason_the_trail_says_nothing_of_it(self):
        approved(a_late_draft("  "))
        assert not any(
            "quiet_hours_override_reason" in event.detail for event in AuditEvent.objects.all()
        )

    def test_whoever_approves_has_read_the_reason(self):
        draft = a_late_draft()
        before = fingerprint(draft, clauses_of(draft))
        draft.quiet_hours_override_reason = REASON
        assert fingerprint(draft, clauses_of(draft)) != before

    def test_a_reason_has_200_characters_at_most(self):
        a_late_draft("x" * 200)
        with pytest.raises(Refusal, match="au plus 200 caractères"):
            a_late_draft("x" * 201)

    @pytest.mark.parametrize("name", ["bulletin", "bulletin_preview", "bulletin_approve"])
    def test_each_page_shows_the_reason(self, name):
        draft = a_late_draft("Ils <partent> tôt.")
        shown = text_of(page(crisis(), name, draft.pk))
        assert "Aussi pendant les heures calmes : Ils &lt;partent&gt; tôt." in shown

    def test_pages_of_other_bulletins_do_not_speak_of_it(self):
        draft = a_draft()
        for name in ("bulletin", "bulletin_preview", "bulletin_approve"):
            assert "heures calmes" not in text_of(page(crisis(), name, draft.pk))

    def test_the_preview_warns_on_its_page(self):
        an_appointment()
        shown = text_of(page(crisis(), "bulletin_preview", a_late_draft().pk))
        assert THEY_WAIT in shown


class TestTheEditor:
    def fields(self, draft: Bulletin) -> dict:
        return fields_of(text_of(page(crisis("crise1"), "bulletin_edit", draft.pk)), having="title")

    def save(self, draft: Bulletin, **changed):
        address = reverse("bulletin_edit", args=[draft.pk])
        data = {k: v for k, v in (self.fields(draft) | changed).items() if v is not None}
        return crisis("crise1").post(address, data)

    def test_it_names_the_hours(self):
        shown = text_of(page(crisis("crise1"), "bulletin_edit", a_draft().pk))
        assert "Envoyer aussi pendant les heures calmes (21:00–08:00)" in shown

    def test_it_says_when_there_are_none(self, settings):
        settings.SMS_QUIET_HOURS = ""
        shown = text_of(page(crisis("crise1"), "bulletin_edit", a_draft().pk))
        assert "aucune n&#x27;est réglée" in shown

    def test_saving_without_a_change_keeps_the_reason(self):
        draft = a_late_draft(REASON)
        assert self.save(draft).status_code == 302
        draft.refresh_from_db()
        assert draft.quiet_hours_override_reason == REASON

    def test_a_ticked_box_with_its_reason_is_stored(self):
        draft = a_draft()
        self.save(draft, send_at_night="on", quiet_hours_override_reason=REASON)
        draft.refresh_from_db()
        assert draft.quiet_hours_override_reason == REASON

    def test_box_and_reason_taken_away_are_gone(self):
        draft = a_late_draft(REASON)
        self.save(draft, send_at_night=None, quiet_hours_override_reason="")
        draft.refresh_from_db()
        assert draft.quiet_hours_override_reason == ""

    @pytest.mark.parametrize(
        ("changed", "sentence"),
        [
            (
                {"send_at_night": "on", "quiet_hours_override_reason": "  "},
                "Indiquez pourquoi les SMS partent aussi pendant les heures calmes.",
            ),
            (
                {"quiet_hours_override_reason": REASON},
                "Cochez cette case, ou effacez le motif.",
            ),
            (
                {"send_at_night": "on", "quiet_hours_override_reason": "x" * 201},
                "200",
            ),
        ],
        ids=["no reason", "no tick", "too long"],
    )
    def test_one_without_the_other_is_refused(self, changed, sentence):
        draft = a_draft()
        answer = self.save(draft, **changed)
        assert answer.status_code == 422
        assert sentence in text_of(answer)
        draft.refresh_from_db()
        assert draft.quiet_hours_override_reason == ""

    def test_adding_a_refinement_loses_neither_box_nor_reason(self):
        draft = a_draft()
        typed = {"send_at_night": "on", "quiet_hours_override_reason": REASON, "add": "1"}
        fields = fields_of(text_of(self.save(draft, **typed)), having="title")
        assert fields["send_at_night"] == ["on"]
        assert fields["quiet_hours_override_reason"] == [REASON]


class TestTheCommand:
    @pytest.fixture
    def file(self, tmp_path):
        path = tmp_path / "grève.toml"
        path.write_text(
            'title = "Grève"\nfirst_day = 2022-05-16\nlast_day = 2022-05-16\n'
            "release_at = 2022-05-15T22:00:00\n"
            '[[clause]]\nruling = "cancel"\ntell = "cancelled"\n',
            encoding="utf-8",
        )
        somebody_in_the_crisis_cell("crise1")
        return str(path)

    def test_a_draft_sends_at_night_for_a_reason(self, file):
        call_command("bulletin", "draft", file, "--by", "crise1", "--send-at-night", REASON)
        assert Bulletin.objects.get().quiet_hours_override_reason == REASON

    def test_without_it_the_night_is_quiet(self, file):
        call_command("bulletin", "draft", file, "--by", "crise1")
        assert Bulletin.objects.get().quiet_hours_override_reason == ""

    def test_too_long_a_reason_is_a_sentence(self, file):
        with pytest.raises(CommandError, match="au plus 200"):
            call_command("bulletin", "draft", file, "--by", "crise1", "--send-at-night", "x" * 201)

    def test_the_preview_prints_the_warnings(self, file, capsys):
        an_appointment(starts="2022-05-16 07:30")
        call_command("bulletin", "draft", file, "--by", "crise1")
        call_command("bulletin", "preview", str(Bulletin.objects.get().pk))
        printed = capsys.readouterr().out
        assert f"! {THEY_WAIT}" in printed
        assert "! 1 patient est compté parmi les appels" in printed
