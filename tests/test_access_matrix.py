"""Promise 8: each sees only theirs. Every address, for every role, in the right and wrong place."""

from collections.abc import Iterator

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from staff.models import AuditEvent, User
from tests.access_matrix import (
    ADMINISTRATOR,
    DRAFT_TITLE,
    EVERYBODY,
    GROUP,
    OPEN,
    OPEN_ON,
    PAGES,
    SECRETS,
    Page,
)
from tests.access_people import House, Person, a_house
from tests.page_rules import faults_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]
BACKEND = "django.contrib.auth.backends.ModelBackend"
OURS = ("appointments.", "notifications.", "patients.", "staff.", "vivalia_continuity.")
SIGN_IN = "to the sign-in page"


@pytest.fixture
def house() -> House:
    """Return the data set and the people of the matrix."""
    return a_house()


def every_address(resolver: URLResolver, above: str = "") -> Iterator[tuple[str, str]]:
    """Yield the name of each address with the module of its view."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from every_address(entry, f"{entry.namespace}:" if entry.namespace else above)
        elif isinstance(entry, URLPattern) and entry.name:
            yield above + entry.name, entry.callback.__module__


def signed_in(user: User | None) -> Client:
    client = Client(raise_request_exception=False)
    if user:
        client.force_login(user, backend=BACKEND)
    return client


def ask(page: Page, person: Person, house: House) -> HttpResponse:
    """Ask for a page as a person would."""
    address = reverse(page.name, args=[house.objects[name] for name in page.on])
    client = signed_in(person.user)
    if page.method == "GET":
        return client.get(address, page.query)
    words = house.objects | {"speaks_as": "nurse" if person.role == "nurse" else "surgeon"}
    sent = {key: value.format(**words) for key, value in page.send.items()}
    if page.upload:
        sent["file"] = SimpleUploadedFile("agenda.csv", page.upload.encode())
    return client.post(address, sent)


def expected(page: Page, person: Person) -> tuple[int | str, bool]:
    """Return what a person must get, and whether they may see what the page shows."""
    if person.user is None:
        return SIGN_IN, False
    if person.role in page.may and person.place in page.where:
        return page.found, True
    if person.role in page.own and person.is_own:
        return page.found, True
    if person.role in page.may:
        return page.outside, False
    if person.role in page.own:
        return 404, False
    return (page.otherwise if person.role in EVERYBODY else 403), False


def got(answer: HttpResponse) -> int | str:
    to_sign_in = answer.get("Location", "").startswith(reverse("account_login"))
    return SIGN_IN if to_sign_in else answer.status_code


def text_of(answer: HttpResponse) -> str:
    body = answer.getvalue() if answer.streaming else answer.content
    return body.decode("utf-8", "replace")


def asking(page: Page, house: House) -> list[Person]:
    """Return who is to ask: who is refused with a role for the whole group is so everywhere."""
    concerned = page.may | page.own
    return [one for one in house.people if one.role in concerned or one.place == GROUP]


def faults_for(page: Page, person: Person, house: House) -> list[str]:
    """Return one sentence for everything a person got, saw or did against the table."""
    events = AuditEvent.objects.count()
    answer = ask(page, person, house)
    status, may_see = expected(page, person)
    text = text_of(answer).casefold()
    faults = []
    if got(answer) != status:
        faults.append(f"{person} gets {got(answer)}, not {status}")
    if may_see:
        faults += [f"{person} misses {word}" for word in page.shows if word.casefold() not in text]
    else:
        faults += [f"{person} sees {word}" for word in SECRETS if word.casefold() in text]
    if status in (403, 404, SIGN_IN) and AuditEvent.objects.count() != events:
        faults.append(f"{person} is refused and yet something happened")
    return faults


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_page_answers_each_role_in_each_place_as_the_table_says(page: Page, house: House) -> None:
    faults = []
    for person in asking(page, house):
        with transaction.atomic():
            faults += faults_for(page, person, house)
            transaction.set_rollback(True)
    assert faults == []


@pytest.mark.parametrize("name", ["board", "board_live", "bulletins"])
def test_a_draft_is_named_only_to_those_who_may_open_it(name: str, house: House) -> None:
    for person in house.people:
        answer = signed_in(person.user).get(reverse(name))
        may_open = person.role in {"crisis_cell", "auditor"} and person.place == GROUP
        assert (DRAFT_TITLE in text_of(answer)) == may_open, f"{person} on {name}"


def test_no_address_of_ours_is_missing_from_the_table() -> None:
    # Pages of the reference data of which we changed a part are tried in tests/staff/test_admin.py.
    ours = {
        name
        for name, module in every_address(get_resolver())
        if module.startswith(OURS) and not name.startswith("admin:")
    }
    assert len(ours) > 40
    assert ours == {page.name for page in PAGES} | (OPEN.keys() - {"account_login"})


@pytest.mark.parametrize("name", OPEN)
def test_what_is_open_answers_a_stranger(name: str) -> None:
    address = reverse(name, args=OPEN_ON.get(name))
    assert signed_in(None).get(address).status_code == OPEN[name]


def test_an_address_takes_no_other_method_than_those_of_the_table(house: House) -> None:
    """Above all: reading an address never changes anything."""
    crisis_cell = next(one for one in house.people if one.role == "crisis_cell")
    client = signed_in(crisis_cell.user)
    for name in {page.name for page in PAGES} - {"home"}:  # home only redirects
        pages = [page for page in PAGES if page.name == name]
        address = reverse(name, args=[house.objects[key] for key in pages[0].on])
        for method in {"GET", "POST", "PUT", "DELETE"} - {page.method for page in pages}:
            assert client.generic(method, address).status_code == 405, f"{method} {name}"


def test_a_page_has_nothing_inline_and_says_what_it_is(house: House) -> None:
    for page in (page for page in PAGES if page.method == "GET" and page.found == 200):
        reader = next(one for one in house.people if expected(page, one) == (200, True))
        answer = ask(page, reader, house)
        text = text_of(answer)
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy, page
        assert "unsafe" not in policy, page
        if "text/html" in answer["Content-Type"]:
            assert faults_of(text, whole=page.whole) == [], page


class TestWhatTheLibrariesBring:
    """The pages of django-allauth and of Django's administration."""

    CLOSED = ("account_signup", "account_email", "account_reset_password", "account_set_password")

    @pytest.mark.parametrize("name", CLOSED)
    def test_what_this_house_does_not_offer_is_not_found(self, name: str, house: House) -> None:
        for person in house.people[:3]:
            assert signed_in(person.user).get(reverse(name)).status_code == 404

    @pytest.mark.parametrize("name", ["mfa_index", "account_change_password"])
    def test_ones_own_account_opens_for_everybody_signed_in(self, name: str, house: House) -> None:
        for person in house.people[:4]:
            answer = signed_in(person.user).get(reverse(name))
            assert got(answer) == (200 if person.user else SIGN_IN)

    def test_the_administration_opens_for_administrators_alone(self, house: House) -> None:
        names = [name for name, _module in every_address(get_resolver()) if ":" in name]
        lists = [name for name in names if name.endswith(("_changelist", "_add", ":index"))]
        assert len(lists) > 10
        everywhere = [one for one in house.people if one.place == GROUP and not one.is_own]
        for client, person in [(signed_in(one.user), one) for one in everywhere]:
            is_administrator = person.role == ADMINISTRATOR
            for name in lists:
                status = client.get(reverse(name)).status_code
                allowed = {200, 403} if is_administrator else {302, 403}
                assert status in allowed, f"{person} opens {name}: {status}"
