"""Where the trail speaks of a patient, for the auditor who asks what touched them."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

from django.db.models import Model, QuerySet

from appointments.models import Appointment
from notifications.models import Delivery, Notice, Question, Reply
from patients import search_text
from patients.models import Patient, PatientIdentifier
from patients.queries import first_meant
from staff import clock
from staff.queries import Traces

MOST_PATIENTS = 20


def traces_of(typed: str) -> tuple[Sequence[int], Sequence[Traces]] | None:
    """Return the patients that a search means, and their traces (seven queries).

    Args:
        typed: a name, birth date, telephone, national or record number.

    Returns:
        The patients' numbers with what the trail may name of theirs; None when more than
        ``MOST_PATIENTS`` are meant.
    """
    meant = first_meant(search_text.read(typed, today=clock.today()))
    if len(meant.ids) > MOST_PATIENTS:
        return None
    if not meant.ids:
        return (), ()
    mine = {"patient__in": meant.ids}
    notices = _numbers(Notice.objects.filter(**mine))
    return meant.ids, (
        Traces(
            _name(Patient),
            meant.ids,
            listed=("patients", "patient", "now_patient", "links.patient"),
        ),
        Traces(_name(PatientIdentifier), _numbers(PatientIdentifier.objects.filter(**mine))),
        Traces(
            _name(Appointment),
            _numbers(Appointment.objects.filter(**mine)),
            listed=("appointments", "rows.0"),
        ),
        Traces(_name(Notice), notices, listed=("notices", "notice")),
        Traces(
            _name(Delivery),
            _numbers(Delivery.objects.filter(notice__in=notices)),
            listed=("deliveries", "calls"),
        ),
        Traces(_name(Question), _numbers(Question.objects.filter(**mine))),
        Traces(_name(Reply), _numbers(Reply.objects.filter(**mine)), listed=("replies",)),
    )


def _numbers(rows: QuerySet[Any]) -> list[int]:
    return list(chain.from_iterable(rows.order_by().values_list("pk")))


def _name(model: type[Model]) -> str:
    return model._meta.model_name or ""
