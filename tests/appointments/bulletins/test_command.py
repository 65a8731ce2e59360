"""``manage.py bulletin`` does what the pages do, and says so in one line."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from appointments.models import Bulletin
from notifications.models import Sending
from tests.appointments.bulletins.builders import a_draft, in_force
from tests.appointments.bulletins.builders import somebody_in_the_crisis_cell as somebody
from tests.builders import a_user, an_appointment

pytestmark = pytest.mark.django_db
PLAYBOOK = str(Path(__file__).parents[3] / "docs/playbooks/2022-05-16.toml")


@pytest.fixture(autouse=True)
def crisis_cell(saturday_noon) -> None:
    """Two people, as it takes, on the day of the bulletin."""
    somebody("crise1")
    somebody("crise2")


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("bulletin", *arguments, stdout=out)
    return out.getvalue()


def refused(*arguments: str) -> tuple[int, str]:
    with pytest.raises(CommandError) as error:
        said(*arguments)
    return error.value.returncode, str(error.value)


def test_the_playbook_of_the_day_is_drafted_previewed_approved_and_withdrawn() -> None:
    appointment = an_appointment()

    drafted = said("draft", PLAYBOOK, "--by", "crise1")
    number = str(Bulletin.objects.get().pk)
    previewed = said("preview", number)
    assert "n'est pas encore prêt" in refused("approve", number, "--by", "crise2")[1]
    assert "prêt pour l'approbation" in said("ready", number, "--by", "crise1")
    code, why = refused("approve", number, "--by", "crise2", "--told", "2")
    assert (code, "1 patient serait prévenu maintenant, et non 2" in why) == (1, True)
    approved = said("approve", number, "--by", "crise2", "--told", "1")
    appointment.refresh_from_db()
    assert appointment.outcome == "cancelled"
    asked = said("withdraw", number, "--by", "crise2", "--reason", "rétabli")
    assert asked.startswith(f"Retrait du bulletin {number} demandé")
    assert "un autre membre" in refused("confirm", number, "--by", "crise2")[1]
    withdrawn = said("confirm", number, "--by", "crise1")

    assert drafted.startswith(f"Brouillon {number} : Panne informatique")
    assert "Arlon" in previewed
    assert approved.startswith(f"Bulletin {number} en vigueur")
    assert withdrawn.startswith(f"Bulletin {number} retiré")
    assert Bulletin.objects.get().withdrawal_reason == "rétabli"


def test_a_draft_starts_on_the_day_that_is_asked_for() -> None:
    said("draft", PLAYBOOK, "--by", "crise1", "--first-day", "2022-05-18")

    draft = Bulletin.objects.get()
    assert f"{draft.first_day:%d/%m/%Y}" == f"{draft.last_day:%d/%m/%Y}" == "18/05/2022"


def test_the_preview_is_an_aligned_table_that_changes_nothing() -> None:
    an_appointment()
    an_appointment(service="blood_sampling")

    lines = said("preview", str(a_draft().pk)).splitlines()

    assert lines[0].split() == ["Jour", "Site", "Activité", "Décision", "Rendez-vous"]
    assert {line.rindex("1") for line in lines[1:3]} == {len(lines[0]) - 1}
    assert ["Patients", "prévenus", "par", "SMS", "1"] in [line.split() for line in lines]
    assert not an_appointment().decisions.exists()


def test_the_preview_as_json_holds_the_same_numbers() -> None:
    an_appointment()

    result = json.loads(said("preview", str(a_draft().pk), "--json"))

    assert result["patients_by_sms"] == 1
    assert result["counts"] == [
        {
            "day": "2022-05-16",
            "site": "arlon",
            "service": "consultation",
            "outcome": "cancelled",
            "was": "",
            "appointments": 1,
        }
    ]


def test_the_list_names_state_days_and_people() -> None:
    draft, ruling = a_draft(), in_force()

    lines = said("list").splitlines()

    assert [line.split()[0] for line in lines] == ["Numéro", str(ruling.pk), str(draft.pk)]
    assert "en vigueur" in lines[1]
    assert "crise2" in lines[1]
    assert "brouillon" in lines[2]


def test_sending_is_paused_and_resumed() -> None:
    said("pause", "--by", "crise1")
    assert Sending.is_paused()

    said("resume", "--by", "crise1")
    assert not Sending.is_paused()


def test_without_a_name_the_command_line_drafts_and_pauses() -> None:
    said("draft", PLAYBOOK)
    said("pause")

    assert str(Bulletin.objects.get().drafted_by) == "Ligne de commande"
    assert str(Sending.objects.get().paused_by) == "Ligne de commande"
    said("resume")
    assert not Sending.is_paused()


def test_nobody_can_sign_in_as_the_command_line() -> None:
    said("draft", PLAYBOOK)
    assert not Bulletin.objects.get().drafted_by.has_usable_password()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["approve", "{draft}", "--by", "crise1"], "Vous avez rédigé ce bulletin"),
        (["approve", "{draft}", "--by", "docteur"], "Votre rôle ne permet pas"),
        (["approve", "{draft}", "--by", "fantôme"], "« fantôme »"),
        (["approve", "999", "--by", "crise2"], "999 n'existe pas"),
        (["preview", "999"], "999 n'existe pas"),
        (["withdraw", "{draft}", "--by", "crise2", "--reason", "x"], "Seul un bulletin en vigueur"),
        (["draft", PLAYBOOK, "--by", "docteur"], "Votre rôle ne permet pas"),
        (["draft", PLAYBOOK, "--by", "crise1", "--first-day", "1066-10-14"], "2000 et 2100"),
        (["draft", __file__, "--by", "crise1"], "un texte TOML"),
        (["pause", "--by", "docteur"], "Votre rôle ne permet pas"),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, list) else "",
)
def test_a_refusal_is_a_sentence_and_exit_1(arguments: list[str], sentence: str) -> None:
    a_user("docteur", "doctor")
    draft = a_draft()

    code, message = refused(*[argument.format(draft=draft.pk) for argument in arguments])

    assert code == 1
    assert sentence in message
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_a_file_that_cannot_be_read_is_exit_2() -> None:
    code, message = refused("draft", "absent.toml", "--by", "crise1")

    assert code == 2
    assert "absent.toml ne peut pas être lu" in message
