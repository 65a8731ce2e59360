"""The gateway that writes files, in a real directory."""

import json
import os
import stat
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from notifications.gateways import (
    Accepted,
    Gateway,
    Message,
    NotSent,
    Refused,
    Unknown,
    gateway_from_url,
)
from notifications.models import Failure
from tests.notifications.gateways.conformance import (
    PHONE,
    REFERENCE,
    Conforms,
    check,
    some_messages,
    submit,
)

MESSAGE = Message(REFERENCE, PHONE, "Ne venez pas. É€")


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    """A directory whose reader keeps what it took."""
    for place in ("done", "failed"):
        (tmp_path / place).mkdir()
    return tmp_path


def gateway_at(directory: Path, options: str = "") -> Gateway:
    """Return the gateway to a directory."""
    return gateway_from_url(f"file://{directory}?{options}")


def files_in(directory: Path) -> list[str]:
    """Return the names of all files, hidden ones too."""
    return sorted(one.name for one in directory.iterdir() if one.is_file())


class TestFiles(Conforms):
    @pytest.fixture(autouse=True)
    def where(self, tmp_path: Path) -> None:
        """Remember the directory."""
        self.directory = tmp_path

    def gateway(self) -> AbstractContextManager[Gateway]:
        """Return the gateway; its peer reads later."""
        return nullcontext(gateway_at(self.directory))


def test_a_message_is_one_whole_file(outbox: Path) -> None:
    submit(gateway_at(outbox, "sender=Vivalia"), [MESSAGE])
    assert files_in(outbox) == [f"{REFERENCE}.json"]
    assert json.loads((outbox / f"{REFERENCE}.json").read_text()) == {
        "reference": REFERENCE,
        "to": PHONE,
        "text": "Ne venez pas. É€",
        "parts": 1,
        "sender": "Vivalia",
    }


def test_a_hundred_messages_are_a_hundred_files(outbox: Path) -> None:
    submit(gateway_at(outbox), some_messages(100))
    assert len(files_in(outbox)) == 100


def test_for_gammu_the_number_stands_after_the_third_underscore_and_the_text_has_its_mark(
    outbox: Path,
) -> None:
    submit(gateway_at(outbox, "format=gammu"), [MESSAGE])
    (name,) = files_in(outbox)
    assert name.startswith("OUT")
    assert name.endswith(".txt")
    assert name.split("_")[3] == PHONE
    assert len(name) < 100, "gammu-smsd keeps names in 100 octets"
    assert (outbox / name).read_bytes()[:2] in (b"\xff\xfe", b"\xfe\xff")
    assert (outbox / name).read_text("utf-16") == "Ne venez pas. É€"


class TestAReferenceWrittenTwice:
    def test_is_one_file(self, outbox: Path) -> None:
        gateway = gateway_at(outbox)
        first, again = (submit(gateway, [MESSAGE])[0][1] for _ in range(2))
        assert first == again == Accepted(f"{REFERENCE}.json")
        assert files_in(outbox) == [f"{REFERENCE}.json"]

    @pytest.mark.parametrize("options", ["keeps=1", "keeps=1&format=gammu"])
    @pytest.mark.parametrize("place", ["done", "failed"])
    def test_is_not_written_again_once_the_reader_took_it(
        self, outbox: Path, options: str, place: str
    ) -> None:
        gateway = gateway_at(outbox, options)
        submit(gateway, [MESSAGE])
        (name,) = files_in(outbox)
        (outbox / name).rename(outbox / place / name)
        ((_reference, again),) = submit(gateway, [MESSAGE])
        assert again == Accepted(name)
        assert files_in(outbox) == []

    def test_is_promised_to_be_sent_once_only_where_the_reader_keeps_files(
        self, outbox: Path
    ) -> None:
        assert not gateway_at(outbox).honours_reference
        assert gateway_at(outbox, "keeps=1").honours_reference


class TestADirectoryThatTakesNothing:
    @pytest.mark.parametrize(
        ("directory", "reason"),
        [("missing", "répertoire introuvable"), ("a-file", "ce n'est pas un répertoire")],
    )
    def test_says_that_nothing_was_sent(self, outbox: Path, directory: str, reason: str) -> None:
        (outbox / "a-file").write_text("")
        ((_reference, result),) = submit(gateway_at(outbox / directory), [MESSAGE])
        assert result == NotSent(f"fichier non écrit : {reason}")

    def test_that_is_full_leaves_no_piece_of_a_file(
        self, outbox: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(_file: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        ((_reference, result),) = submit(gateway_at(outbox), [MESSAGE])
        assert result == NotSent("fichier non écrit : disque plein")
        assert files_in(outbox) == []

    def test_whose_names_cannot_be_forced_to_the_disk_may_have_lost_them(
        self, outbox: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        force = os.fsync

        def broken_for_directories(file: int) -> None:
            if stat.S_ISDIR(os.fstat(file).st_mode):
                raise OSError(5, "Input/output error")
            force(file)

        monkeypatch.setattr(os, "fsync", broken_for_directories)
        ((_reference, result),) = submit(gateway_at(outbox), [MESSAGE])
        assert result == Unknown("fichier peut-être perdu : EIO")

    def test_is_complained_about(self, outbox: Path) -> None:
        checked = check(gateway_at(outbox / "missing"))
        assert not checked.usable
        assert "répertoire introuvable" in checked.complaint


@pytest.mark.parametrize("reference", ["../../etc/passwd", "a/b", ".hidden", "", "a" * 33, "é"])
def test_a_reference_that_leads_elsewhere_is_not_written(outbox: Path, reference: str) -> None:
    ((_reference, result),) = submit(gateway_at(outbox), [Message(reference, PHONE, "x")])
    assert isinstance(result, NotSent)
    assert files_in(outbox) == []


@given(st.text(max_size=40))
def test_no_number_leads_elsewhere(number: str) -> None:
    gateway = gateway_at(Path("/nonexistent-outbox"), "format=gammu")
    ((_reference, result),) = submit(gateway, [Message(REFERENCE, number, "x")])
    if any(sign in number for sign in "/._\x00") or not number:
        assert result == Refused(Failure.INVALID_NUMBER, remark="numéro qui n'en est pas un")


class TestACheck:
    def test_counts_what_waits_and_leaves_nothing_behind(self, outbox: Path) -> None:
        gateway = gateway_at(outbox)
        submit(gateway, some_messages(3))
        checked = check(gateway)
        assert dict(checked.facts)["fichiers en attente"] == "3"
        assert len(files_in(outbox)) == 3

    def test_misses_the_places_where_the_reader_should_keep_files(self, tmp_path: Path) -> None:
        checked = check(gateway_at(tmp_path, "keeps=1"))
        assert not checked.usable
        assert "done et failed" in checked.complaint


class TestTheUrl:
    def test_two_long_paths_have_different_names(self) -> None:
        names = {
            gateway_at(Path(f"/srv/a/very/long/path/to/a/directory/of/modem/{n}")).name
            for n in (1, 2)
        }
        assert len(names) == 2
        assert max(map(len, names)) <= 40

    @pytest.mark.parametrize(
        ("url", "complaint"),
        [
            ("file://var/spool", "trois barres"),
            ("file://", "trois barres"),
            ("file:///", "trois barres"),
            ("file:///var/spool?format=xml", "l'un de json, gammu"),
            ("file:///var/spool?keep=1", "option inconnue keep"),
        ],
    )
    def test_a_senseless_one_is_refused(self, url: str, complaint: str) -> None:
        with pytest.raises(ImproperlyConfigured, match=complaint):
            gateway_from_url(url)
