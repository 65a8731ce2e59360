"""The texts of messages: which hold, and the editor of one with its live preview."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from notifications.models import MessageKind
from notifications.texts import queries, services, wording
from notifications.texts import render as texts
from notifications.texts.preview import Draft, meanings, preview
from notifications.texts.services import tidy
from patients.models import Language
from staff.access import Capability, require_everywhere, requires
from staff.errors import Refusal
from staff.models import Site
from staff.requests import SignedInRequest


class TextForm(forms.Form):
    """A text, and the site whose phone number and sender its preview shows.

    The service checks the text, and the preview does so live.
    """

    body = forms.CharField(
        label=gettext_lazy("Texte"),
        required=False,  # an empty text lacks its variables, and is told so
        strip=False,
        widget=forms.Textarea,
    )
    site = forms.ModelChoiceField(
        Site.objects.all(),
        label=gettext_lazy("Aperçu pour le site"),
        required=False,
        empty_label=None,
    )

    def chosen(self) -> tuple[str, Site | None]:
        """Return the text and the site, as far as they were sent."""
        values: dict[str, Any] = dict(self.initial)
        if self.is_bound:
            self.is_valid()
            values = self.cleaned_data
        site = values.get("site") or Site.objects.first()
        return tidy((values.get("body") or "")[: 4 * wording.LONGEST]), site


@require_safe
@requires(Capability.EDIT_TEXTS)
def message_texts(request: SignedInRequest) -> HttpResponse:
    """Show each kind of message in each language."""
    require_everywhere(request.user, Capability.EDIT_TEXTS)
    context = {"rows": queries.table(request.user), "languages": Language.labels}
    return render(request, "notifications/texts/table.html", context)


@require_http_methods(["GET", "POST"])
@requires(Capability.EDIT_TEXTS)
def message_text(request: SignedInRequest, language: str, kind: str) -> HttpResponse:
    """Show the editor; look at a text, or save it."""
    require_everywhere(request.user, Capability.EDIT_TEXTS)
    _known_or_404(language, kind)
    if request.method == "GET":
        body = queries.in_force(language, kind)
        form = TextForm(initial={"body": body})
        return _editor(request, language, kind, form, seen=queries.fingerprint(body))
    form, seen = TextForm(request.POST), request.POST.get("seen", "")
    if "save" not in request.POST:
        return _editor(request, language, kind, form, seen=seen)
    return _save(request, language, kind, form, seen)


@require_POST
@requires(Capability.EDIT_TEXTS)
def message_text_preview(request: SignedInRequest, language: str, kind: str) -> HttpResponse:
    """Show what the text being written becomes; nothing is saved."""
    require_everywhere(request.user, Capability.EDIT_TEXTS)
    _known_or_404(language, kind)
    context = _shown(language, kind, TextForm(request.POST))
    return render(request, "notifications/texts/_answer.html", context)


@require_POST
@requires(Capability.EDIT_TEXTS)
def message_text_reset(request: SignedInRequest, language: str, kind: str) -> HttpResponse:
    """Go back to the shipped text."""
    require_everywhere(request.user, Capability.EDIT_TEXTS)
    _known_or_404(language, kind)
    seen = request.POST.get("seen", "")
    try:
        services.reset(language=language, kind=kind, seen=seen, by=request.user)
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Le texte d'origine vaut à nouveau."))
    return redirect("message_text", language, kind)


def _save(
    request: SignedInRequest, language: str, kind: str, form: TextForm, seen: str
) -> HttpResponse:
    body, _site = form.chosen()
    try:
        services.save(language=language, kind=kind, body=body, seen=seen, by=request.user)
    except Refusal as refusal:
        if not refusal.field:  # somebody else's change is now seen
            seen = queries.fingerprint(queries.in_force(language, kind))
        return _editor(request, language, kind, form, seen=seen, refusal=refusal)
    messages.success(request, _("Enregistré : les messages le disent d'ici 20 secondes."))
    return redirect("message_text", language, kind)


def _editor(
    request: SignedInRequest,
    language: str,
    kind: str,
    form: TextForm,
    *,
    seen: str,
    refusal: Refusal | None = None,
) -> HttpResponse:
    context = _shown(language, kind, form) | {
        "kind": MessageKind(kind),
        "language_name": Language(language).label,
        "form": form,
        "seen": seen,
        "refusal": refusal,
        "variables": meanings(language, kind),
        "changes": queries.changes(language, kind),
        "is_edited": queries.in_force(language, kind) != texts.shipped(language, kind),
        "shipped": texts.shipped(language, kind),
    }
    status = 422 if refusal else 200
    return render(request, "notifications/texts/edit.html", context, status=status)


def _shown(language: str, kind: str, form: TextForm) -> dict[str, Any]:
    body, site = form.chosen()
    draft = Draft(language, kind, body)
    return {
        "preview": preview(draft, site=site),
        "language": language,
        "site": site,
        "is_spoken": draft.is_spoken,
    }


def _known_or_404(language: str, kind: str) -> None:
    if language not in Language.values or kind not in MessageKind.values:
        raise Http404
