"""A gateway calls our web server: the secret, the source, the size, and what it says."""

import json
import logging
from collections.abc import Callable, Sequence

import pytest
from django.db import OperationalError
from django.test import Client, RequestFactory
from django.urls import reverse

from notifications.gateways import HookRefused, HookRequest, Inbound, ReceiptReport, Report
from notifications.models import Delivery, Reply
from notifications.models import Receipt as KeptReceipt
from notifications.receipts import hooks as hook_calls
from notifications.receipts import receive as receiving
from notifications.receipts import views as hooks
from staff.addresses import source
from tests.notifications.builders import FakeGateway
from tests.notifications.receipts.builders import a_taken_sms, life
from vivalia_continuity import environment
from vivalia_continuity.log_filters import HideHookSecrets

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]
SECRET, OTHER_SECRET = "s3cret-of-the-gateway", "s3cret-of-the-other-one"
GATEWAY = "fake hooked"


class HookedGateway(FakeGateway):
    """Reports what the JSON in a call says; ``{"old": true}`` is refused as a signed one is."""

    def read_hook(self, request: HookRequest) -> Sequence[Report]:
        try:
            said = json.loads(request.body) if request.body else [dict(request.query)]
        except ValueError as error:
            raise HookRefused(f"no JSON: {error}") from error
        if request.headers.get("x-timestamp") == "old":
            raise HookRefused("signed too long ago", status=401)
        return [Inbound(**one) if "text" in one else ReceiptReport(**one) for one in said]


@pytest.fixture
def gateways(monkeypatch) -> list[HookedGateway]:
    """Two configured gateways with hooks, and one without."""
    found = [
        FakeGateway(name="fake silent"),
        HookedGateway(name=GATEWAY, hook=SECRET),
        HookedGateway(name="fake other", hook=OTHER_SECRET),
    ]
    monkeypatch.setattr(hook_calls, "configured", lambda: found)
    return found


@pytest.fixture
def call(gateways) -> Callable:
    """Call as a gateway does; returns (status, words)."""

    def call(
        said: object = None, *, secret: str = SECRET, body: bytes | None = None, **headers: str
    ) -> tuple[int, str]:
        content = json.dumps(said).encode() if body is None else body
        answer = Client(enforce_csrf_checks=True).post(
            reverse("hook", args=[secret]), content, content_type="application/json", **headers
        )
        return answer.status_code, answer.content.decode()

    return call


def delivered(sms: Delivery) -> dict[str, str]:
    return {"state": "delivered", "reference": sms.client_reference}


class TestWhoCalls:
    def test_a_receipt_by_the_right_caller_tells_the_notice(self, call) -> None:
        sms = a_taken_sms(gateway=GATEWAY)
        assert call([delivered(sms)]) == (200, "OK")
        assert life(sms)[0] == "told"
        assert KeptReceipt.objects.get().gateway == GATEWAY

    def test_a_get_is_a_call_too(self, gateways) -> None:
        sms = a_taken_sms(gateway=GATEWAY)
        answer = Client().get(reverse("hook", args=[SECRET]), delivered(sms))
        assert (answer.status_code, life(sms)[0]) == (200, "told")

    def test_each_secret_is_that_of_its_gateway(self, call) -> None:
        call([{"state": "failed", "provider_ids": ["1"]}], secret=OTHER_SECRET)
        assert KeptReceipt.objects.get().gateway == "fake other"

    @pytest.mark.parametrize("secret", ["wrong-secret-altogether", SECRET[:-1], SECRET + "x", "é"])
    def test_a_wrong_secret_finds_nothing_and_changes_nothing(self, call, secret) -> None:
        sms = a_taken_sms()
        assert call([delivered(sms)], secret=secret) == (404, "not found")
        assert life(sms)[0] == "open"

    def test_a_gateway_without_a_secret_cannot_be_called(self, gateways) -> None:
        assert hook_calls.gateway_called(secret="", address="127.0.0.1") is None

    def test_a_wrong_source_gets_the_answer_of_a_wrong_secret(self, gateways, call) -> None:
        only_from(gateways[1], "203.0.113.0/24")
        sms = a_taken_sms()
        assert call([delivered(sms)], REMOTE_ADDR="198.51.100.7") == (404, "not found")
        assert call([delivered(sms)], REMOTE_ADDR="203.0.113.9") == (200, "OK")

    def test_a_forwarded_address_counts_from_our_own_proxy_alone(
        self, gateways, call, settings
    ) -> None:
        only_from(gateways[1], "203.0.113.0/24")
        named = {"HTTP_X_FORWARDED_FOR": "203.0.113.9"}
        assert call([], REMOTE_ADDR="10.0.0.2", **named)[0] == 404
        settings.TRUSTED_PROXIES = environment.networks("10.0.0.0/8")
        assert call([], REMOTE_ADDR="10.0.0.2", **named)[0] == 200
        made_up = {"HTTP_X_FORWARDED_FOR": "203.0.113.9, 198.51.100.7"}
        assert call([], REMOTE_ADDR="10.0.0.2", **made_up)[0] == 404

    @pytest.mark.parametrize(
        ("address", "forwarded_for", "expected"),
        [
            ("198.51.100.7", "", "198.51.100.7"),
            ("198.51.100.7", "203.0.113.9", "198.51.100.7"),
            ("10.0.0.2", "203.0.113.9", "203.0.113.9"),
            ("10.0.0.2", "203.0.113.9, 10.0.0.3", "203.0.113.9"),
            ("10.0.0.2", "", "10.0.0.2"),
            ("10.0.0.2", "nonsense", "None"),
            ("::ffff:203.0.113.9", "", "203.0.113.9"),
            ("", "203.0.113.9", "None"),
        ],
    )
    def test_the_source_is_the_last_hop_that_is_not_ours(
        self, settings, address, forwarded_for, expected
    ) -> None:
        settings.TRUSTED_PROXIES = environment.networks("10.0.0.0/8")
        assert str(source(address, forwarded_for, settings.TRUSTED_PROXIES)) == expected

    def test_while_no_gateway_can_be_read_every_caller_is_asked_to_call_again(
        self, settings
    ) -> None:
        settings.SMS_GATEWAY_URL = "pigeon://"
        answer = Client().post(
            reverse("hook", args=[SECRET]), b"[]", content_type="application/json"
        )
        assert (answer.status_code, answer.content) == (503, b"try again")

    def test_neither_a_session_nor_a_csrf_token_is_needed_or_given(self, gateways) -> None:
        answer = Client(enforce_csrf_checks=True).post(
            reverse("hook", args=[SECRET]), b"[]", content_type="application/json"
        )
        assert answer.status_code == 200
        assert not answer.cookies

    def test_an_address_without_its_last_stroke_is_the_same(self, gateways) -> None:
        answer = Client().post(f"/hooks/{SECRET}", b"[]", content_type="application/json")
        assert answer.status_code == 200


def only_from(gateway: HookedGateway, networks: str) -> None:
    options = gateway.options
    gateway.options = type(options)(hook=options.hook, hook_from=environment.networks(networks))


class TestWhatIsSaid:
    def test_what_is_too_large_is_refused_and_not_read(self, gateways) -> None:
        request = RequestFactory().post("/", b"x", content_type="application/json")
        request.META["CONTENT_LENGTH"] = str(hook_calls.LARGEST_BODY + 1)
        request.read = lambda *_size: pytest.fail("it was read")
        assert hooks.hook(request, SECRET).status_code == 413

    def test_what_is_larger_than_announced_is_refused_too(self, call) -> None:
        assert call(body=b" " * hook_calls.LARGEST_BODY + b"[]") == (413, "too large")
        assert call(body=b" " * (hook_calls.LARGEST_BODY - 2) + b"[]") == (200, "OK")

    @pytest.mark.parametrize("body", [b"{", b"\x00\xff\xfe", b"<xml/>"])
    def test_garbage_is_refused_without_saying_why(self, call, body) -> None:
        assert call(body=body) == (400, "refused")

    def test_a_call_signed_too_long_ago_is_refused_as_its_gateway_says(self, call) -> None:
        assert call([], HTTP_X_TIMESTAMP="old") == (401, "refused")

    def test_what_its_gateway_stumbles_over_is_said_to_have_failed(self, call, caplog) -> None:
        assert call([{"unexpected": 1}]) == (500, "not understood here")
        assert "could not be read" in caplog.text

    def test_the_same_call_again_changes_nothing(self, call) -> None:
        sms = a_taken_sms(gateway=GATEWAY)
        said = [{"state": "failed", "reference": sms.client_reference}, REPLY]
        assert call(said) == (200, "OK")
        before = life(sms), KeptReceipt.objects.count(), Reply.objects.count()
        assert before == (("open", [("sms", "failed"), ("phone", "queued")]), 1, 1)
        assert call(said) == (200, "OK")
        assert (life(sms), KeptReceipt.objects.count(), Reply.objects.count()) == before

    def test_without_the_database_the_gateway_is_asked_to_call_again(
        self, call, monkeypatch
    ) -> None:
        def away(**_said: object) -> None:
            raise OperationalError("the database is away")

        monkeypatch.setattr(receiving, "receive", away)
        assert call([]) == (503, "try again")

    def test_a_flood_in_one_call_costs_a_constant_number_of_queries(
        self, call, django_assert_max_num_queries
    ) -> None:
        many = [a_taken_sms(gateway=GATEWAY) for _ in range(40)]
        said = [delivered(sms) for sms in many]
        foreign = [{"state": "failed", "provider_ids": [f"x{n}"]} for n in range(1000)]
        with django_assert_max_num_queries(20):
            call(said[:1] + foreign[:1])
        with django_assert_max_num_queries(20):
            assert call(said[1:] + foreign[1:]) == (200, "OK")
        assert KeptReceipt.objects.filter(delivery=None).count() == 1000
        assert KeptReceipt.objects.count() == 1040

    def test_a_stranger_costs_the_database_nothing(self, call, django_assert_num_queries) -> None:
        with django_assert_num_queries(0):
            call([], secret="wrong-secret-altogether")


REPLY = {"phone": "+32470000001", "text": "Merci", "key": "r1"}


class TestTheLog:
    def test_the_secret_is_not_written_into_the_log(self, call, caplog) -> None:
        handler = Collected()
        logging.getLogger().addHandler(handler)
        try:
            call(body=b"{")
            call([{"unexpected": 1}])
        finally:
            logging.getLogger().removeHandler(handler)
        assert any("/hooks/…" in line for line in handler.lines)
        assert SECRET not in " ".join(handler.lines)

    def test_refusals_are_counted_and_not_logged_one_by_one(
        self, call, caplog, monkeypatch
    ) -> None:
        monkeypatch.setattr(hook_calls, "_refusals", hook_calls._Refusals())
        for _ in range(30):
            call([], secret="wrong-secret-altogether")
        ours = [one for one in caplog.records if one.name == hook_calls.__name__]
        assert len(ours) == 1
        assert "wrong-secret-altogether" not in ours[0].getMessage()


class Collected(logging.Handler):
    """Keeps what the handler of the settings would write."""

    def __init__(self) -> None:
        super().__init__()
        self.addFilter(HideHookSecrets())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def test_a_proxy_that_is_no_network_is_refused_at_the_start() -> None:
    with pytest.raises(environment.ImproperlyConfigured, match=r"TRUSTED_PROXIES.*« nowhere »"):
        environment.networks("10.0.0.1, nowhere")
