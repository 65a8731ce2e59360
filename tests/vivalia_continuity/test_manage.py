"""manage.py as an operator meets it: sentences, never stack traces."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SERVER = {
    "SECRET_KEY": "5f0c1b7e9a4d42c8b3e6f7a1092d8c45",
    "TRAIL_KEY": "c9e2a7d4016b4f58a3d1e0b7f6c28491",
    "ALLOWED_HOSTS": "localhost",
    "REDIS_URL": "redis://localhost:1/0",
    "SMS_GATEWAY_URL": "console://",
}


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_bad_settings_end_in_a_sentence_that_says_what_to_set(tmp_path):
    result = manage("check", DATABASE_URL="postgres://db/continuity", DATA_DIR=str(tmp_path))
    assert result.returncode != 0
    assert result.stderr.startswith("Configuration : SECRET_KEY manque")
    assert "ALLOWED_HOSTS manque" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_secret_file_that_is_not_there_ends_in_a_sentence(tmp_path):
    result = manage("check", SECRET_KEY_FILE=str(tmp_path / "none"), DATA_DIR=str(tmp_path))
    assert result.returncode != 0
    assert "SECRET_KEY_FILE désigne" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_typo_in_the_quiet_hours_ends_in_a_sentence(tmp_path):
    result = manage("check", SMS_QUIET_HOURS="21h-8h", DATA_DIR=str(tmp_path))
    assert result.returncode != 0
    assert result.stderr.startswith("Configuration : SMS_QUIET_HOURS : « 21h-8h »")
    assert len(result.stderr.splitlines()) == 1


def test_sound_settings_pass_the_check(tmp_path):
    result = manage("check", DATA_DIR=str(tmp_path))
    assert (result.returncode, result.stderr) == (0, "")


COMMANDS = [
    ["verify"],
    ["notices"],
    ["print_rosters", "--day", "2022-05-16", "--out", "rosters"],
    ["print_calls", "--by", "anne", "--out", "calls.pdf"],
    ["bulletin", "list"],
    ["bulletin", "pause"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_database_without_tables_ends_in_a_sentence_that_says_what_to_do(tmp_path, command):
    result = manage(*command, DATA_DIR=str(tmp_path))
    assert result.returncode == 1
    assert "Lancez « manage.py migrate »" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_database_that_does_not_answer_ends_in_a_sentence(tmp_path):
    result = manage(
        "notices",
        DATA_DIR=str(tmp_path),
        DATABASE_URL="postgres://localhost:1/nothing",
        **SERVER,
    )
    assert result.returncode == 1
    assert result.stderr.startswith("Base de données : elle ne répond pas")
    assert len(result.stderr.splitlines()) == 1


@pytest.fixture
def taken_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_serve_says_that_the_port_is_taken_and_starts_nothing(tmp_path, taken_port):
    result = manage("serve", "--port", str(taken_port), DATA_DIR=str(tmp_path))
    assert result.returncode == 2
    assert f"Le port {taken_port} est déjà pris" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "continuity.sqlite3").exists()


def test_serve_leaves_server_mode_to_its_own_processes(tmp_path):
    result = manage(
        "serve",
        DATA_DIR=str(tmp_path),
        DATABASE_URL="postgres://localhost:1/nothing",
        **SERVER,
    )
    assert result.returncode == 2
    assert "DATABASE_URL choisit le mode serveur" in result.stderr
