"""One message is sent to try a gateway, and its life is shown."""

from typing import Any

import pytest
from django.utils import timezone

from notifications.gateways import (
    Accepted,
    NotSent,
    ReceiptReport,
    Refused,
    Result,
    Throttled,
    Unknown,
)
from notifications.models import Failure, ReceiptState
from notifications.models import Receipt as StoredReceipt
from notifications.sending import trial as gateway_trials
from staff.services import command_line
from tests.notifications.gateways.android_phone import APhone, url_to
from tests.notifications.gateways.http_peers import HttpPeer
from tests.notifications.sending.trials import PHONE, Fake, life, refused, said
from tests.peer import Peer

pytestmark = pytest.mark.django_db


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
        steps = life(Fake(reports=[ReceiptReport(ReceiptState.DELIVERED, provider_ids=("n-1",))]))
        assert steps == ["remis à fake", "accepté par la passerelle : n-1", "accusé : reçu"]

    def test_waits_for_the_receipts_of_all_parts(self) -> None:
        parts = [ReceiptReport(ReceiptState.DELIVERED, provider_ids=(f"n-{n}",)) for n in (1, 2)]
        steps = life(Fake(Accepted("n-1", ("n-2",)), reports=parts))
        assert steps[-2:] == ["accusé : reçu"] * 2

    def test_shows_why_it_failed(self) -> None:
        failed = ReceiptReport(
            ReceiptState.FAILED, provider_ids=("n-1",), failure=Failure.BARRED, remark="HLR 27"
        )
        assert life(Fake(reports=[failed]))[-1] == "accusé : échoué numéro bloqué HLR 27"

    def test_ends_with_the_receipt_that_came_to_the_web_server(self) -> None:
        gateway = Fake()
        gateway.has_receipts = True
        steps: list[str] = []

        def tell(step: gateway_trials.Step) -> None:
            steps.append(step.words)
            if not step.words.startswith("accepté"):
                return
            for state in ("on_its_way", "delivered"):
                StoredReceipt.objects.create(
                    gateway="fake",
                    key=state,
                    state=state,
                    reference=gateway.sent[0].reference,
                    received_at=timezone.now(),
                )

        gateway_trials.send_one(
            gateway=gateway, to=PHONE, text="Test", wait=5, by=command_line.user(), tell=tell
        )
        assert steps[2:] == ["accusé : en route", "accusé : reçu"]

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
        others = ReceiptReport(ReceiptState.DELIVERED, provider_ids=("of-a-patient",))
        mine = ReceiptReport(ReceiptState.DELIVERED, provider_ids=("n-1",))
        steps = life(Fake(reports=[others, mine]))
        assert steps.count("accusé : reçu") == 1
        assert StoredReceipt.objects.get().provider_id == "of-a-patient"

    def test_a_bad_end_is_exit_1(self, settings: Any) -> None:
        settings.SMS_GATEWAY_URL = "http+json://127.0.0.1:1/"
        code, sentence, printed = refused("test", PHONE, "--yes")
        assert (code, sentence) == (1, "L'essai n'a pas abouti.")
        assert "rien n'est parti : pas de connexion" in printed
