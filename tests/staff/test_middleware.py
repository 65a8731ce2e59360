"""What is refused before a view sees it, and what no browser may keep."""

from io import BytesIO

import pytest
from django.test import Client
from django.urls import reverse

from appointments.feeds.files.limits import LARGEST_FILE
from tests.builders import a_user

pytestmark = pytest.mark.django_db
MEGABYTE = 1024 * 1024


class Untouched(BytesIO):
    """A body that nobody may read."""

    def read(self, *args: object) -> bytes:
        raise AssertionError("the body was read")

    readline = read


def send(client: Client, address: str, size: int):
    """Announce a form of so many bytes, whose body fails the test when it is read."""
    announced = {"CONTENT_LENGTH": str(size), "CONTENT_TYPE": "multipart/form-data; boundary=x"}
    return client.generic("POST", address, **announced, **{"wsgi.input": Untouched()})


@pytest.fixture
def signed_in(client) -> Client:
    client.force_login(a_user("flux", "feed_operator"))
    return client


@pytest.mark.parametrize("address", ["import_new", "account_login", "home"])
def test_a_stranger_sends_no_more_than_a_small_form(client, address):
    answer = send(client, reverse(address), 2 * MEGABYTE + 1)
    assert answer.status_code == 413
    assert "2 Mo au plus" in answer.content.decode()


def test_a_signed_in_person_sends_no_file_to_a_page_that_takes_none(signed_in):
    answer = send(signed_in, reverse("schedule"), LARGEST_FILE)
    assert answer.status_code == 413
    assert "50 Mo" in answer.content.decode()
    assert "20 Mo au plus" in answer.content.decode()


def test_a_file_over_the_limit_is_refused_before_it_is_read(signed_in):
    assert send(signed_in, reverse("import_new"), LARGEST_FILE + 2 * MEGABYTE).status_code == 413


def test_a_file_within_the_limit_is_read(signed_in):
    with pytest.raises(AssertionError, match="the body was read"):
        send(signed_in, reverse("import_new"), LARGEST_FILE)


def test_an_address_that_does_not_exist_takes_no_file(signed_in):
    assert send(signed_in, "/nothing/here/", LARGEST_FILE).status_code == 413


def test_a_live_part_is_answered_with_a_part(signed_in):
    answer = signed_in.generic(
        "POST",
        reverse("schedule"),
        headers={"HX-Request": "true"},
        **{"CONTENT_LENGTH": str(LARGEST_FILE), "wsgi.input": Untouched()},
    )
    assert answer.status_code == 413
    assert "<html" not in answer.content.decode()


def test_a_length_that_is_no_number_is_no_error(client):
    answer = client.generic("GET", reverse("account_login"), CONTENT_LENGTH="many")
    assert answer.status_code == 200


@pytest.mark.parametrize("address", ["home", "schedule", "imports", "import_new"])
def test_what_a_signed_in_person_sees_is_kept_by_no_browser(signed_in, address):
    answer = signed_in.get(reverse(address))
    assert "no-store" in answer["Cache-Control"]


def test_what_the_application_writes_is_for_its_own_account(tmp_path):
    (tmp_path / "written").touch()
    (tmp_path / "folder").mkdir()
    assert (tmp_path / "written").stat().st_mode & 0o077 == 0
    assert (tmp_path / "folder").stat().st_mode & 0o077 == 0


def test_an_uploaded_file_is_for_its_own_account(settings, tmp_path):
    from django.core.files.base import ContentFile
    from django.core.files.storage import storages

    settings.MEDIA_ROOT = tmp_path
    name = storages["default"].save("imports/agenda.csv", ContentFile(b"x"))
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "imports").stat().st_mode & 0o777 == 0o700
