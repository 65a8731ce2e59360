"""Take back a link between two record numbers, exactly; put aside who only looks alike."""

from django.db import transaction
from django.utils.translation import gettext as _

from appointments.models import Appointment
from appointments.services.rulings import align_pairs
from patients.models import LinkProposal, PatientIdentifier
from patients.services import registering
from staff import clock
from staff.access import Capability, require_everywhere
from staff.database import lock_rulings
from staff.errors import Refusal
from staff.models import User
from staff.services import audit


@transaction.atomic
def unlink(*, identifier_id: int, by: User, reason: str) -> PatientIdentifier:
    """Make two people of one again: a record number gets its own patient back.

    The appointments that came by that number go with it, and the telephones that only it brought
    leave the other patient. What rules on those days is applied to both: a message that is still
    to be sent says what concerns each, and the one who was not told is told. What one patient
    was told stays in their history, each appointment with the record number that it came by.

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
    shared_id = PatientIdentifier.objects.values_list("patient_id", flat=True).get(pk=identifier_id)
    record = registering.part(identifier_id=identifier_id)
    came_by = Appointment.objects.filter(
        patient=shared_id, feed__name=record.system, record_number=record.value
    )
    moved = list(came_by.values_list("pk", "day"))
    days = {day for _pk, day in moved}
    came_by.update(patient=record.patient_id)
    align_pairs(pairs=[(who, day) for who in (shared_id, record.patient_id) for day in days])
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


@transaction.atomic
def dismiss_likeness(*, proposal_id: int, by: User) -> LinkProposal:
    """Put aside two records that look alike: somebody saw that nothing needs doing.

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
