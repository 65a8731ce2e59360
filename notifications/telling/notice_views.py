"""The patients behind the numbers of the telling."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from notifications.models import NoticeState
from notifications.telling.notices import BY_APPOINTMENT, notices_in
from notifications.telling.progress import LISTED, progress
from staff.access import Capability, requires
from staff.paging import page_by_key
from staff.requests import SignedInRequest
from staff.services import audit

PAGE_SIZE = 50


@require_safe
@requires(Capability.SEE_OUTBOX)
def notices(request: SignedInRequest) -> HttpResponse:
    """List who is to be told, who was told or who could not be reached, by appointment."""
    state = _state(request.GET.get("state", ""))
    page = page_by_key(
        notices_in(request.user, state),
        keys=BY_APPOINTMENT,
        cursor=request.GET.get("cursor", ""),
        size=PAGE_SIZE,
    )
    counted = progress(request.user).patients
    context = {
        "state": state,
        "page": page,
        "states": [(one, counted[one]) for one in LISTED],
    }
    answer = render(request, "notifications/notices.html", context)
    listed = [one.pk for one in page]
    audit.record(action="notices.viewed", by=request.user, state=state, notices=listed)
    return answer


def _state(asked: str) -> NoticeState:
    """Return the state asked for; what is none of those listed counts as "to be told"."""
    return NoticeState(asked) if asked in LISTED else NoticeState.OPEN
