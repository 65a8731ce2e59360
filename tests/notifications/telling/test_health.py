"""How the gateways are: each bad state is seen, and a quiet one is no bad one."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from notifications.models import (
    ClockStep,
    GatewayReach,
    GatewaySeat,
    GatewayState,
    SendingHost,
)
from notifications.telling import health as gateway_health
from notifications.telling.health import Condition, condition_of, names, overview
from staff import clock
from tests.builders import a_user
from tests.notifications.builders import SUNDAY, FakeGateway, an_sms
from tests.notifications.receipts.builders import a_taken_sms, in_parts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]
SECRET = "geheim-en-lang-genoeg"


def minutes(number: float) -> dt.datetime:
    """Return the real moment so many minutes ago."""
    return timezone.now() - dt.timedelta(minutes=number)


def condition(*, awaited: float = 0, gateway: FakeGateway | None = None, **fields) -> Condition:
    return condition_of(
        GatewayState(name="fake", **fields),
        gateway or FakeGateway(has_receipts=True, parts_per_day=100),
        awaited_for=dt.timedelta(minutes=awaited),
        now=timezone.now(),
    )


def hosts(*names: str, **fields) -> None:
    for name in names:
        SendingHost.objects.create(name=name, **({"seen_at": minutes(0)} | fields))


def a_lost_way(host: str) -> None:
    """Let a host say that it finds no way to the console, which stands for a gateway."""
    GatewayReach.objects.create(
        gateway="console",
        host=host,
        failures_in_a_row=2,
        away_until=minutes(-1),
        failed_at=minutes(1),
        complaint="pas de connexion",
    )


class TestTheCondition:
    def test_one_that_takes_messages_is_in_service(self) -> None:
        assert condition(accepted_at=minutes(1)) == Condition.IN_SERVICE

    def test_one_without_any_moment_was_never_used(self) -> None:
        assert condition() == Condition.UNUSED

    def test_a_gateway_that_is_backed_off_from_is_away_until_then(self) -> None:
        assert condition(away_until=minutes(-1), failures_in_a_row=3) == Condition.AWAY

    def test_one_that_may_be_tried_again_and_took_nothing_yet_is_failing(self) -> None:
        failing = {"away_until": minutes(1), "failures_in_a_row": 3, "failed_at": minutes(2)}
        assert condition(**failing) == Condition.FAILING

    def test_its_cap_counts_for_its_day(self) -> None:
        today, yesterday = SUNDAY.date(), SUNDAY.date() - dt.timedelta(days=1)
        spent = {"parts_of_day": 100, "accepted_at": minutes(1)}
        assert condition(day=today, **spent) == Condition.CAPPED
        assert condition(day=yesterday, **spent) == Condition.IN_SERVICE
        uncapped = FakeGateway()
        assert condition(gateway=uncapped, day=today, **spent) == Condition.IN_SERVICE

    def test_one_that_asked_for_less_is_slow_for_a_while(self) -> None:
        assert condition(throttled_at=minutes(1), accepted_at=minutes(1)) == Condition.SLOW
        assert condition(throttled_at=minutes(3), accepted_at=minutes(1)) == Condition.IN_SERVICE

    @pytest.mark.parametrize("reported", [None, 30])
    def test_one_that_takes_and_never_reports_is_silent(self, reported) -> None:
        fields = {"accepted_at": minutes(1), "reported_at": reported and minutes(reported)}
        assert condition(awaited=20, **fields) == Condition.SILENT

    def test_a_few_phones_that_are_switched_off_are_no_silence(self) -> None:
        fields = {"accepted_at": minutes(60), "reported_at": minutes(59)}
        assert condition(awaited=90, **fields) == Condition.IN_SERVICE

    def test_one_that_began_just_now_is_not_silent(self) -> None:
        fields = {"accepted_at": minutes(1), "reported_at": minutes(600)}
        assert condition(awaited=2, **fields) == Condition.IN_SERVICE

    def test_one_that_is_no_longer_configured_is_retired(self) -> None:
        state = GatewayState(name="old", away_until=minutes(-1))
        assert condition_of(state, None, now=timezone.now()) == Condition.RETIRED


class TestHosts:
    def test_one_host_without_a_way_is_named_and_the_gateway_is_not_away(self) -> None:
        hosts("srv-1", "srv-2")
        a_lost_way("srv-2")
        (health,) = overview().gateways
        assert health.condition == Condition.CUT_OFF
        assert [way.host for way in health.cut_off] == ["srv-2"]

    def test_it_is_away_when_every_host_that_is_alive_says_so(self) -> None:
        hosts("srv-1", "srv-2")
        hosts("srv-3", seen_at=minutes(2))
        for name in ("srv-1", "srv-2"):
            a_lost_way(name)
        (health,) = overview().gateways
        assert health.condition == Condition.AWAY
        assert health.away_until == minutes(-1)

    def test_what_a_host_that_is_gone_said_counts_no_more(self) -> None:
        hosts("srv-1")
        a_lost_way("srv-2")
        assert not overview().needs_attention

    def test_the_pages_name_the_host_and_the_board_says_so(self, client) -> None:
        hosts("srv-1", "srv-2")
        a_lost_way("srv-2")
        client.force_login(a_user("chief", "crisis_cell"))
        page = client.get(reverse("gateways")).content.decode().replace("&#x27;", "'")
        assert "srv-2 n'a plus de chemin jusqu'à elle" in page
        assert "machine n'a pas de chemin" in client.get(reverse("board")).content.decode().replace(
            "&#x27;", "'"
        )


class TestClocks:
    def test_a_difference_above_five_seconds_is_shown_and_no_less(self) -> None:
        hosts("srv-1", clock_ahead=4.9)
        hosts("srv-2", clock_ahead=-75.0)
        hosts("srv-3", clock_ahead=5.1)
        found = [
            (one.name, one.seconds_off, one.clock_ahead > 0) for one in overview().wrong_clocks
        ]
        assert found == [("srv-2", 75, False), ("srv-3", 5, True)]

    def test_the_clock_of_the_web_server_counts_too(self, monkeypatch, settings) -> None:
        monkeypatch.setattr(clock, "host_is_ahead", lambda: dt.timedelta(hours=1))
        (found,) = overview().wrong_clocks
        assert (found.name, found.seconds_off) == (settings.HOST_NAME, 3600)

    def test_the_health_page_and_the_board_say_so_and_that_sending_goes_on(self, client) -> None:
        hosts("srv-2", clock_ahead=3600.0)
        ClockStep.objects.create(noticed_at=minutes(30), was_at=minutes(-30))
        client.force_login(a_user("chief", "crisis_cell"))
        for name in ("gateways", "board", "telling"):
            page = client.get(reverse(name)).content.decode().replace("&#x27;", "'")
            assert "L'horloge de srv-2 avance de 1\xa0heure" in page
            assert "elle montrait le 15 mai, 09:30, puis le 15 mai, 08:30" in page
            assert "Les envois continuent" in page


class TestLongMessages:
    NAME = "smpp smsc:2775"

    @staticmethod
    def reported(number: int, *, twice: int = 0, at: dt.datetime | None = None) -> None:
        """Let so many long messages have one receipt, and of these some two."""
        for n in range(number):
            sms = in_parts(a_taken_sms(submitted_at=at or minutes(20)), f"{n}-1", f"{n}-2")
            parts = sms.numbered_parts.filter(part__lte=2 if n < twice else 1)
            parts.update(state="delivered")

    @pytest.fixture(autouse=True)
    def _an_smsc(self, settings, monkeypatch) -> None:
        settings.SMS_GATEWAY_URL = "smpp://u:p@smsc:2775"
        monkeypatch.setattr(gateway_health, "ENOUGH_LONG", 5)

    def test_after_enough_of_which_none_had_two_receipts_the_setting_is_proposed(
        self, client
    ) -> None:
        self.reported(4)
        assert gateway_health.one_part_proposals() == {}
        self.reported(1)
        assert gateway_health.one_part_proposals()[self.NAME] == 5
        client.force_login(a_user("chief", "crisis_cell"))
        page = client.get(reverse("gateways")).content.decode()
        assert "long_receipts=one dans SMS_GATEWAY_URL" in page

    def test_one_with_two_speaks_against_it(self) -> None:
        self.reported(6, twice=1)
        assert gateway_health.one_part_proposals() == {}

    def test_what_left_just_now_may_have_its_second_one_on_the_way(self) -> None:
        self.reported(6, at=minutes(1))
        assert gateway_health.one_part_proposals() == {}

    def test_it_is_not_proposed_again_to_who_set_it_and_withdrawn_loudly(
        self, client, settings
    ) -> None:
        settings.SMS_GATEWAY_URL = "smpp://u:p@smsc:2775?long_receipts=one"
        self.reported(6)
        assert gateway_health.one_part_proposals() == {}
        moments = {"accepted_at": minutes(1), "reported_at": minutes(1)}
        state = GatewayState.objects.create(name=self.NAME, **moments)
        assert not overview().needs_attention
        GatewayState.objects.filter(pk=state.pk).update(two_receipts_at=minutes(2))
        assert overview().gateways[0].condition == Condition.CONTRADICTED
        client.force_login(a_user("chief", "crisis_cell"))
        assert "plus suivi" in client.get(reverse("gateways")).content.decode()
        assert "long_receipts=one" in client.get(reverse("board")).content.decode()


class TestTheOverview:
    @pytest.fixture(autouse=True)
    def _two_gateways(self, settings) -> None:
        settings.SMS_GATEWAY_URL = (
            f"http+json://user:{SECRET}@sms.example/send?hook={SECRET}&from=any&tps=20&sessions=2"
            " console://"
        )

    def test_it_keeps_the_order_of_preference_and_those_of_old_at_the_end(self) -> None:
        GatewayState.objects.create(name="ancienne")
        found = [(one.place, one.state.name) for one in overview().gateways]
        assert found == [(1, "http+json sms.example"), (2, "console"), (0, "ancienne")]
        assert names() == ["http+json sms.example", "console", "ancienne"]

    def test_it_counts_what_waits_what_is_unknown_and_who_is_connected(self) -> None:
        name = "http+json sms.example"
        an_sms(state="accepted", gateway=name, submitted_at=SUNDAY)
        an_sms(state="accepted", gateway=name, submitted_at=SUNDAY, finished_at=SUNDAY)
        an_sms(state="unknown", gateway=name, submitted_at=SUNDAY)
        for seat, ends in enumerate((minutes(-1), minutes(1))):
            GatewaySeat.objects.create(gateway=name, seat=seat, worker="w", until=ends)
        first = overview().gateways[0]
        assert (first.waiting, first.unknown, first.connected) == (1, 1, 1)

    def test_a_condition_that_needs_a_person_needs_attention(self) -> None:
        state = GatewayState.objects.create(name="console", throttled_at=minutes(1))
        assert not overview().needs_attention
        GatewayState.objects.filter(pk=state.pk).update(away_until=minutes(-1))
        assert [one.state.name for one in overview().needing_attention] == ["console"]

    def test_it_takes_six_queries(self, django_assert_num_queries) -> None:
        for number in range(5):
            GatewayState.objects.create(name=f"g{number}")
            an_sms(state="unknown", gateway=f"g{number}")
        with django_assert_num_queries(6):
            overview()

    def test_the_page_says_how_each_is_and_what_to_do_and_no_secret(self, client) -> None:
        GatewayState.objects.create(
            name="console",
            away_until=minutes(-2),
            failures_in_a_row=2,
            failed_at=minutes(1),
            complaint="connexion refusée",
        )
        client.force_login(a_user("chief", "crisis_cell"))
        page = client.get(reverse("gateways")).content.decode()
        assert "hors d'atteinte jusqu'au dimanche 15 mai, 09:02:00" in page.replace("&#x27;", "'")
        assert "téléphonez au fournisseur" in page
        assert "connexion refusée" in page
        assert "20 parties/s" in page
        assert SECRET not in page

    def test_the_board_and_the_telling_say_so_too(self, client) -> None:
        client.force_login(a_user("chief", "crisis_cell"))
        for name in ("board", "telling", "board_live", "telling_live"):
            assert "Que faire" not in client.get(reverse(name)).content.decode()
        GatewayState.objects.create(name="console", away_until=minutes(-2))
        for name in ("board", "telling", "board_live", "telling_live"):
            assert "Que faire" in client.get(reverse(name)).content.decode()

    def test_a_configuration_that_cannot_be_read_is_shown_and_breaks_no_page(
        self, client, settings
    ) -> None:
        settings.SMS_GATEWAY_URL = "smoke://signals"
        client.force_login(a_user("chief", "crisis_cell"))
        assert "inconnu" in client.get(reverse("gateways")).content.decode()
        assert "mal configurées" in client.get(reverse("telling")).content.decode()
        assert client.get(reverse("outbox")).status_code == 200
