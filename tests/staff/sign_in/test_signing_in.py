"""Signing in through the pages: pauses, known devices, second factors, and the trail of it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from staff.models import AuditEvent, Role, SignInTry, User
from staff.sign_in import devices, tries
from staff.sign_in.limits import SignInStep
from tests.builders import a_user
from vivalia_continuity import environment

pytestmark = pytest.mark.django_db
PASSWORD = "motdepasse-de-test"  # of every a_user
TRIES = 3
OURS, THEIRS = "192.0.2.10", "203.0.113.66"


@pytest.fixture(autouse=True)
def few_tries(settings) -> None:
    settings.SIGN_IN_TRIES = TRIES


@pytest.fixture
def anne(db) -> User:
    return a_user("anne", Role.CRISIS_CELL)


def sign_in(client: Client, password: str = PASSWORD, *, login: str = "anne", address: str = OURS):
    form = {"login": login, "password": password}
    return client.post(reverse("account_login"), form, REMOTE_ADDR=address)


def fail(times: int, *, login: str = "anne", address: str = THEIRS, client: Client | None = None):
    for _ in range(times):
        answer = sign_in(client or Client(), "faux", login=login, address=address)
    return answer


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("sequence").values_list("action", flat=True))


class TestAPause:
    def test_after_too_many_wrong_passwords_the_right_one_is_not_looked_at(self, anne):
        fail(TRIES, address=OURS)
        answer = sign_in(Client())
        assert answer.status_code == 429
        assert "Trop d'essais" in answer.content.decode()
        assert int(answer["Retry-After"]) > 0

    def test_a_try_during_the_pause_does_not_make_it_longer(self, anne):
        with time_machine.travel("2022-05-14 04:00Z", tick=False) as clock:
            fail(TRIES, address=OURS)
            for _ in range(20):
                clock.shift(40)
                assert sign_in(Client()).status_code == 429
            clock.shift(101)  # 15 minutes and a second after the first failure
            assert sign_in(Client()).status_code == 302

    def test_others_elsewhere_do_not_lock_this_address_out(self, anne):
        fail(TRIES, address=THEIRS)
        assert sign_in(Client()).status_code == 302

    def test_a_forged_header_is_no_other_address(self, anne):
        for number in range(TRIES):
            Client().post(
                reverse("account_login"),
                {"login": "anne", "password": "faux"},
                REMOTE_ADDR=THEIRS,
                HTTP_X_FORWARDED_FOR=f"198.51.100.{number}",
            )
        assert sign_in(Client(), address=THEIRS).status_code == 429

    def test_behind_our_proxy_the_real_address_counts(self, anne, settings):
        settings.TRUSTED_PROXIES = environment.networks("10.0.0.0/8")
        form = {"login": "anne", "password": "faux"}
        for _ in range(TRIES):
            Client().post(
                reverse("account_login"), form, REMOTE_ADDR="10.0.0.2", HTTP_X_FORWARDED_FOR=THEIRS
            )
        through = {"REMOTE_ADDR": "10.0.0.2", "HTTP_X_FORWARDED_FOR": OURS}
        right = {"login": "anne", "password": PASSWORD}
        assert Client().post(reverse("account_login"), right, **through).status_code == 302

    def test_spelling_variants_of_a_name_share_a_budget(self, anne):
        fail(1, login="anne", address=OURS)
        fail(1, login=" ANNE", address=OURS)
        fail(1, login="Anne", address=OURS)
        assert sign_in(Client()).status_code == 429

    def test_a_right_password_forgets_the_failures(self, anne):
        fail(TRIES - 1, address=OURS)
        assert sign_in(Client()).status_code == 302
        assert not SignInTry.objects.exists()

    def test_a_name_that_does_not_exist_is_paused_alike(self, db):
        assert fail(TRIES + 1, login="nobody").status_code == 429

    def test_an_address_that_tries_many_accounts_waits_between_tries(self, anne):
        with time_machine.travel("2022-05-14 04:00Z", tick=False) as clock:
            for number in range(5):
                fail(1, login=f"nobody-{number}", address=OURS)
            answer = sign_in(Client())
            assert answer.status_code == 429
            assert "trop de comptes différents" in answer.content.decode()
            clock.shift(2)
            assert sign_in(Client()).status_code == 302


class TestAKnownDevice:
    @pytest.fixture
    def known(self, anne) -> Client:
        client = Client()
        sign_in(client)
        client.post(reverse("account_logout"))
        return client

    def test_strangers_cannot_lock_it_out(self, known):
        fail(TRIES + 1, address=THEIRS)
        fail(TRIES + 1, address=OURS)
        assert sign_in(Client()).status_code == 429
        assert sign_in(known).status_code == 302

    def test_a_slowed_address_does_not_touch_it(self, known):
        for number in range(8):
            fail(1, login=f"nobody-{number}", address=OURS)
        assert sign_in(known).status_code == 302

    def test_it_has_a_limit_of_its_own_that_locks_out_nobody_else(self, known):
        fail(TRIES, client=known, address=OURS)
        assert sign_in(known).status_code == 429
        assert sign_in(Client()).status_code == 302

    def test_it_still_needs_the_password(self, known):
        assert sign_in(known, "faux").status_code == 200

    def test_it_is_known_to_that_account_only(self, known):
        a_user("luc", Role.NURSE)
        fail(TRIES, login="luc", address=OURS)
        assert sign_in(known, login="luc").status_code == 429

    def test_the_cookie_is_out_of_reach_of_scripts_and_lives_ninety_days(self, known, anne):
        cookie = known.cookies[f"device_{anne.pk}"]
        assert cookie["httponly"]
        assert cookie["max-age"] == 90 * 24 * 3600
        assert cookie["path"] == "/account/"

    @pytest.mark.parametrize("how", ["password", "forget", "cookie", "another's cookie"])
    def test_a_void_cookie_makes_a_stranger(self, known, anne, how):
        if how == "password":
            anne.set_password("un tout autre mot de passe")
            anne.save()
        elif how == "forget":
            devices.forget_all(anne)
        elif how == "cookie":
            known.cookies[f"device_{anne.pk}"] = "made up"
        else:
            luc = a_user("luc")
            other = Client()
            sign_in(other, login="luc")
            known.cookies[f"device_{anne.pk}"] = other.cookies[f"device_{luc.pk}"].value
            anne.devices_version = 5
            anne.save()
        fail(TRIES, address=OURS)
        assert sign_in(known).status_code == 429

    def test_after_ninety_days_it_is_a_stranger(self, anne):
        with time_machine.travel("2022-05-14 04:00Z", tick=False) as clock:
            client = Client()
            sign_in(client)
            clock.shift(90 * 24 * 3600 + 1)
            cookie = client.cookies[f"device_{anne.pk}"].value
            request = type("Request", (), {"COOKIES": {f"device_{anne.pk}": cookie}})
            assert devices.of(request, anne) == ""

    def test_a_new_secret_key_keeps_it_known(self, known, settings):
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another key, long enough to be one"
        fail(TRIES, address=OURS)
        assert sign_in(known).status_code == 302


class TestTheSecondFactor:
    SECRET = "JBSWY3DPEHPK3PXP"

    @pytest.fixture
    def moment(self) -> Iterator[time_machine.Traveller]:
        cache.clear()  # in which allauth notes the codes that were used
        with time_machine.travel("2022-05-14 04:00Z", tick=False) as clock:
            yield clock

    @pytest.fixture
    def guarded(self, anne, moment) -> User:
        TOTP.activate(anne, self.SECRET)
        return anne

    def code(self) -> str:
        counter = next(iter(yield_hotp_counters_from_time()))
        return format_hotp_value(hotp_value(self.SECRET, counter))

    def enter(self, client: Client, code: str, address: str = OURS):
        return client.post(reverse("mfa_authenticate"), {"code": code}, REMOTE_ADDR=address)

    def guess(self, address: str = THEIRS, client: Client | None = None):
        """Enter wrong codes until something else is said, at most 20."""
        client = client or Client()
        sign_in(client, address=address)
        for number in range(20):
            answer = self.enter(client, "000000", address)
            if answer.status_code != 200:
                return number, answer.status_code
        return 20, answer.status_code

    def test_the_right_code_signs_in(self, guarded):
        client = Client()
        sign_in(client)
        assert self.enter(client, self.code()).status_code == 302
        assert client.get(reverse("home")).status_code == 302
        assert "account.signed_in" in actions()

    def test_a_code_is_taken_once_over_all_processes(self, guarded, moment):
        code = self.code()
        for status in (302, 200):
            client = Client()
            sign_in(client)
            assert self.enter(client, code).status_code == status
            cache.clear()  # the next one is another process, whose memory is its own
        assert "account.factor_failed" in actions()
        moment.shift(30)
        assert self.enter(client, code).status_code == 200
        assert self.enter(client, self.code()).status_code == 302

    def test_a_recovery_code_is_taken_once_over_all_processes(self, guarded):
        codes = RecoveryCodes.activate(guarded).get_unused_codes()
        for status in (302, 200):
            client = Client()
            sign_in(client)
            assert self.enter(client, codes[0]).status_code == status
            cache.clear()

    def test_wrong_codes_are_limited_over_all_strangers(self, guarded):
        assert self.guess(THEIRS) == (TRIES, 429)
        assert self.guess("198.51.100.7") == (0, 429)

    def test_signing_in_with_the_password_again_gives_no_new_codes(self, guarded):
        client = Client()
        self.guess(client=client)
        assert self.guess(client=client) == (0, 429)

    def test_a_stranger_with_the_password_cannot_use_up_the_owners_codes(self, guarded, moment):
        owner = Client()
        sign_in(owner)
        self.enter(owner, self.code())
        owner.post(reverse("account_logout"))
        assert self.guess(THEIRS) == (TRIES, 429)
        moment.shift(60)
        sign_in(owner)
        assert self.enter(owner, "000000").status_code == 200
        assert self.enter(owner, self.code()).status_code == 302

    def test_a_known_device_has_a_limit_too(self, guarded):
        owner = Client()
        sign_in(owner)
        self.enter(owner, self.code())
        owner.post(reverse("account_logout"))
        assert self.guess(OURS, client=owner) == (TRIES, 429)


class TestManyAtOnce:
    @pytest.mark.postgresql  # SQLite has one writer
    @pytest.mark.django_db(transaction=True)
    def test_of_many_who_enter_one_code_at_once_one_comes_in(self, settings):
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
        settings.SIGN_IN_TRIES = 20
        secret = TestTheSecondFactor.SECRET
        TOTP.activate(a_user("anne", Role.CRISIS_CELL), secret)
        clients = [Client() for _ in range(8)]

        def enter(client: Client) -> int:
            try:
                return client.post(reverse("mfa_authenticate"), {"code": code}).status_code
            finally:
                connection.close()

        with time_machine.travel("2022-05-14 04:00Z", tick=False), ThreadPoolExecutor(8) as pool:
            for client in clients:
                sign_in(client)
            counter = next(iter(yield_hotp_counters_from_time()))
            code = format_hotp_value(hotp_value(secret, counter))
            assert sorted(pool.map(enter, clients)) == [200] * 7 + [302]

    @pytest.mark.postgresql  # SQLite has one writer
    @pytest.mark.django_db(transaction=True)
    def test_tries_at_once_do_not_exceed_the_budget(self):
        who = tries.Visitor("anne", THEIRS)

        def one(_number: int) -> bool:
            try:
                return tries.begin(who, SignInStep.PASSWORD) is None
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            allowed = sum(pool.map(one, range(24)))
        assert allowed == TRIES


class TestTheTrail:
    def test_signing_in_and_out_is_in_it(self, anne):
        client = Client()
        sign_in(client)
        client.post(reverse("account_logout"))
        assert actions() == ["account.signed_in", "account.signed_out"]
        event = AuditEvent.objects.get(action="account.signed_in")
        assert event.detail == {"address": OURS, "known_device": False}

    def test_failures_and_the_pause_are_in_it_and_tries_during_the_pause_are_not(self, anne):
        fail(TRIES + 5)
        assert actions() == ["account.password_failed"] * TRIES + ["account.locked_out"]
        event = AuditEvent.objects.filter(action="account.locked_out").get()
        assert (event.object_id, event.detail["address"]) == (str(anne.pk), THEIRS)

    def test_a_second_factor_that_comes_or_goes_is_in_it(
        self, anne, django_capture_on_commit_callbacks
    ):
        client = Client()
        with time_machine.travel("2022-05-14 04:00Z", tick=False):
            sign_in(client)
            client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
            page = client.get(reverse("mfa_activate_totp"))
            secret = page.context["form"].secret
            counter = next(iter(yield_hotp_counters_from_time()))
            code = format_hotp_value(hotp_value(secret, counter))
            with django_capture_on_commit_callbacks(execute=True):
                client.post(reverse("mfa_activate_totp"), {"code": code})
        assert "account.factor_added" in actions()

    def test_a_password_of_ones_own_is_in_it(self, anne):
        client = Client()
        sign_in(client)
        new = "cheval vert sous la table"
        form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
        client.post(reverse("account_change_password"), form)
        assert "account.password_changed" in actions()


class TestUnlocking:
    def test_the_command_lists_and_unlocks(self, anne, capsys):
        fail(TRIES, address=OURS)
        call_command("unlock")
        assert "anne" in capsys.readouterr().out
        call_command("unlock", "anne")
        assert sign_in(Client()).status_code == 302
        assert "account.unlocked" in actions()

    def test_an_administrator_unlocks_with_a_button(self, anne):
        fail(TRIES, address=OURS)
        ada = a_user("ada")
        ada.is_staff = True
        ada.save()
        client = Client()
        client.force_login(ada)
        form = {"action": "unlock", "_selected_action": [anne.pk]}
        client.post(reverse("admin:staff_user_changelist"), form)
        assert sign_in(Client()).status_code == 302

    def test_the_board_says_who_of_the_crisis_cell_is_locked_out(self, anne):
        a_user("nina", Role.NURSE)
        fail(TRIES, login="nina")
        fail(TRIES, login="anne")
        colleague = a_user("luc", Role.CRISIS_CELL)
        client = Client()
        client.force_login(colleague)
        page = client.get(reverse("board")).content.decode()
        assert "anne, de la cellule de crise, ne peut pas se connecter" in page
        assert "nina, de la cellule" not in page

    def test_in_a_drill_every_end_of_a_pause_is_on_the_day_of_the_drill(
        self, anne, settings, capsys
    ):
        settings.DEMO_TODAY = "2022-05-14"
        with time_machine.travel("2026-11-23 07:05Z", tick=False):
            refused = fail(TRIES + 1).content.decode()
            client = Client()
            client.force_login(a_user("luc", Role.CRISIS_CELL))
            board = client.get(reverse("board")).content.decode()
            call_command("unlock")
        assert "Attendez jusqu'au samedi 14 mai, 08:20" in refused
        assert "nouvel appareil jusqu'au samedi 14 mai, 08:20" in board
        assert "14/05 08:20" in capsys.readouterr().out
        event = AuditEvent.objects.get(action="account.locked_out")
        assert event.detail["until"].startswith("2022-05-14")

    def test_the_number_of_queries_does_not_grow(self, anne, django_assert_num_queries):
        fail(TRIES)
        with django_assert_num_queries(2):
            assert len(tries.locked_out(Role.CRISIS_CELL)) == 1
        for number in range(4):
            a_user(f"crise{number}", Role.CRISIS_CELL)
            fail(TRIES, login=f"crise{number}", address=f"198.51.100.{number}")
        with django_assert_num_queries(2):
            assert len(tries.locked_out(Role.CRISIS_CELL)) == 5
