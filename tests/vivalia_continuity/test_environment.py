"""A server with a missing or unsafe setting does not start, and says what to set."""

import datetime as dt

import pytest
from django.core.exceptions import ImproperlyConfigured

from vivalia_continuity import environment

SOUND = {
    "DATABASE_URL": "postgres://continuity@db/continuity",
    "SECRET_KEY": "a" * 50,
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


@pytest.mark.parametrize("name", ["SECRET_KEY", "ALLOWED_HOSTS", "REDIS_URL", "SMS_GATEWAY_URL"])
def test_a_missing_setting_is_named(name):
    assert refusal(**{name: ""}).startswith(f"{name} manque")


def test_a_short_secret_key_is_refused():
    assert "32 caractères" in refusal(SECRET_KEY="a" * 31)


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
    key = environment.embedded_secret_key(tmp_path / "var")
    assert len(key) >= environment.SHORTEST_SECRET_KEY
    assert environment.embedded_secret_key(tmp_path / "var") == key
    assert (tmp_path / "var" / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_data_directory_remembers_that_it_is_a_drill(tmp_path):
    assert environment.drill_day(tmp_path) == ""
    (tmp_path / environment.DRILL_MARKER).write_text("2022-05-14\n", encoding="utf-8")
    assert environment.drill_day(tmp_path) == "2022-05-14"
