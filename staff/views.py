"""The trail, for the auditor; a practitioner's delegates."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from staff.access import Capability, requires
from staff.errors import Refusal
from staff.forms import DelegateForm
from staff.paging import page_by_key
from staff.queries import TrailFilter, delegations_of, trail_for, trail_head
from staff.requests import SignedInRequest
from staff.services import delegating


@require_safe
@requires(Capability.SEE_TRAIL)
def trail(request: SignedInRequest) -> HttpResponse:
    """List who did and who saw what, the newest first."""
    chosen = TrailFilter(request.GET, queryset=trail_for(request.user))
    events = chosen.qs if chosen.is_valid() else chosen.queryset.none()
    page = page_by_key(events, keys=["-sequence"], cursor=request.GET.get("cursor", ""))
    return render(
        request, "staff/trail.html", {"filter": chosen, "page": page, "head": trail_head()}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Capability.KEEP)
def delegates(request: SignedInRequest) -> HttpResponse:
    """List who keeps patients in one's own name, and name another."""
    practitioner = getattr(request.user, "practitioner", None)
    form = DelegateForm(request.POST if request.method == "POST" else None, by=request.user)
    if request.method == "POST" and practitioner and form.is_valid():
        delegate = form.cleaned_data["delegate"]
        delegating.name(practitioner_id=practitioner.pk, delegate_id=delegate.pk, by=request.user)
        words = {"delegate": delegate}
        messages.success(
            request, _("%(delegate)s peut maintenant garder vos patients en votre nom.") % words
        )
        return redirect("delegates")
    context = {
        "practitioner": practitioner,
        "delegations": delegations_of(request.user),
        "form": form,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "staff/delegates.html", context, status=status)


@require_POST
@requires(Capability.KEEP)
def delegate_revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take a delegation back."""
    try:
        revoked = delegating.revoke(delegation_id=pk, by=request.user)
    except Refusal as why:
        messages.error(request, str(why))
    else:
        words = {"delegate": revoked.delegate}
        messages.success(request, _("%(delegate)s ne garde plus de patients en votre nom.") % words)
    return redirect("delegates")
