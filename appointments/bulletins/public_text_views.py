"""Put the public text of a bulletin into one's own words."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from appointments.bulletins import public_text_services as services
from appointments.bulletins.forms import PublicTextForm
from appointments.bulletins.public_text import LANGUAGES, PublicText
from appointments.bulletins.public_text_queries import public_texts
from appointments.bulletins.queries import clauses_of, days_ruled, places, visible
from appointments.models import Bulletin
from staff.access import Capability, require_everywhere, requires
from staff.errors import Refusal
from staff.requests import SignedInRequest


@require_http_methods(["GET", "POST"])
@requires(Capability.DRAFT_BULLETIN)
def public_text(request: SignedInRequest, pk: int, language: str) -> HttpResponse:
    """Show the text of one language beside what the clauses give, and store what is written."""
    require_everywhere(request.user, Capability.DRAFT_BULLETIN)
    bulletin = get_object_or_404(visible(request.user), pk=pk)
    if language not in LANGUAGES:
        raise Http404
    if bulletin.has_ended:
        messages.warning(request, services.ended())
        return redirect("bulletin", pk=pk)
    text = _text_of(bulletin, language)
    form = PublicTextForm(request.POST or None, language=language, initial={"text": text.text})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            written: dict[str, Any] = form.cleaned_data
            if "reset" in request.POST:
                written = written | {"text": ""}
            try:
                services.edit(bulletin_id=pk, language=language, by=request.user, **written)
            except Refusal as refusal:
                form.add_error(refusal.field or None, refusal.message)
                status = 409
            else:
                messages.success(request, _("Texte public enregistré."))
                return redirect("bulletin", pk=pk)
    context = {"bulletin": bulletin, "text": text, "form": form, "is_crossed": status == 409}
    return render(request, "appointments/bulletins/public_text.html", context, status=status)


def _text_of(bulletin: Bulletin, language: str) -> PublicText:
    texts = public_texts(bulletin, clauses_of(bulletin), places().names, days_ruled(bulletin))
    return next(text for text in texts if text.language == language)
