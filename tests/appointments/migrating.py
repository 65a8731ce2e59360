"""Rows written as they were written on an earlier day."""

from typing import Any

from tests.builders import at


def made(models: Any, app: str, model: str, **fields: Any) -> int:
    """Write a row of that day; return its number."""
    return models.get_model(app, model).objects.create(**fields).pk


def an_appointment_then(models: Any, starts: str = "2022-05-16 09:10") -> int:
    """Write an appointment, with all that it needs, of the source ``essai``."""
    sites = models.get_model("staff", "Site").objects
    named = {"name": "Arlon", "callback_number": "+3263000000"}
    site = sites.get_or_create(code="arlon", defaults=named)[0]
    units = models.get_model("staff", "Unit").objects
    named = {"site": site, "name": "Cardiologie", "kind": "clinic"}
    unit = units.get_or_create(code="arlon-cardio", defaults=named)[0]
    feed = models.get_model("appointments", "Feed").objects.get_or_create(name="essai")[0]
    moment = at(starts)
    return made(
        models,
        "appointments",
        "Appointment",
        feed=feed,
        source_id=starts,
        patient_id=made(models, "patients", "Patient", family_name="Dupont", language="fr"),
        unit=unit,
        service="consultation",
        starts_at=moment,
        day=moment.date(),
        loaded_at=moment,
    )
