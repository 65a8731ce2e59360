"""``manage.py gateway`` says whether gateways may be used, and asks before a message leaves."""

import asyncio
import builtins
import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from notifications.gateways import Inbound
from notifications.models import (
    Delivery,
    GatewayReach,
    GatewaySeat,
    GatewayState,
    Notice,
    Reply,
)
from notifications.sending import trial as gateway_trials
from staff.errors import Refusal
from staff.models import AuditEvent
from tests.notifications.gateways.android_phone import APhone, url_to
from tests.notifications.gateways.http_peers import HttpPeer
from tests.notifications.sending.trials import PHONE, Fake, life, refused, said
from tests.peer import Peer

pytestmark = pytest.mark.django_db
HOOK = "0123456789abcdef-h00k"


class TestHost:
    def test_one_that_reaches_all_says_so(self, settings: Any) -> None:
        GatewayReach.objects.create(gateway="console", host="another", failures_in_a_row=3)
        assert said("host") == f"{settings.HOST_NAME} : aucune passerelle hors d'atteinte.\n"

    def test_one_without_a_way_names_itself_the_gateway_and_why(self, settings: Any) -> None:
        settings.HOST_NAME = "srv-2"
        GatewayReach.objects.create(
            gateway="console", host="srv-2", failures_in_a_row=3, complaint="pas de connexion"
        )
        code, sentence, printed = refused("host")
        assert (code, sentence) == (1, "srv-2 n'atteint pas toutes les passerelles.")
        assert printed == "srv-2 → console : pas de connexion\n"


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

    def test_it_counts_against_the_daily_cap_and_stops_there(self) -> None:
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
