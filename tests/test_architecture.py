"""The walls of the house (DESIGN.md section 4) stand, and the one who checks them can see."""

from pathlib import Path

import pytest

from tests.architecture import APPS, breaches, class_names, imports_of, sources

ROOT = Path(__file__).resolve().parent.parent


def test_the_house_has_no_breach():
    assert breaches(sources(ROOT)) == []


# What Django asks for, and no more.
NAMES_OF_DJANGO = {"Command", "Meta"}
# Still to be renamed in notifications.
NAMES_TO_SETTLE = {
    *("Answer", "Delivery", "Line", "Pace", "Part", "Question", "Receipt", "Row", "Sample"),
    "Standing",
}


def test_each_class_name_exists_once():
    several = {name: places for name, places in class_names(ROOT).items() if len(places) > 1}
    assert several.keys() - NAMES_OF_DJANGO - NAMES_TO_SETTLE == set(), several


def test_every_app_was_read():
    modules = sources(ROOT)
    assert {name.partition(".")[0] for name in modules} == set(APPS)
    assert "appointments.vocabulary" in modules


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("staff.access", "patients.models.Patient"),
        ("notifications.sending.dispatch", "appointments.models.Appointment"),
        ("notifications.lifecycle.opening", "notifications.sending.claim"),
        ("notifications.calls.queries", "notifications.cellar.wine"),
        ("appointments.decisions.in_force", "appointments.bulletins.queries"),
        ("appointments.doctors.queries", "appointments.wards.queries"),
        ("appointments.rules", "appointments.decisions.in_force"),
        ("patients.queries", "notifications.models"),
        ("appointments.demo.loading", "vivalia_continuity.processes"),
        ("appointments.rules", "django.conf.settings"),
        ("appointments.rules", "staff.clock"),
        ("appointments.vocabulary", "appointments.models.Service"),
        ("appointments.vocabulary", "django.db.models.Model"),
        ("appointments.rules", "django.db.models.TextChoices"),
        ("notifications.sms_text", "django.utils.timezone"),
        ("appointments.board.views", "notifications.gateways.console"),
        ("notifications.telling.views", "notifications.gateways.Gateway"),
        ("appointments.decisions.keeping", "appointments.doctors.views"),
        ("staff.models.user", "tests.builders"),
    ],
)
def test_a_breach_is_named(module, imported):
    sentences = breaches({module: {imported}})
    assert sentences
    assert all(one.startswith(f"{module} imports {imported}: ") for one in sentences)


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("appointments.rules", "appointments.vocabulary.Outcome"),
        ("appointments.rules", "datetime"),
        ("appointments.rules", "notifications.vocabulary.Channel"),
        ("appointments.vocabulary", "django.db.models.TextChoices"),
        ("appointments.board.views", "notifications.telling.progress"),
        ("notifications.sending.dispatch", "notifications.gateways.Gateway"),
        ("vivalia_continuity.context", "staff.access"),
    ],
)
def test_what_is_allowed_is_left_alone(module, imported):
    assert breaches({module: {imported}}) == []


def test_imports_are_found_wherever_they_stand():
    source = """
import os, notifications.models
from appointments import rules
from . import sibling
from ..models import Site
if True:
    from patients.models import Patient as P
def later():
    import staff.clock
"""
    assert imports_of(source, package="staff.services") == {
        "os",
        "notifications.models",
        "appointments.rules",
        "staff.services.sibling",
        "staff.models.Site",
        "patients.models.Patient",
        "staff.clock",
    }
