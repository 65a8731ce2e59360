"""Pause and resume: two buttons."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from notifications.sending import switch as sending
from staff.access import Capability, requires
from staff.requests import SignedInRequest


@require_POST
@requires(Capability.HOLD_SENDING)
def pause(request: SignedInRequest) -> HttpResponse:
    """Hold all sending."""
    sending.pause(by=request.user)
    messages.warning(request, _("Tous les envois sont en pause. Rien n'est perdu."))
    return redirect(_where_from(request))


@require_POST
@requires(Capability.HOLD_SENDING)
def resume(request: SignedInRequest) -> HttpResponse:
    """Let sending go on."""
    sending.resume(by=request.user)
    messages.success(request, _("Les envois reprennent."))
    return redirect(_where_from(request))


def _where_from(request: SignedInRequest) -> str:
    """Return the name of the page on which the button was pressed."""
    return "telling" if request.POST.get("from") == "telling" else "board"
