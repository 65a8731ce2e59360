"""The imports pages: who may open them, what they show, what they give out."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from appointments.feeds.columns import TEMPLATE_HEADINGS
from appointments.models import Appointment, ScheduleImport
from appointments.services import importing_queue
from staff.models import AuditEvent, Role
from tests.appointments.feeds.files import ROW, csv_text
from tests.builders import a_site, a_unit, a_user
from tests.pages import HTMX, signed_in

pytestmark = pytest.mark.django_db

LOADERS = {Role.CRISIS_CELL, Role.FEED_OPERATOR}
DANGEROUS = '=HYPERLINK("http://a.example")'


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    """Store files in a folder of the test, beside one unit at Arlon."""
    settings.MEDIA_ROOT = tmp_path
    a_unit()
    return tmp_path


def signed_in_as(*roles: str, **place) -> Client:
    return signed_in(a_user("quelqu-un", *roles, **place))


@pytest.fixture
def operator() -> Client:
    """Return the browser of a feed operator."""
    return signed_in_as(Role.FEED_OPERATOR)


def given(client: Client, *rows: dict) -> ScheduleImport:
    """Upload rows and return the load."""
    body = csv_text(rows or [ROW]).encode()
    upload = SimpleUploadedFile("agenda.csv", body, content_type="text/csv")
    answer = client.post(
        reverse("import_new"), {"file": upload, "source": "agenda", "is_full_export": "on"}
    )
    load = ScheduleImport.objects.latest("id")
    assert answer.headers["Location"] == reverse("import", args=[load.pk])
    return load


def checked(client: Client, *rows: dict) -> ScheduleImport:
    load = given(client, *rows)
    importing_queue.run_waiting()
    return load


PAGES = ["imports", "import_new", "import", "import_progress", "import_faults", "import_template"]


def address(name: str, load: ScheduleImport) -> str:
    arguments = {"imports": [], "import_new": [], "import_template": ["csv"]}
    return reverse(name, args=arguments.get(name, [load.pk]))


@pytest.fixture
def load() -> ScheduleImport:
    """Return a load that somebody else gave."""
    client = signed_in(a_user("autre", Role.FEED_OPERATOR))
    return checked(client)


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("name", PAGES)
def test_only_those_who_load_feeds_open_the_pages(role, name, load):
    expected = 200 if role in LOADERS else 403
    assert signed_in_as(role).get(address(name, load)).status_code == expected


@pytest.mark.parametrize("name", PAGES)
def test_a_role_at_one_site_does_not_open_what_concerns_the_group(name, load):
    client = signed_in_as(Role.FEED_OPERATOR, site=a_site())
    assert client.get(address(name, load)).status_code == 403


@pytest.mark.parametrize("role", Role.values)
def test_only_those_who_load_feeds_confirm(role, load):
    expected = 302 if role in LOADERS else 403
    assert (
        signed_in_as(role).post(reverse("import_confirm", args=[load.pk])).status_code == expected
    )


def test_nobody_opens_anything_without_signing_in(load):
    for name in PAGES:
        assert "login" in Client().get(address(name, load)).headers["Location"]


def test_a_file_is_given_checked_read_and_confirmed(operator):
    load = given(operator, ROW, ROW | {"N° RDV": "R2", "Activité": "sieste"})
    page = operator.get(reverse("import", args=[load.pk])).content.decode()
    assert "En attente" in page
    importing_queue.run_waiting()
    page = operator.get(reverse("import", args=[load.pk])).content.decode()
    assert "Charger pour de bon" in page
    assert "sieste" in page
    assert not Appointment.objects.exists()
    operator.post(reverse("import_confirm", args=[load.pk]))
    importing_queue.run_waiting()
    page = operator.get(reverse("import", args=[load.pk])).content.decode()
    assert "Ce qui a été chargé" in page
    assert Appointment.objects.count() == 1


def test_progress_is_asked_for_until_the_load_ends(operator):
    load = given(operator)
    url = reverse("import_progress", args=[load.pk])
    waiting = operator.get(url, headers=HTMX)
    assert 'hx-trigger="every 1s"' in waiting.content.decode()
    importing_queue.run_waiting()
    assert operator.get(url).headers["HX-Refresh"] == "true"


def test_an_unusable_source_or_file_is_said_in_the_form(operator):
    upload = SimpleUploadedFile("agenda.csv", b"")
    answer = operator.post(reverse("import_new"), {"file": upload, "source": "agenda"})
    assert "Le fichier est vide" in answer.content.decode()
    upload = SimpleUploadedFile("agenda.csv", b"x")
    answer = operator.post(reverse("import_new"), {"file": upload, "source": "à la main"})
    assert "Le nom d&#x27;une source" in answer.content.decode()
    assert not ScheduleImport.objects.exists()


def test_an_unreadable_file_says_why(operator):
    load = given(operator, {"Nom": "x"})
    importing_queue.run_waiting()
    page = operator.get(reverse("import", args=[load.pk])).content.decode()
    assert "Colonne obligatoire absente" in page


def test_the_faults_go_back_as_a_file_that_no_spreadsheet_executes(operator):
    load = checked(operator, ROW | {"Activité": DANGEROUS})
    answer = operator.get(reverse("import_faults", args=[load.pk]))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    (_titles, row) = csv.reader(io.StringIO(text), delimiter=";")
    assert row[:3] == ["2", "Activité", f"'{DANGEROUS}"]
    assert AuditEvent.objects.filter(action="schedule.faults_exported").count() == 1


def test_values_from_a_file_are_escaped_on_the_page(operator):
    load = checked(operator, ROW | {"Activité": "<script>alert(1)</script>"})
    assert "<script>alert" not in operator.get(reverse("import", args=[load.pk])).content.decode()


def test_faults_page_by_key(operator):
    rows = [ROW | {"N° RDV": f"R{n}", "Activité": "sieste"} for n in range(60)]
    load = checked(operator, *rows)
    page = operator.get(reverse("import", args=[load.pk])).context["page"]
    assert len(page.items) == 50
    url = reverse("import", args=[load.pk], query={"cursor": page.next_cursor})
    assert [fault.line for fault in operator.get(url).context["page"].items][0] == 52


def test_the_template_holds_every_column_and_is_refused_as_empty_not_as_wrong(operator):
    answer = operator.get(reverse("import_template", args=["csv"]))
    titles = answer.content.decode("utf-8-sig").strip().split(";")
    assert titles == [heading for heading, _example in TEMPLATE_HEADINGS]
    assert operator.get(reverse("import_template", args=["xlsx"])).status_code == 404


def queries_of(client: Client, url: str) -> int:
    client.get(url)
    with CaptureQueriesContext(connection) as queries:
        client.get(url)
    return len(queries)


def test_the_list_and_the_report_ask_the_database_a_fixed_number_of_times(operator):
    first = checked(operator, ROW | {"Activité": "sieste"})
    one = queries_of(operator, reverse("imports"))
    report = queries_of(operator, reverse("import", args=[first.pk]))
    for _ in range(5):
        last = checked(operator, *[ROW | {"N° RDV": str(n), "Activité": "x"} for n in range(30)])
    assert queries_of(operator, reverse("imports")) == one
    assert queries_of(operator, reverse("import", args=[last.pk])) == report
