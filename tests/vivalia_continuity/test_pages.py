"""Every page keeps the content security policy and has what a screen reader needs."""

import re
from pathlib import Path

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from appointments.models import Appointment
from staff.models import Role, User
from tests.builders import MONDAY, a_practitioner, a_unit, a_user, an_appointment, at
from tests.page_rules import faults_of
from vivalia_continuity.navigation import PAGES

pytestmark = pytest.mark.django_db
TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
OTHER_PAGES = ("bulletin_new", "import_new", "mfa_index", "account_change_password")


@pytest.fixture(autouse=True)
def saturday_morning():
    with time_machine.travel(at("2022-05-14 10:00"), tick=False):
        yield


@pytest.fixture
def everybody(client: Client) -> User:
    """Sign in somebody who holds every role, with an agenda of their own."""
    user = a_user("tous", *Role)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    doctor = a_practitioner("tous", user=user)
    an_appointment(practitioner=doctor)
    an_appointment(service="surgery", unit=a_unit("bloc", kind="operating_theatre"))
    return user


@pytest.mark.parametrize("name", [*(page.name for page in PAGES), *OTHER_PAGES])
def test_a_page_has_nothing_inline_and_says_what_it_is(client: Client, everybody, name):
    answer = client.get(reverse(name), {"day": MONDAY.isoformat()})
    assert answer.status_code == 200
    assert faults_of(answer.content.decode()) == []


def test_an_appointment_has_nothing_inline_and_says_what_it_is(client: Client, everybody):
    for pk in Appointment.objects.values_list("pk", flat=True):
        answer = client.get(reverse("appointment", args=[pk]))
        assert faults_of(answer.content.decode()) == []


@pytest.mark.parametrize("path", ["/account/login/", "/nulle-part/"])
def test_a_strangers_page_has_nothing_inline_and_says_what_it_is(client: Client, path):
    assert faults_of(client.get(path).content.decode()) == []


@pytest.mark.parametrize("path", ["/account/login/", "/health/", "/nulle-part/"])
def test_every_answer_carries_a_policy_that_runs_only_our_own_files(client: Client, path):
    policy = client.get(path).headers["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert re.fullmatch(r"'self'( 'nonce-[^']+')?", rules["script-src"])
    assert re.fullmatch(r"'self'( 'nonce-[^']+')?", rules["style-src"])
    assert rules["frame-ancestors"] == "'none'"


def test_no_template_writes_a_style_or_a_handler_into_a_tag():
    inline = re.compile(r"""<[^>]*\s(style|on[a-z]+)\s*=\s*["']""")
    found = [
        f"{path.relative_to(TEMPLATES)}: {match[0]}"
        for path in TEMPLATES.rglob("*.html")
        if (match := inline.search(path.read_text(encoding="utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ('<p style="color: red">', "has a style attribute"),
        ('<a onclick="go()">', "has onclick"),
        ("<script>go()</script>", "holds a script"),
        ("<style>p {}</style>", "holds styles"),
        ('<script src="https://cdn.example.org/x.js"></script>', "loads https:"),
        ('<a href="javascript:go()">', "runs a script"),
        ('<p id="a"><p id="a">', "occurs twice"),
    ],
)
def test_a_fault_is_seen(html, fault):
    (sentence,) = faults_of(html, whole=False)
    assert fault in sentence


def test_data_beside_a_page_and_our_own_files_are_no_fault():
    html = '<script type="application/json">{}</script><script src="/static/x.js"></script>'
    assert faults_of(html, whole=False) == []


def test_a_page_goes_out_compressed_and_padded(client: Client, everybody) -> None:
    """Padded, so that its length says nothing of the secret in it (ADR 0012)."""
    asked = {"accept-encoding": "gzip"}
    answers = [client.get(reverse("schedule"), headers=asked) for _ in range(8)]
    assert {answer.headers["Content-Encoding"] for answer in answers} == {"gzip"}
    assert len({len(answer.content) for answer in answers}) > 1
    assert "Content-Encoding" not in client.get(reverse("schedule")).headers
