"""``manage.py gateway`` says whether gateways may be used, and shows one message's life."""

import asyncio
import builtins
import datetime as dt
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from notifications.gateways import (
    Accepted,
    Gateway,
    Inbound,
    Message,
    NotSent,
    OnReport,
    Options,
    Receipt,
    Refused,
    Result,
    Throttled,
    Unknown,
)
from notifications.models import (
    Delivery,
    Failure,
    GatewaySeat,
    GatewayState,
    Notice,
    ReceiptState,
    Reply,
)
from notifications.models import Receipt as StoredReceipt
from notifications.services import gateway_trials
from staff.errors import Refusal
from staff.models import AuditEvent
from staff.services import command_line
from tests.notifications.gateways.android_phone import APhone, url_to
from tests.notifications.gateways.http_peers import HttpPeer
from tests.peer import Peer

pytestmark = pytest.mark.django_db
PHONE = "+32470000001"
HOOK = "0123456789abcdef-h00k"


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("gateway", *arguments, stdout=out)
    return out.getvalue()


def refused(*arguments: str) -> tuple[int, str, str]:
    """Return the exit code, the sentence and what was printed before."""
    out = StringIO()
    with pytest.raises(CommandError) as error:
        call_command("gateway", *arguments, stdout=out)
    return error.value.returncode, str(error.value), out.getvalue()


def life(gateway: Gateway, *, wait: float = 5.0) -> list[str]:
    """Send one message and return the words of each step."""
    steps = gateway_trials.send_one(
        gateway=gateway, to=PHONE, text="Test", wait=wait, by=command_line.user()
    )
    return [step.words for step in steps]


class TestCheck:
    def test_every_configured_gateway_is_shown(self, settings: Any) -> None:
        with Peer() as peer:
            settings.SMS_GATEWAY_URL = f"{peer.url}&tps=20&sender=Vivalia&cap=500 console://"
            lines = said("check").splitlines()
        names = [line for line in lines if not line.startswith(" ")]
        assert names == [f"http+json 127.0.0.1:{peer.port} : utilisable", "console : utilisable"]
        facts = {" ".join(line.split()) for line in lines}
        assert {"débit 20 parties par seconde", "expéditeur Vivalia"} <= facts
        assert {"plafond du jour 500", "accusés non"} <= facts

    def test_what_the_gateway_says_itself_is_said_once(self, settings: Any) -> None:
        with HttpPeer(APhone()) as phone:
            printed = said("check", url_to(phone.port))
        receipts = [line for line in printed.splitlines() if line.strip().startswith("accusés")]
        assert [" ".join(line.split()) for line in receipts] == [
            "accusés sans hook=… : le téléphone est interrogé, bien plus tard"
        ]

    def test_one_that_is_away_is_a_sentence_and_exit_1(self, settings: Any) -> None:
        settings.SMS_GATEWAY_URL = "file:///nonexistent-outbox console://"
        code, sentence, printed = refused("check")
        assert (code, sentence) == (1, "Inutilisable : file /nonexistent-outbox.")
        assert "! Rien ne peut être écrit dans /nonexistent-outbox" in printed
        assert "console : utilisable" in printed

    def test_a_url_that_is_not_configured_can_be_checked(self) -> None:
        assert said("check", "console://").startswith("console : utilisable")

    @pytest.mark.parametrize("url", ["", "smtp://u:s3cret@host", "https+json://u:s3cret@h/?tsp=1"])
    def test_a_url_that_cannot_be_read_is_a_sentence_without_its_secret(
        self, settings: Any, url: str
    ) -> None:
        settings.SMS_GATEWAY_URL = url
        code, sentence, printed = refused("check")
        assert code == 2
        assert sentence.startswith("SMS_GATEWAY_URL : ")
        assert "s3cret" not in sentence + printed

    def test_the_address_for_receipts_shows_its_secret_only_when_asked(self, settings: Any) -> None:
        settings.CSRF_TRUSTED_ORIGINS = ["https://continuite.example.org"]
        url = f"https+json://u:s3cret@127.0.0.1:1/?hook={HOOK}&from=any"
        masked = refused("check", url)[2]
        assert "https://continuite.example.org/hooks/01…/" in masked
        assert HOOK not in masked
        shown = refused("check", url, "--show-hook")[2]
        assert f"https://continuite.example.org/hooks/{HOOK}/" in shown
        assert "s3cret" not in masked + shown

    def test_does_not_take_a_connection_from_those_who_send(self) -> None:
        GatewaySeat.objects.create(
            gateway="fake", seat=0, worker="w", until=timezone.now() + dt.timedelta(minutes=1)
        )
        gateway = Fake(sessions=1)
        checked = gateway_trials.check(gateway)
        assert not checked.usable
        assert "1 connexions permises" in checked.complaint
        assert not gateway.was_opened

    def test_that_hangs_gives_up(self) -> None:
        class Hanging(Fake):
            async def check(self):
                await asyncio.sleep(30)

        checked = gateway_trials.check(Hanging(timeout=0.05))
        assert (checked.usable, checked.complaint) == (False, "La passerelle ne répond pas.")

    @pytest.mark.django_db(transaction=True)
    def test_keeps_what_a_patient_says_over_its_connection(self) -> None:
        gateway_trials.check(Fake(reports_at_once=[Inbound(PHONE, "Merci", key="r1")]))
        assert Reply.objects.get().text == "Merci"


class Fake(Gateway):
    """Answers and reports as it is told; ``{ref}`` stands for the message's reference."""

    def __init__(
        self,
        result: Result | None = None,
        *,
        reports: Sequence[Receipt] = (),
        reports_at_once: Sequence[Inbound] = (),
        **options: Any,
    ) -> None:
        super().__init__(name="fake", options=Options(**options))
        self.result = result or Accepted("n-1")
        self.reports = reports
        self.reports_at_once = reports_at_once
        self.has_receipts = self.listens = bool(reports)
        self.was_opened = False
        self.sent: list[Message] = []

    async def open(self, on_report: OnReport) -> None:
        self.was_opened = True
        self.on_report = on_report
        for report in self.reports_at_once:
            await on_report(report)

    async def submit(self, messages: Sequence[Message]) -> Sequence[Result]:
        self.sent += messages
        self.tasks = [asyncio.create_task(self.on_report(one)) for one in self.reports]
        return [self.result] * len(messages)


class TestTheLifeOfAMessage:
    def test_is_over_with_the_answer_where_no_receipts_come(self, settings: Any) -> None:
        with Peer() as peer:
            settings.SMS_GATEWAY_URL = peer.url
            lines = said("test", PHONE, "--yes").splitlines()
            (sent,) = peer.asked
        assert [line.split("  ")[-1] for line in lines] == [
            "Texte : Vivalia : SMS de test. Rien à faire, merci de ne pas y répondre.",
            f"remis à http+json 127.0.0.1:{peer.port}",
            f"accepté par la passerelle : m-{sent['reference'][:8]}",
            "L'essai a abouti.",
        ]
        assert sent["to"] == PHONE

    def test_ends_with_the_receipt_that_comes_over_the_connection(self) -> None:
        steps = life(Fake(reports=[Receipt(ReceiptState.DELIVERED, provider_ids=("n-1",))]))
        assert steps == ["remis à fake", "accepté par la passerelle : n-1", "accusé : reçu"]

    def test_waits_for_the_receipts_of_all_parts(self) -> None:
        parts = [Receipt(ReceiptState.DELIVERED, provider_ids=(f"n-{n}",)) for n in (1, 2)]
        steps = life(Fake(Accepted("n-1", ("n-2",)), reports=parts))
        assert steps[-2:] == ["accusé : reçu"] * 2

    def test_shows_why_it_failed(self) -> None:
        failed = Receipt(
            ReceiptState.FAILED, provider_ids=("n-1",), failure=Failure.BARRED, remark="HLR 27"
        )
        assert life(Fake(reports=[failed]))[-1] == "accusé : échoué numéro bloqué HLR 27"

    def test_ends_with_the_receipt_that_came_to_the_web_server(self) -> None:
        gateway = Fake()
        gateway.has_receipts = True
        steps = gateway_trials.send_one(
            gateway=gateway, to=PHONE, text="Test", wait=5, by=command_line.user()
        )
        seen = [next(steps).words, next(steps).words]
        for state in ("on_its_way", "delivered"):
            StoredReceipt.objects.create(
                gateway="fake",
                key=state,
                state=state,
                reference=gateway.sent[0].reference,
                received_at=timezone.now(),
            )
        seen += [step.words for step in steps]
        assert seen[2:] == ["accusé : en route", "accusé : reçu"]

    def test_asks_a_phone_that_answers_questions(self, settings: Any) -> None:
        app = APhone()
        app.state = "Delivered"
        with HttpPeer(app) as phone:
            settings.SMS_GATEWAY_URL = url_to(phone.port)
            printed = said("test", PHONE, "--yes")
        assert "accusé : reçu" in printed
        assert printed.endswith("L'essai a abouti.\n")

    def test_without_a_receipt_ends_with_the_wait_and_says_so(self) -> None:
        gateway = Fake()
        gateway.has_receipts = True
        assert life(gateway, wait=1)[-1] == (
            "pas d'accusé de réception en 1 s : rien ne dit qu'il est arrivé"
        )

    @pytest.mark.parametrize(
        ("result", "words"),
        [
            (Refused(Failure.BARRED, remark="HLR 27"), "refusé : numéro bloqué HLR 27"),
            (Throttled(7), "trop vite, rien n'est parti : réessayez dans 7 s"),
            (Unknown("silence"), "sort inconnu, le SMS est peut-être parti : silence"),
            (NotSent("pas de connexion"), "rien n'est parti : pas de connexion"),
        ],
    )
    def test_ends_with_a_bad_answer(self, result: Result, words: str) -> None:
        assert life(Fake(result))[-1] == words

    def test_keeps_what_is_said_of_patients_meanwhile(self) -> None:
        others = Receipt(ReceiptState.DELIVERED, provider_ids=("of-a-patient",))
        mine = Receipt(ReceiptState.DELIVERED, provider_ids=("n-1",))
        steps = life(Fake(reports=[others, mine]))
        assert steps.count("accusé : reçu") == 1
        assert StoredReceipt.objects.get().provider_id == "of-a-patient"

    def test_a_bad_end_is_exit_1(self, settings: Any) -> None:
        settings.SMS_GATEWAY_URL = "http+json://127.0.0.1:1/"
        code, sentence, printed = refused("test", PHONE, "--yes")
        assert (code, sentence) == (1, "L'essai n'a pas abouti.")
        assert "rien n'est parti : pas de connexion" in printed


class TestBeforeItLeaves:
    @pytest.fixture(autouse=True)
    def nothing_leaves(self, settings: Any) -> None:
        """Show it if something does."""
        settings.SMS_GATEWAY_URL = "console:// file:///nonexistent-outbox"

    @pytest.fixture
    def answers(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
        """What is typed, one after the other."""
        typed: list[str] = []
        asked: list[str] = []

        def read(question: str) -> str:
            asked.append(question)
            if not typed:
                raise EOFError
            return typed.pop(0)

        monkeypatch.setattr(builtins, "input", read)
        return typed

    @pytest.mark.parametrize("typed", ["n", "", "yes please", None])
    def test_only_an_o_sends(self, answers: list[str], typed: str | None) -> None:
        answers += [] if typed is None else [typed]
        assert refused("test", PHONE)[:2] == (2, "Rien n'a été envoyé.")
        assert not AuditEvent.objects.filter(action="gateway.tested").exists()

    def test_an_o_sends(self, answers: list[str]) -> None:
        answers += ["o"]
        assert "L'essai a abouti." in said("test", PHONE)

    @pytest.mark.parametrize(
        ("number", "sentence"),
        [
            ("bonjour", "n'est pas un numéro de téléphone"),
            ("063 22 33 44", "+3263223344 n'est pas un numéro de mobile"),
        ],
    )
    def test_a_number_that_gets_no_sms_is_refused(self, number: str, sentence: str) -> None:
        code, message, _printed = refused("test", number, "--yes")
        assert code == 2
        assert sentence in message

    @pytest.mark.parametrize(
        ("name", "found"), [("CONSOLE", True), ("o", False), ("kannel", False)]
    )
    def test_a_gateway_is_named_by_some_of_its_words(self, name: str, found: bool) -> None:
        arguments = ("test", PHONE, "--yes", "--gateway", name)
        if found:
            assert "remis à console" in said(*arguments)
        else:
            assert "ne désigne pas une seule passerelle" in refused(*arguments)[1]

    def test_it_is_written_into_the_trail_without_the_whole_number(self) -> None:
        said("test", PHONE, "--yes", "--text", "Reçu ?")
        event = AuditEvent.objects.get(action="gateway.tested")
        assert str(event.actor) == "Ligne de commande"
        assert event.detail == {"gateway": "console", "phone": "…0001", "text": "Recu ?"}

    def test_it_counts_against_the_cap_of_the_day_and_stops_there(self) -> None:
        life(Fake(parts_per_day=1))
        assert GatewayState.objects.get(name="fake").parts_of_day == 1
        second = Fake(parts_per_day=1)
        with pytest.raises(Refusal, match="plafond du jour"):
            life(second)
        assert second.sent == []

    def test_it_makes_no_notice_and_no_delivery(self) -> None:
        said("test", PHONE, "--yes")
        assert not Notice.objects.exists()
        assert not Delivery.objects.exists()

    @pytest.mark.parametrize(
        "arguments", [("--wait", "soon"), ("--wait", "0"), ("--text", "  "), ("--text", "x" * 601)]
    )
    def test_a_senseless_option_is_refused(self, arguments: tuple[str, str]) -> None:
        with pytest.raises(CommandError, match="attendu"):
            call_command("gateway", "test", PHONE, "--yes", *arguments)
