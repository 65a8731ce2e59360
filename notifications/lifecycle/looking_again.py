"""Patients and days of which it is to be asked again what is owed, once the locks are free.

A gateway says that it took nothing, or a receipt comes late, after the decision changed: what was
opened meanwhile because the patient might have heard something may be needless now, or the other
way round. What is owed is known by the app that plans, whose locks come before those that are
held here. So the question is kept, and the next sweep, a few seconds later, has it answered.
"""

import datetime as dt
from collections.abc import Callable, Iterable

from django.db import transaction

from notifications.models import ToAskAgain

AT_ONCE = 200
Pair = tuple[int, dt.date]
_answerers: list[Callable[[Iterable[Pair]], object]] = []


def answer_with(align: Callable[[Iterable[Pair]], object]) -> None:
    """Say who brings the notices of patients and days in line with what is owed."""
    _answerers[:] = [align]


def ask_again(pairs: Iterable[Pair]) -> None:
    """Keep patients and days; inside the transaction that changed what was heard."""
    ToAskAgain.objects.bulk_create(
        ToAskAgain(patient_id=patient_id, day=day) for patient_id, day in sorted(set(pairs))
    )


def answer() -> int:
    """Bring in line what was kept; return how many patients and days."""
    answered = 0
    while kept := list(
        ToAskAgain.objects.order_by("id").values_list("id", "patient", "day")[:AT_ONCE]
    ):
        pairs = {(patient_id, day) for _pk, patient_id, day in kept}
        with transaction.atomic():
            for align in _answerers:
                align(pairs)
            # By number: what is kept meanwhile about the same patient is asked once more.
            ToAskAgain.objects.filter(pk__in=[pk for pk, *_pair in kept]).delete()
        answered += len(pairs)
    return answered
