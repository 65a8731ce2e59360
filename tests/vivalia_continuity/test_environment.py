"""A server with a missing or unsafe setting does not start, and says what to set."""

import datetime as dt
from random import Random

import pytest
from django.core.exceptions import ImproperlyConfigured

from vivalia_continuity import environment

SOUND = {
    "DATABASE_URL": "postgres://continuity@db/continuity",
    "SECRET_KEY": "5f0c1b7e9a4d42c8b3e6f7a1092d8c45",
    "TRAIL_KEY": "c9e2a7d4016b4f58a3d1e0b7f6c28491",
    "ALLOWED_HOSTS": "continuity.example.org",
    "REDIS_URL": "redis://redis:6379/0",
    "SMS_GATEWAY_URL": "console://",
}


def refusal(**changed: str) -> str:
    with pytest.raises(ImproperlyConfigured) as caught:
        environment.check_server_mode(SOUND | changed)
    return str(caught.value)


def test_sound_settings_are_accepted():
    environment.check_server_mode(SOUND)


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "TRAIL_KEY", "ALLOWED_HOSTS", "REDIS_URL", "SMS_GATEWAY_URL"]
)
def test_a_missing_setting_is_named(name):
    assert refusal(**{name: ""}).startswith(f"{name} manque")


def test_a_short_secret_key_is_refused():
    assert "32 caractères" in refusal(SECRET_KEY="a" * 31)


@pytest.mark.parametrize(
    "key", ["a" * 50, "azertyui" * 5, "0123456" * 8, "django-insecure-5f0c1b7e9a4d42c8b3e6f7a1092"]
)
@pytest.mark.parametrize("name", ["SECRET_KEY", "TRAIL_KEY"])
def test_a_long_key_that_can_be_guessed_is_refused(name, key):
    assert f"{name} se devine" in refusal(**{name: key})


def test_keys_drawn_by_lot_are_accepted():
    lot = Random(14)  # always the same two thousand
    keys = ["".join(lot.choices("0123456789abcdef", k=64)) for _ in range(2000)]
    assert not any(map(environment.is_weak, keys))


def test_the_key_of_the_trail_is_not_the_secret_key():
    assert "TRAIL_KEY est la même" in refusal(TRAIL_KEY=SOUND["SECRET_KEY"])


@pytest.mark.parametrize(
    "url", ["kannel+http://u:p@sms.example.org:13013/", "smpp://u:p@10.0.0.5:2775/"]
)
def test_a_gateway_in_clear_text_on_another_host_is_refused_unless_told(url):
    sentence = refusal(SMS_GATEWAY_URL=url)
    assert "serait joint en clair" in sentence
    assert "u:p" not in sentence
    environment.check_server_mode(SOUND | {"SMS_GATEWAY_URL": url, "ALLOW_CLEARTEXT_GATEWAY": "1"})


@pytest.mark.parametrize(
    "url",
    [
        *("kannel+http://u:p@127.0.0.1:13013/", "smpp://u:p@localhost:2775/", "http://[::1]:9/"),
        *("https://sms.example.org/send", "smpps://u:p@sms.example.org:3550/", "console://"),
    ],
)
def test_encrypted_gateways_and_those_on_this_machine_are_accepted(url):
    environment.check_server_mode(SOUND | {"SMS_GATEWAY_URL": url})


def test_every_clear_text_gateway_is_named_and_not_only_the_first():
    urls = "https://a.example.org smpp://b.example.org http://c.example.org"
    assert environment.clear_text_gateways(urls) == ["smpp://b.example.org", "http://c.example.org"]


def test_hosts_made_of_blanks_and_commas_are_no_hosts():
    assert "ALLOWED_HOSTS manque" in refusal(ALLOWED_HOSTS=" , ")


def test_any_host_is_refused():
    assert "nommez les serveurs" in refusal(ALLOWED_HOSTS="continuity.example.org, *")


@pytest.mark.parametrize("value", ["1", "true", "True", "YES", "on"])
def test_a_server_never_runs_in_debug_mode(value):
    assert "DEBUG est actif" in refusal(DEBUG=value)


def test_all_faults_are_said_at_once():
    sentence = refusal(SECRET_KEY="", REDIS_URL="", DEBUG="1")
    assert all(name in sentence for name in ("SECRET_KEY", "REDIS_URL", "DEBUG"))


def test_naming_a_database_makes_a_server():
    assert environment.is_server_mode(SOUND)
    assert not environment.is_server_mode({})
    assert not environment.is_server_mode({"DATABASE_URL": ""})


def test_a_secret_is_read_from_its_file(tmp_path):
    (tmp_path / "key").write_text("b" * 50 + "\n", encoding="utf-8")
    found = environment.with_secret_files({"SECRET_KEY_FILE": str(tmp_path / "key")})
    assert found["SECRET_KEY"] == "b" * 50


def test_a_secret_given_outright_stands_above_its_file(tmp_path):
    (tmp_path / "key").write_text("b" * 50, encoding="utf-8")
    given = {"SECRET_KEY": "a" * 50, "SECRET_KEY_FILE": str(tmp_path / "key")}
    assert environment.with_secret_files(given)["SECRET_KEY"] == "a" * 50


def test_a_secret_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL_FILE désigne"):
        environment.with_secret_files({"REDIS_URL_FILE": str(tmp_path / "nothing")})


@pytest.mark.parametrize("text", ["", "21:00-08:00"])
def test_quiet_hours_that_can_be_read_stay_as_written(text):
    assert environment.checked_quiet_hours(text) == text


@pytest.mark.parametrize("text", ["21-8", "la nuit", "08:00-08:00"])
def test_quiet_hours_that_cannot_be_read_are_one_sentence_with_the_setting(text):
    with pytest.raises(ImproperlyConfigured, match=rf"^SMS_QUIET_HOURS : « {text} » .*\.$"):
        environment.checked_quiet_hours(text)


def test_an_hour_is_read():
    assert environment.checked_hour("RULINGS_DUE_AT", "18:30") == dt.time(18, 30)


@pytest.mark.parametrize("text", ["", "18", "25:00", "le soir"])
def test_an_hour_that_cannot_be_read_is_one_sentence_with_the_setting(text):
    with pytest.raises(ImproperlyConfigured, match=rf"^RULINGS_DUE_AT : « {text} » .*18:00\.$"):
        environment.checked_hour("RULINGS_DUE_AT", text)


def test_the_embedded_key_is_made_once_and_for_its_owner_only(tmp_path):
    key = environment.embedded_key(tmp_path / "var", "secret_key")
    assert len(key) >= environment.SHORTEST_SECRET_KEY
    assert environment.embedded_key(tmp_path / "var", "secret_key") == key
    assert (tmp_path / "var" / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_data_directory_remembers_that_it_is_a_drill(tmp_path):
    assert environment.drill_day(tmp_path) == ""
    (tmp_path / environment.DRILL_MARKER).write_text("2022-05-14\n", encoding="utf-8")
    assert environment.drill_day(tmp_path) == "2022-05-14"
