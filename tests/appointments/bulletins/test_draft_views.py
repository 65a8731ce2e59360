"""Starting and editing drafts: from a playbook, a copy, a grid; by two people at once."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.urls import reverse

from appointments.bulletins.grid import to_clauses, to_grid
from appointments.decisions.rulings import clauses_of
from appointments.models import Bulletin
from appointments.rules import ClauseTerms
from tests.appointments.bulletins.builders import RELEASE, SATURDAY_NOON, THE_DAY, a_draft, in_force
from tests.appointments.bulletins.pages import crisis, page, text_of
from tests.builders import MONDAY, a_site, a_unit, a_user, at
from tests.pages import HTMX, fields_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]
PLAYBOOK = Path(__file__).parents[3] / "docs/playbooks/2022-05-16.toml"


def upload(text: str | bytes, **data: str) -> HttpResponse:
    content = text.encode() if isinstance(text, str) else text
    file = SimpleUploadedFile("essai.toml", content)
    return crisis().post(reverse("bulletin_new"), {"start": "playbook", "playbook": file} | data)


class TestStarting:
    def test_from_the_playbook_of_the_day(self) -> None:
        response = upload(PLAYBOOK.read_bytes())

        draft = Bulletin.objects.get()
        assert response.url == reverse("bulletin_edit", args=[draft.pk])
        assert (draft.state, draft.first_day, draft.clauses.count()) == ("draft", MONDAY, 6)

    def test_from_a_playbook_on_another_day(self) -> None:
        upload(PLAYBOOK.read_bytes(), first_day="2022-05-18")

        draft = Bulletin.objects.get()
        assert f"{draft.first_day:%d/%m} {draft.last_day:%d/%m}" == "18/05 18/05"
        assert draft.release_at.isoformat() == "2022-05-17T16:00:00+00:00"

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("title =", "un texte TOML"),
            (b"\xff\xfe", "UTF-8"),
            ("x" * 300_000, "trop grand"),
            ('[[clause]]\nruling = "stop"', "clause 1, ruling : trouvé « stop »"),
            (
                PLAYBOOK.read_text(encoding="utf-8") + 'sites = ["namur"]',
                "« namur » est inconnu",
            ),
        ],
        ids=["not-toml", "not-utf8", "too-large", "bad-value", "unknown-site"],
    )
    def test_a_bad_playbook_is_refused_with_the_reason(
        self, text: str | bytes, sentence: str
    ) -> None:
        response = upload(text)

        assert response.status_code == 200
        assert sentence in text_of(response)
        assert not Bulletin.objects.exists()

    def test_from_an_earlier_bulletin(self) -> None:
        original = in_force()

        response = crisis().post(
            reverse("bulletin_new"), {"start": "copy", "original": original.pk}
        )

        copy = Bulletin.objects.exclude(pk=original.pk).get()
        assert response.url == reverse("bulletin_edit", args=[copy.pk])
        assert clauses_of(copy) == clauses_of(original)
        assert copy.drafted_by.username == "crise2"

    def test_from_an_earlier_bulletin_on_another_day(self) -> None:
        until = at("2022-05-15 17:00")
        casts = ClauseTerms("maintain", "nobody", days=(MONDAY,), keep_until=until)
        original = in_force(casts, last_day=MONDAY + dt.timedelta(days=1))

        crisis().post(
            reverse("bulletin_new"),
            {"start": "copy", "original": original.pk, "first_day": "2022-05-23"},
        )

        copy = Bulletin.objects.exclude(pk=original.pk).get()
        assert (f"{copy.first_day:%d/%m}", f"{copy.last_day:%d/%m}") == ("23/05", "24/05")
        assert copy.release_at == RELEASE + dt.timedelta(days=7)
        (clause,) = clauses_of(copy)
        assert clause.days == (MONDAY + dt.timedelta(days=7),)
        assert clause.keep_until == until + dt.timedelta(days=7)

    def test_a_copy_to_a_day_that_cannot_be_says_which_field(self) -> None:
        original = in_force()

        response = crisis().post(
            reverse("bulletin_new"),
            {"start": "copy", "original": original.pk, "first_day": "1822-05-23"},
        )

        assert "entre 2000 et 2100" in text_of(response)
        assert Bulletin.objects.count() == 1

    def test_from_an_empty_grid(self) -> None:
        a_site("arlon")
        client, address = crisis(), reverse("bulletin_new")
        data = fields_of(text_of(client.get(address, {"start": "empty"})), having="title")
        data |= {
            "title": "Grève",
            "first_day": "2022-05-16",
            "last_day": "2022-05-17",
            "release_at": "2022-05-15T18:00",
            "row-consultation-cell-every": "cancel",
            "row-consultation-cell-arlon": "maintain",
        }

        response = client.post(address, data)

        draft = Bulletin.objects.get()
        assert response.url == reverse("bulletin_preview", args=[draft.pk])
        assert clauses_of(draft) == (
            ClauseTerms("cancel", "cancelled", services=("consultation",)),
            ClauseTerms("maintain", "cancelled", services=("consultation",), sites=("arlon",)),
        )

    @pytest.mark.parametrize("name", ["radiology", "surgery"])
    def test_the_grid_starts_an_operation_row_for_the_director_and_the_phone(
        self, name: str
    ) -> None:
        client, address = crisis(), reverse("bulletin_new")
        data = fields_of(text_of(client.get(address, {"start": "empty"})), having="title")
        data |= {
            "title": "Grève",
            "first_day": "2022-05-16",
            "last_day": "2022-05-16",
            "release_at": "2022-05-15T18:00",
            f"row-{name}-cell-every": "cancel",
        }

        client.post(address, data)

        (clause,) = clauses_of(Bulletin.objects.get())
        started = (clause.tell, clause.channel, clause.kept_by)
        assert (
            started
            == {
                "radiology": ("cancelled", "sms", "nobody"),
                "surgery": ("both", "phone", "medical_director"),
            }[name]
        )


def approved(draft: Bulletin) -> None:
    """Let a colleague approve a draft."""
    draft.state, draft.approved_at = "in_force", SATURDAY_NOON
    draft.approved_by = a_user("crise9", "crisis_cell", first_name="Rose", last_name="Rapide")
    draft.save()


class TestEditing:
    CLAUSES = (
        *THE_DAY,
        ClauseTerms("maintain", "both", "phone", sites=("arlon",)),
        ClauseTerms(
            "maintain",
            "maintained",
            units=("arlon-cardio",),
            days=(MONDAY,),
            groups=("pregnancy", "cast"),
        ),
    )

    @pytest.fixture
    def draft(self) -> Bulletin:
        a_unit("arlon-cardio", site="arlon")
        a_site("virton")
        return a_draft(*self.CLAUSES)

    def sent_back(self, draft: Bulletin, **changes: Any) -> HttpResponse:
        client = crisis()
        shown = page(client, "bulletin_edit", draft.pk)
        data = fields_of(text_of(shown), having="title") | changes
        return client.post(reverse("bulletin_edit", args=[draft.pk]), data)

    def test_saving_untouched_only_joins_services_that_say_the_same(self, draft: Bulletin) -> None:
        response = self.sent_back(draft)

        assert response.url == reverse("bulletin_preview", args=[draft.pk])
        assert clauses_of(draft) == to_clauses(to_grid(self.CLAUSES, ["arlon", "virton"]))
        draft.refresh_from_db()
        assert (draft.title, draft.release_at, draft.source_text) == ("Essai", RELEASE, "")

    def test_whoever_edits_last_cannot_approve(self, draft: Bulletin) -> None:
        self.sent_back(draft, title="Autre titre")

        shown = text_of(page(crisis("crise2"), "bulletin_approve", draft.pk))

        assert "un autre membre de la cellule de crise doit" in shown

    def test_a_refinement_is_added_and_removed_without_javascript(self, draft: Bulletin) -> None:
        added = self.sent_back(draft, add="1", title="Pas encore enregistré")

        data = fields_of(text_of(added), having="title")
        assert data["refinement-TOTAL_FORMS"] == ["2"]
        assert data["title"] == ["Pas encore enregistré"]
        assert "is-invalid" not in text_of(added)
        assert clauses_of(draft) == self.CLAUSES  # nothing is saved by adding a row

        removed = crisis().post(
            reverse("bulletin_edit", args=[draft.pk]), data | {"remove": "0", "seen": data["seen"]}
        )

        data = fields_of(text_of(removed), having="title")
        assert data["refinement-TOTAL_FORMS"] == ["1"]
        assert "refinement-0-units" not in data

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"last_day": "2022-05-15"}, "Le dernier jour précède le premier."),
            ({"title": ""}, "Ce champ est obligatoire."),
            ({"refinement-0-days": "16/05/2022, lundi"}, "« lundi » n'est pas une date"),
            ({"refinement-0-days": "18/05/2022"}, "hors de la période du bulletin"),
            ({"row-emergency-cell-every": "cancel"}, "choix valide"),
            ({"row-surgery-kept_by": "nobody"}, "demande quelqu'un qui tranche"),
            ({"row-surgery-kept_by": "doctor"}, "seul le Directeur médical décide"),
            ({"refinement-TOTAL_FORMS": "x"}, "ManagementForm"),
        ],
        ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
    )
    def test_what_cannot_be_is_said_and_not_saved(
        self, draft: Bulletin, changes: dict[str, str], sentence: str
    ) -> None:
        response = self.sent_back(draft, **changes)

        assert response.status_code == 422
        assert sentence in text_of(response).replace("&#x27;", "'")
        assert clauses_of(draft) == self.CLAUSES

    def test_two_who_edit_at_once_do_not_overwrite_each_other(self, draft: Bulletin) -> None:
        client = crisis()
        data = fields_of(text_of(page(client, "bulletin_edit", draft.pk)), having="title")
        self.sent_back(draft, title="Le premier a gagné")

        response = client.post(
            reverse("bulletin_edit", args=[draft.pk]), data | {"title": "Le second"}
        )

        shown = text_of(response)
        assert response.status_code == 422
        assert "a modifié ce bulletin entre-temps" in shown
        draft.refresh_from_db()
        assert draft.title == "Le premier a gagné"
        assert "enregistrer fait de ce que vous voyez un nouveau brouillon" in shown
        client.post(reverse("bulletin_new"), fields_of(shown, having="title"))
        assert Bulletin.objects.latest("pk").title == "Le second"

    def test_what_was_typed_while_another_approved_becomes_a_new_draft(
        self, draft: Bulletin
    ) -> None:
        client = crisis()
        data = fields_of(text_of(page(client, "bulletin_edit", draft.pk)), having="title")
        approved(draft)

        response = client.post(
            reverse("bulletin_edit", args=[draft.pk]), data | {"title": "Trop tard"}
        )

        shown = text_of(response)
        assert response.status_code == 422
        assert "Rose RAPIDE a approuvé ce bulletin (sam 14/05 12:00)" in shown
        assert f'action="{reverse("bulletin_new")}"' in shown
        saved = client.post(reverse("bulletin_new"), fields_of(shown, having="title"))
        new = Bulletin.objects.latest("pk")
        assert saved.url == reverse("bulletin_preview", args=[new.pk])
        assert (new.title, new.state) == ("Trop tard", "draft")
        assert clauses_of(new) == to_clauses(to_grid(self.CLAUSES, ["arlon", "virton"]))
        draft.refresh_from_db()
        assert draft.title != "Trop tard"

    @pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
    def test_a_button_pressed_while_another_approved_still_reshapes_what_was_typed(
        self, draft: Bulletin, headers: dict[str, str]
    ) -> None:
        client = crisis()
        data = fields_of(text_of(page(client, "bulletin_edit", draft.pk)), having="title")
        approved(draft)

        response = client.post(
            reverse("bulletin_edit", args=[draft.pk]), data | {"add": "1"}, headers=headers
        )

        shown = text_of(response)
        assert response.status_code == 200
        assert "Rose RAPIDE a approuvé ce bulletin (sam 14/05 12:00)" in shown
        assert response.headers["HX-Trigger"] == '{"reach": {}}'
        assert fields_of(shown, having="title")["refinement-TOTAL_FORMS"] == ["2"]

    def test_what_is_in_force_is_not_edited(self) -> None:
        response = page(crisis(), "bulletin_edit", in_force().pk)

        assert response.status_code == 409
        assert "copiez-le" in text_of(response)
