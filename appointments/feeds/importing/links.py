"""Links of record numbers that are one person, and how people undo them.

A load may link record numbers of one person. People take that back exactly, or put aside a pair
that only looks alike.
"""

import datetime as dt

from django.db import transaction
from django.db.models import Q

from appointments.decisions.acts import mark_double_entries
from appointments.decisions.rulings import align_pairs
from appointments.models import RULED, Appointment
from notifications.lifecycle import follow_up
from notifications.models import Notice
from patients.identity import LinkCertainty, link
from patients.models import Likeness, LinkProposal, PatientIdentifier
from patients.services import links as patient_links
from patients.services.registration import person_of
from staff import clock
from staff.access import Capability, require_everywhere
from staff.database import lock_rulings
from staff.errors import Refusal
from staff.models import User
from staff.sentences import gettext_stored as _
from staff.services import audit

Pair = tuple[int, dt.date]


@transaction.atomic
def join(*, leaving_id: int, staying_id: int) -> tuple[PatientIdentifier, set[Pair]]:
    """Join two known patients who are one person for sure.

    Part of a service that then aligns the notices of the returned days and writes the trail.
    Whatever the patient heard under either number counts as heard; a notice that waits for both is
    sent once.

    Args:
        leaving_id: the patient who joins, with their one record number.
        staying_id: the other patient.

    Returns:
        the record number, linked, and the patient and days of which is to be asked.

    Raises:
        Refusal: it could not be taken back exactly.
    """
    lock_rulings(shared=False)
    planned = Appointment.objects.filter(patient=leaving_id)
    moved = list(planned.values_list("pk", "day"))
    told = Notice.objects.filter(patient__in=[leaving_id, staying_id]).values_list("day", flat=True)
    days = {day for _pk, day in moved} | set(told)
    history = follow_up.hand_on(leaving=leaving_id, staying=staying_id)
    planned.update(patient=staying_id)
    joined = Appointment.objects.filter(pk__in=[pk for pk, _day in moved], status__in=RULED)
    mark_double_entries(joined.select_related("unit"))
    kept = history | {"appointments": [pk for pk, _day in moved]}
    record = patient_links.join(leaving_id=leaving_id, staying_id=staying_id, kept=kept)
    return record, {(staying_id, day) for day in days}


@transaction.atomic
def link_known(*, proposal_id: int, by: User) -> PatientIdentifier:
    """Join two patients who are listed because everything about them is equal.

    Raises:
        Refusal: not everything is equal any more, or it could not be taken back exactly.
    """
    require_everywhere(by, Capability.LOAD_FEEDS)
    lock_rulings(shared=False)
    found = LinkProposal.objects.select_related("record__patient", "other").get(pk=proposal_id)
    one, other = found.record.patient, found.other
    if link(person_of(one), person_of(other)) is not LinkCertainty.SURE:
        raise Refusal(_("Ces deux dossiers ne sont plus égaux en tout : rien n'est relié."))
    pair = (one.pk, other.pk)
    who = patient_links.joinable([pair]).get(pair)
    if who is None:
        raise Refusal(
            _(
                "Chacun a plusieurs dossiers, ou quelqu'un a dit que ce sont deux personnes : le "
                "lien ne se déferait pas exactement. Rien n'est relié."
            )
        )
    leaving_id, staying_id = who
    record, pairs = join(leaving_id=leaving_id, staying_id=staying_id)
    align_pairs(pairs=pairs)
    audit.record(
        action="patients.linked",
        by=by,
        subject=record,
        source=record.system,
        links=[{"record": record.value, "patient": staying_id, "was_patient": leaving_id}],
    )
    return record


@transaction.atomic
def unlink(*, identifier_id: int, by: User, reason: str) -> PatientIdentifier:
    """Undo a link: a record number gets its own patient back.

    The appointments loaded under that number move with it, and the telephones that only it brought
    leave the other patient. The bulletins in force are applied to both on those days: a notice that
    is still to be sent says what concerns each, and a patient who was not told is told. What a
    patient was told stays in their history, each appointment with its record number.

    Args:
        identifier_id: a record number that was linked to another's patient.
        by: who says that these are two people.
        reason: how that is known.

    Raises:
        Refusal: no reason, or the number is not linked.
    """
    require_everywhere(by, Capability.LOAD_FEEDS)
    if not reason.strip():
        raise Refusal(_("Dites comment vous savez que ce sont deux personnes."), field="reason")
    lock_rulings(shared=False)
    linked = PatientIdentifier.objects.get(pk=identifier_id)
    shared_id, kept = linked.patient_id, linked.linked_kept
    record = patient_links.part(identifier_id=identifier_id)
    by_number = Q(feed__name=record.system, record_number=record.value)
    came_by = Appointment.objects.filter(
        by_number | Q(pk__in=kept.get("appointments", ())), patient=shared_id
    )
    moved = list(came_by.values_list("pk", "day"))
    days = {day for _pk, day in moved}
    came_by.update(patient=record.patient_id)
    asked = follow_up.hand_back(kept, shared=shared_id, back_to=record.patient_id)
    _say_two(record, shared_id, by)
    both = (shared_id, record.patient_id)
    align_pairs(pairs=[*asked, *((who, day) for who in both for day in days)])
    audit.record(
        action="patients.unlinked",
        by=by,
        subject=record,
        source=record.system,
        record=record.value,
        patient=shared_id,
        now_patient=record.patient_id,
        appointments=[pk for pk, _day in moved],
        reason=reason.strip()[:300],
    )
    return record


def _say_two(record: PatientIdentifier, other_id: int, by: User) -> None:
    """Record that somebody called these two people, so that no load joins them again."""
    LinkProposal.objects.update_or_create(
        record=record,
        other_id=other_id,
        defaults={
            "likeness": Likeness.ALL,
            "proposed_at": clock.now(),
            "dismissed_at": clock.now(),
            "dismissed_by": by,
        },
    )


@transaction.atomic
def dismiss_likeness(*, proposal_id: int, by: User) -> LinkProposal:
    """Dismiss two records that look alike: somebody saw that nothing needs doing.

    Raises:
        Refusal: somebody did already.
    """
    require_everywhere(by, Capability.LOAD_FEEDS)
    proposal = LinkProposal.objects.select_for_update(of=("self",)).get(pk=proposal_id)
    if proposal.dismissed_at is not None:
        raise Refusal(_("Cette ressemblance est déjà écartée."))
    proposal.dismissed_at, proposal.dismissed_by = clock.now(), by
    proposal.save(update_fields=["dismissed_at", "dismissed_by"])
    audit.record(action="patients.likeness_dismissed", by=by, subject=proposal)
    return proposal
