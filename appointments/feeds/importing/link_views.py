"""Record numbers that loads linked, to be taken back; and pairs that only look alike."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from appointments.feeds.importing.linking import dismiss_likeness, link_known, unlink
from appointments.feeds.importing.queries import likenesses, likenesses_page, links, links_page
from appointments.feeds.importing.views import for_the_group
from staff.errors import Refusal
from staff.requests import SignedInRequest


@require_GET
@for_the_group
def listing(request: SignedInRequest) -> HttpResponse:
    """List the links, or the pairs that look alike."""
    return _page(request)


@require_POST
@for_the_group
def take_back(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take a link back: two people again."""
    record = get_object_or_404(links(request.user), pk=pk)
    try:
        unlink(identifier_id=record.pk, by=request.user, reason=request.POST.get("reason", ""))
    except Refusal as refusal:
        return _page(request, faulty=record.pk, message=refusal.message)
    messages.success(
        request,
        _("Le dossier %(record)s est de nouveau celui d'une autre personne.")
        % {"record": record.value},
    )
    return redirect("links")


@require_POST
@for_the_group
def put_aside(request: SignedInRequest, pk: int) -> HttpResponse:
    """Put aside a pair that looks alike."""
    proposal = get_object_or_404(likenesses(request.user), pk=pk)
    dismiss_likeness(proposal_id=proposal.pk, by=request.user)
    messages.success(request, _("Noté : rien à faire pour ces deux dossiers."))
    answer = redirect("links")
    answer["Location"] += "?show=alike"
    return answer


@require_POST
@for_the_group
def link_alike(request: SignedInRequest, pk: int) -> HttpResponse:
    """Make one of two patients of whom everything is equal."""
    proposal = get_object_or_404(likenesses(request.user), pk=pk)
    try:
        record = link_known(proposal_id=proposal.pk, by=request.user)
    except Refusal as refusal:
        return _page(request, faulty=proposal.pk, message=refusal.message, shows_alike=True)
    messages.success(
        request,
        _("Les deux dossiers sont ceux de %(patient)s : un seul message.")
        % {"patient": record.patient},
    )
    return redirect("links")


def _page(
    request: SignedInRequest,
    *,
    faulty: int | None = None,
    message: str = "",
    shows_alike: bool = False,
) -> HttpResponse:
    shows_alike = shows_alike or request.GET.get("show") == "alike"
    cursor = request.GET.get("cursor", "")
    page = (likenesses_page if shows_alike else links_page)(request.user, cursor=cursor)
    context = {"page": page, "shows_alike": shows_alike, "faulty": faulty, "message": message}
    return render(request, "appointments/feeds/links.html", context, status=422 if message else 200)
