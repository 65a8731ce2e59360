"""Calls on paper, for when the screens go: taken once, printed, entered afterwards."""

import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pypdf import PdfReader

from notifications.calls import services as calls
from notifications.calls.queries import why_none
from notifications.calls.sheet import rows
from notifications.models import Delivery, Notice
from notifications.sending import switch as sending
from staff.errors import AccessRefused, Refusal
from staff.models import AuditEvent, User
from tests.builders import a_patient, a_user, at
from tests.notifications.builders import SUNDAY, a_call, a_notice
from tests.page_rules import faults_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]
TEN = at("2022-05-15 10:00")
A4_PORTRAIT = (595, 842)  # points, ISO 216


def two_days(**fields) -> tuple[Delivery, Delivery]:
    """Return the calls of one patient about two days."""
    patient = a_patient(**fields)
    monday, tuesday = (
        a_call(a_notice(patient=patient, items=[(f"2022-05-{day} 09:00", "cancelled")]))
        for day in (16, 17)
    )
    return monday, tuesday


class TestTaking:
    def test_the_next_patients_are_taken_with_all_their_days_for_four_hours(
        self, agent, sunday
    ) -> None:
        two_days()
        later_on = a_call()
        assert calls.take_on_paper(by=agent, number=1) == 1
        taken = Delivery.objects.filter(state="claimed", printed_at=SUNDAY, caller=agent)
        assert taken.count() == 2
        other = a_user("b", "call_agent")
        assert calls.take_next(by=other) == later_on
        calls.log(delivery_id=later_on.pk, by=other, result="reached")
        sunday.shift(4 * 3600 - 1)
        assert calls.take_next(by=other) is None
        sunday.shift(2)
        assert calls.take_next(by=other) is not None

    def test_it_is_in_the_trail(self, agent) -> None:
        call = a_call()
        calls.take_on_paper(by=agent, number=5)
        event = AuditEvent.objects.get()
        assert (event.action, event.detail) == (
            "calls.printed",
            {"patients": [call.notice.patient_id]},
        )

    def test_more_than_one_look_at_the_list_is_taken_where_it_must(self, agent) -> None:
        for _ in range(calls.CANDIDATES + 5):
            a_call()
        assert calls.take_on_paper(by=agent, number=calls.CANDIDATES + 2) == calls.CANDIDATES + 2
        assert calls.take_on_paper(by=agent, number=100) == 3
        assert calls.take_on_paper(by=agent, number=100) == 0

    def test_at_the_screen_they_get_another_call_meanwhile(self, agent) -> None:
        a_call()
        calls.take_on_paper(by=agent, number=1)
        other = a_call()
        assert calls.take_next(by=agent) == other

    @pytest.mark.parametrize("number", [0, -1, 101])
    def test_not_none_and_not_too_many(self, agent, number) -> None:
        with pytest.raises(Refusal, match="de 1 à 100"):
            calls.take_on_paper(by=agent, number=number)

    def test_who_does_not_call_takes_nothing(self) -> None:
        with pytest.raises(AccessRefused):
            calls.take_on_paper(by=a_user("nurse", "nurse"), number=1)

    def test_given_back_it_is_free_and_no_longer_on_paper(self, agent) -> None:
        call = a_call()
        calls.take_on_paper(by=agent, number=1)
        calls.give_back(delivery_id=call.pk, by=agent)
        call.refresh_from_db()
        assert (call.state, call.printed_at) == ("queued", None)


class TestEntering:
    def test_the_result_counts_from_when_it_happened(self, agent, sunday) -> None:
        call = a_call()
        calls.take_on_paper(by=agent, number=1)
        sunday.move_to(at("2022-05-15 11:00"))
        calls.log(delivery_id=call.pk, by=agent, result="reached", at=TEN)
        call.refresh_from_db()
        assert (call.finished_at, call.notice.settled_at) == (TEN, TEN)

    def test_the_next_try_is_due_half_an_hour_after_the_call_not_after_its_entry(
        self, agent, sunday
    ) -> None:
        call = a_call()
        calls.take_on_paper(by=agent, number=1)
        sunday.move_to(at("2022-05-15 11:00"))
        calls.log(delivery_id=call.pk, by=agent, result="no_answer", at=TEN)
        assert Delivery.objects.get(state="queued").not_before == at("2022-05-15 10:30")
        assert calls.take_next(by=agent)

    @pytest.mark.parametrize("moment", ["2022-05-15 08:59", "2022-05-15 11:01"])
    def test_before_it_was_printed_or_in_the_future_is_refused(self, agent, sunday, moment) -> None:
        call = a_call()
        calls.take_on_paper(by=agent, number=1)
        sunday.move_to(at("2022-05-15 11:00"))
        with pytest.raises(Refusal, match="15 mai 09:00") as refused:
            calls.log(delivery_id=call.pk, by=agent, result="reached", at=at(moment))
        assert refused.value.field == "happened_at"
        assert Notice.objects.get().state == "open"


class TestTheSheet:
    def test_one_row_a_patient_with_every_day_and_both_numbers(self, agent) -> None:
        two_days(mobile="+32470000001", landline="+3263000001", language="nl")
        calls.take_on_paper(by=agent, number=5)
        (row,) = rows(agent)
        assert len(row.sentences) == 2
        assert "maandag 16 mei" in row.sentences[0]
        assert [one.number for one in row.numbers] == ["+32470000001", "+3263000001"]
        assert row.first_at == at("2022-05-16 09:00")

    def test_what_is_entered_leaves_it(self, agent) -> None:
        call = a_call()
        calls.take_on_paper(by=agent, number=5)
        calls.log(delivery_id=call.pk, by=agent, result="reached")
        assert rows(agent) == []

    def test_an_agent_sees_only_their_own_sheet(self, agent) -> None:
        a_call()
        calls.take_on_paper(by=agent, number=5)
        assert rows(a_user("b", "call_agent")) == []

    def test_three_queries_however_many_patients(self, agent, django_assert_num_queries) -> None:
        for _ in range(12):
            two_days()
        calls.take_on_paper(by=agent, number=12)
        rows(agent)  # texts are remembered
        with django_assert_num_queries(3):
            assert len(rows(agent)) == 12


class TestThePages:
    @pytest.fixture
    def page(self, client: Client, agent: User) -> Client:
        client.force_login(agent)
        return client

    def test_taking_leads_to_the_sheet_which_has_all_that_is_needed_without_a_screen(
        self, page
    ) -> None:
        two_days(family_name="Lambert", mobile="+32470000001", landline="+3263000001")
        answer = page.post(reverse("call_print"), {"number": "10"}, follow=True)
        assert answer.redirect_chain[-1][0] == reverse("call_sheet")
        text = answer.content.decode()
        assert faults_of(text) == []
        for words in (
            "LAMBERT",
            "01/01/1960",
            "français",
            "0470 00 00 01",
            "063 00 00 01",
            "il est annulé",
            "essai 1 sur 3",
            "prévenu",
            "absent",
            "mauvais n°",
            "rappeler à",
            "dimanche 15 mai 13:00",
        ):
            assert words in text, words

    def test_the_number_of_queries_does_not_grow_with_the_sheet(
        self, page, agent, django_assert_max_num_queries
    ) -> None:
        a_call()
        calls.take_on_paper(by=agent, number=1)
        page.get(reverse("call_sheet"))
        with CaptureQueriesContext(connection) as one:
            page.get(reverse("call_sheet"))
        number = len(one)
        for _ in range(9):
            two_days()
        calls.take_on_paper(by=agent, number=9)
        with django_assert_max_num_queries(number):
            page.get(reverse("call_sheet"))

    @pytest.mark.parametrize("number", ["", "0", "101", "x"])
    def test_a_wrong_number_takes_nothing_and_says_so(self, page, number) -> None:
        a_call()
        answer = page.post(reverse("call_print"), {"number": number}, follow=True)
        assert "de 1 à 100" in answer.content.decode()
        assert Delivery.objects.get().state == "queued"

    def test_an_empty_sheet_says_so(self, page) -> None:
        assert "aucun appel sur papier" in page.get(reverse("call_sheet")).content.decode()

    def test_the_result_is_entered_with_its_time_and_leads_back_to_the_sheet(
        self, page, agent, sunday
    ) -> None:
        call = a_call()
        calls.take_on_paper(by=agent, number=1)
        sunday.move_to(at("2022-05-15 11:00"))
        address = reverse("call", args=[call.pk])
        assert 'name="happened_at"' in page.get(address).content.decode()
        sent = {"result": "reached", "happened_at": "2022-05-15T08:00"}
        refused = page.post(address, sent)
        assert refused.status_code == 422
        assert "corrigez l&#x27;heure" in refused.content.decode()
        done = page.post(address, sent | {"happened_at": "2022-05-15T10:00"})
        assert done.url == reverse("call_sheet")
        assert Notice.objects.get().settled_at == TEN

    def test_colleagues_see_who_has_it_on_paper(self, page, agent) -> None:
        a_call()
        calls.take_on_paper(by=agent, number=1)
        assert "1 appel sur papier à noter" in page.get(reverse("call_list")).content.decode()
        page.force_login(a_user("b", "call_agent"))
        text = page.get(reverse("call_list")).content.decode()
        assert "agent a cet appel sur papier" in text
        assert "à noter" not in text.split("on-paper")[1].split("</details>")[0]


class TestTheCommand:
    def test_it_takes_calls_and_writes_a_pdf_with_all_that_is_needed(
        self, agent, tmp_path: Path, capsys
    ) -> None:
        pytest.importorskip("weasyprint", exc_type=OSError)
        a_call(a_notice(patient=a_patient(family_name="Lambert", mobile="+32470000001")))
        out = tmp_path / "appels.pdf"
        call_command("print_calls", by="agent", number=5, out=out)
        reader = PdfReader(out)
        (page,) = reader.pages
        text = " ".join(page.extract_text().split())
        for words in ("LAMBERT", "0470 00 00 01", "il est annulé", "prévenu", "1 / 1"):
            assert words in text, words
        assert (round(page.mediabox.width), round(page.mediabox.height)) == A4_PORTRAIT
        assert "Appels à passer sur papier" in reader.metadata.title
        assert "1 patient à appeler" in capsys.readouterr().out

    def test_no_patient_of_a_long_sheet_is_split_between_pages(self, agent, tmp_path) -> None:
        pytest.importorskip("weasyprint", exc_type=OSError)
        for number in range(30):
            a_call(a_notice(patient=a_patient(family_name=f"Lambert{number:02}")))
        out = tmp_path / "appels.pdf"
        call_command("print_calls", by="agent", number=30, out=out)
        texts = [page.extract_text() for page in PdfReader(out).pages]
        assert len(texts) > 2
        for text in texts:
            assert text.count("LAMBERT") == text.count("heure de l'appel") > 0

    @pytest.mark.parametrize("given", [{"out": "appels.html"}, {"out": "x", "format": "html"}])
    def test_as_html_it_is_a_page_that_needs_no_other(self, agent, tmp_path, capsys, given) -> None:
        a_call(a_notice(patient=a_patient(family_name="Lambert")))
        given["out"] = out = tmp_path / given["out"]
        call_command("print_calls", by="agent", number=5, **given)
        text = out.read_text()
        assert "LAMBERT" in text
        assert "data:text/css" in text
        assert "/static/" not in text
        call_command("print_calls", by="agent", number=0, **given)
        assert "LAMBERT" in out.read_text()

    def test_without_pango_the_page_is_written_in_its_place_and_it_exits_1(
        self, agent, tmp_path, capsys, monkeypatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "weasyprint", None)
        a_call(a_notice(patient=a_patient(family_name="Lambert")))
        with pytest.raises(SystemExit) as ended:
            call_command("print_calls", by="agent", number=1, out=tmp_path / "appels.pdf")
        assert ended.value.code == 1
        assert "Pas de PDF" in capsys.readouterr().err
        assert [path.name for path in tmp_path.iterdir()] == ["appels.html"]
        assert "LAMBERT" in (tmp_path / "appels.html").read_text()

    @pytest.mark.parametrize(
        ("options", "words"),
        [({"by": "nobody"}, "nobody"), ({"number": 101}, "de 1 à 100")],
    )
    def test_what_cannot_be_done_says_why(self, agent, tmp_path: Path, options, words) -> None:
        given = {"by": "agent", "number": 1, "out": tmp_path / "x.html"} | options
        with pytest.raises(CommandError, match=words):
            call_command("print_calls", **given)

    def test_a_folder_that_does_not_exist_is_named(self, agent, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="ne peut être écrit"):
            call_command("print_calls", by="agent", number=1, out=tmp_path / "no" / "x.html")

    @pytest.mark.parametrize(
        ("moment", "taken", "why"),
        [
            (None, False, "Aucun patient n'est à appeler"),
            ("2022-05-15 18:00", False, "1 appel attend son heure, à partir de dimanche 15 mai 18"),
            ("2022-05-15 08:00", True, "un collègue l'a déjà pris"),
        ],
    )
    def test_an_empty_sheet_says_why(
        self, agent, capsys, client, tmp_path: Path, moment, taken, why
    ) -> None:
        if moment:
            a_call(not_before=at(moment))
        if taken:
            calls.take_next(by=a_user("b", "call_agent"))
        call_command("print_calls", by="agent", number=5, out=tmp_path / "x.html")
        assert why in capsys.readouterr().out
        assert why in (tmp_path / "x.html").read_text().replace("&#x27;", "'")
        client.force_login(agent)
        answer = client.post(reverse("call_take"), follow=True)
        assert why in " ".join(str(one) for one in answer.context["messages"])

    def test_an_empty_sheet_says_each_reason_as_it_is(self, agent, client) -> None:
        def said() -> str:
            client.force_login(agent)
            page = client.get(reverse("call_sheet")).content.decode()
            return " ".join(page.split()).replace("&#x27;", "'")

        for _ in range(3):
            a_call()
        assert "3 appels peuvent être pris maintenant, depuis la liste" in said()
        calls.take_next(by=agent)
        calls.take_next(by=a_user("b", "call_agent"))
        calls.take_on_paper(by=a_user("c", "call_agent"), number=1)
        page = said()
        assert "Vous avez 1 appel à l'écran" in page
        assert "2 appels sont dus, mais des collègues les ont déjà pris" in page
        assert "peuvent être pris" not in page

    def test_who_has_the_last_calls_on_paper_is_not_sent_to_a_colleague(
        self, agent, client
    ) -> None:
        two_days()
        calls.take_on_paper(by=agent, number=5)
        client.force_login(agent)
        answer = client.post(reverse("call_take"), follow=True)
        said = " ".join(str(one) for one in answer.context["messages"])
        assert "Vous avez 2 appels sur papier : notez leurs résultats." in said
        assert "collègue" not in said

    def test_while_sending_is_paused_the_empty_list_says_so(self, agent) -> None:
        assert "en pause" not in why_none(agent)
        sending.pause(by=a_user("chef", "crisis_cell"))
        assert "Les envois sont en pause" in why_none(agent)
        a_call()
        assert "en pause" not in why_none(agent)

    def test_the_reasons_ask_no_more_for_more_calls(self, agent) -> None:
        def asked() -> int:
            with CaptureQueriesContext(connection) as queries:
                why_none(agent)
            return len(queries)

        a_call()
        why_none(agent)  # what the person may do is remembered from here on
        few = asked()
        for _ in range(5):
            a_call()
        calls.take_on_paper(by=a_user("b", "call_agent"), number=2)
        assert asked() == few

    def test_an_empty_sheet_says_who_can_release_what_waits(self, agent, tmp_path: Path) -> None:
        a_call(not_before=at("2022-05-15 18:00"))
        call_command("print_calls", by="agent", number=5, out=tmp_path / "x.html")
        assert "peut faire prévenir sans attendre" in (tmp_path / "x.html").read_text()
