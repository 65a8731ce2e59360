"""Is the message that a caller holds really from us?"""

from dataclasses import dataclass, field

from django.db.models import Max

from notifications.models import Notice, NoticeState
from notifications.references import notice_id_of
from notifications.telling.outbox import visible_notices
from staff.models import User


@dataclass(frozen=True)
class Asked:
    """What is known of a reference.

    ``is_ours`` may be true with ``notice`` None: it belongs to a site that the reader does not
    see. ``in_force`` is what holds for that day now, perhaps a newer notice than the one that
    the caller reads from, perhaps none. ``notices`` are all of that patient, newest first, with
    ``last_delivery``.
    """

    is_ours: bool
    notice: Notice | None = None
    in_force: Notice | None = None
    site: str = ""
    notices: list[Notice] = field(default_factory=list)


def asked_about(user: User, reference: str) -> Asked:
    """Return what a reader may know of a reference."""
    notice_id = notice_id_of(reference)
    if notice_id is None:
        return Asked(is_ours=False)
    ours = Notice.objects.filter(pk=notice_id).select_related("site").first()
    if ours is None:
        return Asked(is_ours=False)
    visible = visible_notices(user)
    notice = visible.filter(pk=ours.pk).first()
    if notice is None:
        return Asked(is_ours=True, site=ours.site.name)
    same_patient = visible.filter(patient=notice.patient_id).order_by("-day", "-version")
    standing = same_patient.filter(day=notice.day).exclude(state=NoticeState.WITHDRAWN)
    return Asked(
        is_ours=True,
        notice=notice,
        in_force=standing.first(),
        site=ours.site.name,
        notices=list(same_patient.annotate(last_delivery=Max("deliveries"))[:20]),
    )
