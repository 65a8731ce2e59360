"""The imports pages: who may open them, what they show, what they give out."""

import csv
import datetime as dt
import io

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from appointments.feeds.files.headings import TEMPLATE_HEADINGS
from appointments.feeds.importing import uploads
from appointments.models import Appointment, Conflict, Feed, ScheduleImport
from staff.models import AuditEvent, Role
from tests.appointments.bulletins.builders import in_force
from tests.appointments.feeds.files.builders import ROW, csv_text, xlsx_file
from tests.builders import a_site, a_unit, a_user, at
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
    answer = client.post(reverse("import_new"), {"file": upload, "source": "agenda"})
    load = ScheduleImport.objects.latest("id")
    assert answer.headers["Location"] == reverse("import", args=[load.pk])
    return load


def checked(client: Client, *rows: dict) -> ScheduleImport:
    load = given(client, *rows)
    uploads.run_waiting()
    return load


PAGES = [
    *("imports", "import_new", "import", "import_progress", "import_faults", "import_template"),
    *("import_disappeared", "import_conflicts", "import_source"),
]


def address(name: str, load: ScheduleImport) -> str:
    arguments: dict[str, list] = {
        **dict.fromkeys(("imports", "import_new", "import_conflicts"), []),
        "import_template": ["csv"],
        "import_source": ["agenda"],
    }
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
    uploads.run_waiting()
    page = operator.get(reverse("import", args=[load.pk])).content.decode()
    assert "Charger pour de bon" in page
    assert "sieste" in page
    assert not Appointment.objects.exists()
    operator.post(reverse("import_confirm", args=[load.pk]))
    uploads.run_waiting()
    page = operator.get(reverse("import", args=[load.pk])).content.decode()
    assert "Ce qui a été chargé" in page
    assert Appointment.objects.count() == 1


def test_progress_is_asked_for_until_the_load_ends(operator):
    load = given(operator)
    url = reverse("import_progress", args=[load.pk])
    waiting = operator.get(url, headers=HTMX)
    assert 'hx-trigger="every 1s"' in waiting.content.decode()
    uploads.run_waiting()
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
    uploads.run_waiting()
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
    assert titles == list(TEMPLATE_HEADINGS)
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


class TestAnswers:
    """What the page of a checked file asks, and what it does with the answers."""

    @pytest.fixture(autouse=True)
    def _today(self, saturday_noon):
        """Stand on Saturday 14 May 2022 at noon."""

    def answered(self, client: Client, load: ScheduleImport, **answers):
        said = {"exported_at": "", "complete_for": "nothing", "first_day": "", "last_day": ""}
        return client.post(reverse("import_confirm", args=[load.pk]), said | answers)

    def page(self, client: Client, load: ScheduleImport) -> str:
        page = client.get(reverse("import", args=[load.pk])).content.decode()
        return " ".join(page.split())

    def loaded(self, client: Client, *rows: dict, **answers) -> ScheduleImport:
        load = checked(client, *rows)
        for _ in range(2):  # the first answer has it checked again
            self.answered(client, load, **answers)
            uploads.run_waiting()
        load.refresh_from_db()
        return load

    def test_the_page_says_that_the_age_is_unknown_until_somebody_knows_it(self, operator):
        load = checked(operator)
        assert "Âge de l&#x27;export inconnu" in self.page(operator, load).replace("'", "&#x27;")
        self.answered(operator, load, exported_at="2022-05-13T18:00", check="1")
        uploads.run_waiting()
        page = self.page(operator, load)
        assert "Export du vendredi 13 mai 2022 à 18:00 (indiqué par une personne)" in page
        assert not Appointment.objects.exists()

    def test_a_moment_to_come_or_days_the_wrong_way_round_are_said_in_the_form(self, operator):
        load = checked(operator)
        answer = self.answered(operator, load, exported_at="2022-05-15T18:00")
        assert answer.status_code == 422
        assert "avenir" in answer.content.decode()
        answer = self.answered(operator, load, first_day="2022-05-17", last_day="2022-05-16")
        assert answer.status_code == 422
        assert "précède le premier" in answer.content.decode()

    def test_an_older_file_asks_and_is_loaded_once_ticked(self, operator):
        moved = ROW | {"Date et heure": "17/05/2022 14:00"}
        self.loaded(operator, ROW, exported_at="2022-05-13T06:00")
        self.loaded(operator, moved, exported_at="2022-05-14T06:00")
        load = self.loaded(operator, ROW, exported_at="2022-05-13T06:00")
        assert load.state == "checked"
        assert "plus ancien" in self.page(operator, load)
        self.answered(operator, load, exported_at="2022-05-13T06:00", accepts_older="on")
        uploads.run_waiting()
        load.refresh_from_db()
        assert load.state == "loaded"

    def test_whoever_disappeared_is_named_and_many_are_asked_about(self, operator):
        many = [ROW | {"N° RDV": f"R{n}", "Dossier": f"D{n}"} for n in range(30)]
        friday = {"exported_at": "2022-05-13T06:00", "complete_for": "sites"}
        self.loaded(operator, *many, **friday)
        load = checked(operator, *many[:5])
        page = self.page(operator, load)
        assert "25 des 30 rendez-vous connus ont disparu" in page
        assert page.count("DUPONT Hélène") == 20
        assert "Voir les 25 rendez-vous disparus" in page
        every = operator.get(reverse("import_disappeared", args=[load.pk])).content.decode()
        assert every.count("DUPONT Hélène") == 25
        answer = operator.post(reverse("import_confirm", args=[load.pk]))
        assert answer.status_code == 422
        operator.post(reverse("import_confirm", args=[load.pk]), {"accepts_disappeared": "on"})
        uploads.run_waiting()
        load.refresh_from_db()
        assert (load.state, load.rows_missing) == ("loaded", 25)

    def test_nothing_is_preselected_for_a_new_source(self, operator):
        load = checked(operator)
        load.refresh_from_db()
        assert load.complete_for == "nothing"
        page = self.page(operator, load)
        assert '<option value="nothing" selected>' in page
        assert "checked" not in page.partition("Unités dont ce fichier dit tout")[2]

    def test_units_are_ticked_one_by_one_and_kept(self, operator):
        a_unit("arlon-radio")
        radio = ROW | {"N° RDV": "R2", "Dossier": "D2", "Nom": "Autre", "Unité": "arlon-radio"}
        self.loaded(operator, ROW, radio, exported_at="2022-05-13T06:00")
        load = checked(operator, ROW)
        assert "Arlon – arlon-cardio (dans le fichier)" in self.page(operator, load)
        chosen = {"complete_for": "chosen", "units": [a_unit("arlon-radio").pk]}
        self.answered(operator, load, **chosen, check="1")
        uploads.run_waiting()
        page = self.page(operator, load)
        assert "complet pour : les unités cochées (Arlon – arlon-radio)" in page
        assert "AUTRE Hélène" in page
        self.answered(operator, load, **chosen)
        uploads.run_waiting()
        load.refresh_from_db()
        assert (load.state, load.rows_missing) == ("loaded", 1)
        event = AuditEvent.objects.filter(action="schedule.loaded").latest("id")
        assert event.detail["complete_units"] == ["arlon-radio"]

    def test_units_and_what_the_file_is_complete_for_must_agree(self, operator):
        load = checked(operator)
        answer = self.answered(operator, load, complete_for="chosen")
        assert (answer.status_code, "au moins une unité" in answer.content.decode()) == (422, True)
        answer = self.answered(operator, load, units=[a_unit().pk])
        assert answer.status_code == 422
        assert "ou décochez-les" in answer.content.decode()

    def test_a_patient_with_two_days_is_said_to_get_two_sms(self, saturday_noon):
        in_force(last_day=dt.date(2022, 5, 17))
        saturday_noon.move_to(at("2022-05-15 19:00"))
        operator = signed_in_as(Role.FEED_OPERATOR)
        load = checked(operator, ROW, ROW | {"N° RDV": "R2", "Date et heure": "17/05/2022 10:00"})
        page = self.page(operator, load)
        assert "1 patient serait prévenu, dont 1 par SMS tout de suite." in page
        assert "En tout 2 SMS, dont 2 tout de suite : un par patient et par jour." in page

    def test_the_page_says_who_would_be_told_before_and_after(self, saturday_noon):
        in_force()
        saturday_noon.move_to(at("2022-05-15 19:00"))
        operator = signed_in_as(Role.FEED_OPERATOR)
        load = checked(operator)
        said = "1 patient serait prévenu, dont 1 par SMS tout de suite."
        assert said in self.page(operator, load)
        operator.post(reverse("import_confirm", args=[load.pk]))
        uploads.run_waiting()
        said = "1 patient à prévenir à cause de ce chargement, dont 1 par SMS tout de suite."
        assert said in self.page(operator, load)

    def test_the_browsers_date_of_the_file_is_the_proposal(self, operator):
        written = str(int(at("2022-05-13 06:00").timestamp() * 1000))
        upload = SimpleUploadedFile("agenda.csv", csv_text([ROW]).encode())
        operator.post(
            reverse("import_new"), {"file": upload, "source": "agenda", "file_date": written}
        )
        uploads.run_waiting()
        assert ScheduleImport.objects.get().exported_at == at("2022-05-13 06:00")

    def test_what_waits_is_listed_counted_and_settled(self, operator):
        moved = ROW | {"Date et heure": "17/05/2022 14:00"}
        second = ROW | {"N° RDV": "R2", "Dossier": "D2", "Nom": "Autre"}
        self.loaded(operator, ROW, second, exported_at="2022-05-13T06:00")
        later = second | {"Date et heure": "18/05/2022 14:00"}
        self.loaded(operator, moved, later)
        assert "2 conflits attendent" in operator.get(reverse("imports")).content.decode()
        url = reverse("import_conflicts")
        assert "mar 17/05/2022 14:00" in operator.get(url).content.decode().lower()
        cell = signed_in(a_user("crise9", Role.CRISIS_CELL))
        assert "2 conflits attendent" in cell.get(reverse("board")).content.decode()
        contested = reverse("appointment", args=[Appointment.objects.get(source_id="R1").pk])
        assert "attend une décision" in cell.get(contested).content.decode()
        first, other = Conflict.objects.order_by("id")
        operator.post(url, {"conflict": [first.pk], "accept": "1"})
        operator.post(url, {"conflict": [other.pk], "refuse": "1"})
        starts = Appointment.objects.order_by("source_id").values_list("starts_at", flat=True)
        assert list(starts) == [at("2022-05-17 14:00"), at("2022-05-16 09:10")]
        assert "Aucun conflit" in operator.get(url).content.decode()

    def test_the_rules_of_a_source_are_set(self, operator):
        checked(operator)
        url = reverse("import_source", args=["agenda"])
        operator.post(url, {"age_rule": "file_date", "complete_for": "units"})
        feed = Feed.objects.get()
        assert (feed.age_rule, feed.complete_for) == ("file_date", "units")
        assert AuditEvent.objects.filter(action="source.set").count() == 1


def test_each_sheet_of_a_workbook_is_named_and_one_left_out_is_loud(operator, tmp_path):
    path = xlsx_file(tmp_path, ROW, ROW | {"N° RDV": "R2", "Activité": "sieste"})
    book = openpyxl.load_workbook(path)
    book.active.title = "Lundi"
    book.create_sheet("Légende").append(["Code", "Sens"])
    book.save(path)
    upload = SimpleUploadedFile("agenda.xlsx", path.read_bytes())
    fields = {"file": upload, "source": "agenda", "is_full_export": "on"}
    answer = operator.post(reverse("import_new"), fields)
    uploads.run_waiting()
    page = operator.get(answer.headers["Location"]).content.decode()
    assert "Laissée de côté" in page
    assert "Légende" in page
    assert "2 lignes lues" in page
    assert "Lundi, 3" in page
    assert "Des feuilles ont été laissées" in operator.get(reverse("imports")).content.decode()
    load = ScheduleImport.objects.get()
    answer = operator.get(reverse("import_faults", args=[load.pk]))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    heading, left_out, rejected = csv.reader(io.StringIO(text), delimiter=";")
    assert heading[0] == "Feuille"
    assert (left_out[0], left_out[-1]) == ("Légende", "non")
    assert rejected[:2] == ["Lundi", "3"]
