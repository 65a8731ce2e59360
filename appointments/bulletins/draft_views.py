"""Start and edit drafts of bulletins."""

import datetime as dt
from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from appointments.bulletins import as_seen
from appointments.bulletins import services as bulletins
from appointments.bulletins.editor_forms import BulletinEditor, content_of
from appointments.bulletins.editor_reshaping import is_reshaping, reach_of, reshaped
from appointments.bulletins.forms import CopyForm, PlaybookForm
from appointments.bulletins.queries import fingerprint, odd_moments, places, visible
from appointments.decisions.clauses import clauses_of
from appointments.models import Bulletin, BulletinState
from staff import clock
from staff.access import Capability, require_everywhere, requires
from staff.errors import Refusal
from staff.requests import SignedInRequest


@require_http_methods(["GET", "POST"])
@requires(Capability.DRAFT_BULLETIN)
def new(request: SignedInRequest) -> HttpResponse:
    """Start a draft: empty, from a playbook, or from an earlier bulletin."""
    require_everywhere(request.user, Capability.DRAFT_BULLETIN)
    start = request.POST.get("start") or request.GET.get("start", "")
    if start == "playbook":
        return _from_playbook(request)
    if start == "copy":
        return _from_copy(request)
    if start == "empty":
        return _edited(request, bulletin=None)
    return _choices(request)


@require_http_methods(["GET", "POST"])
@requires(Capability.DRAFT_BULLETIN)
def edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change a draft."""
    require_everywhere(request.user, Capability.DRAFT_BULLETIN)
    bulletin = visible(request.user).filter(pk=pk).first()
    if bulletin is None:
        if request.method != "POST":
            raise Http404
        why = _("Ce brouillon a été supprimé entre-temps.")
        return _as_a_new_draft(request, _typed(request), why)
    if bulletin.state == BulletinState.DRAFT:
        return _edited(request, bulletin=bulletin)
    if request.method == "POST":
        return _too_late(request, bulletin)
    raise Refusal(_("Ce bulletin n'est plus un brouillon : copiez-le pour le changer."))


@require_POST
@requires(Capability.DRAFT_BULLETIN)
def ready(request: SignedInRequest, pk: int) -> HttpResponse:
    """Say that a draft may be approved, or not yet."""
    require_everywhere(request.user, Capability.DRAFT_BULLETIN)
    get_object_or_404(visible(request.user), pk=pk)
    if "not_yet" in request.POST:
        bulletins.take_back(bulletin_id=pk, by=request.user)
        messages.success(request, _("Le brouillon n'est plus proposé à l'approbation."))
    else:
        bulletins.ready(bulletin_id=pk, by=request.user)
        messages.success(request, _("Le brouillon attend l'approbation d'une autre personne."))
    return redirect("bulletin", pk=pk)


@require_http_methods(["GET", "POST"])
@requires(Capability.DRAFT_BULLETIN)
def delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """Delete a draft, once somebody has confirmed it."""
    require_everywhere(request.user, Capability.DRAFT_BULLETIN)
    bulletin = get_object_or_404(visible(request.user), pk=pk)
    if request.method == "POST":
        bulletins.delete(bulletin_id=pk, by=request.user)
        messages.success(request, _("Le brouillon %(number)s est supprimé.") % {"number": pk})
        return redirect("bulletins")
    if bulletin.state != BulletinState.DRAFT:
        raise Refusal(_("Ce bulletin n'est plus un brouillon : il reste dans l'historique."))
    return render(request, "appointments/bulletins/delete.html", {"bulletin": bulletin})


@require_POST
@requires(Capability.DRAFT_BULLETIN)
def reach(request: SignedInRequest) -> HttpResponse:
    """Answer how many appointments each cell of a form would rule; nothing is stored."""
    require_everywhere(request.user, Capability.DRAFT_BULLETIN)
    editor = BulletinEditor(places(), data=request.POST)
    context = {
        "editor": editor,
        "reach": reach_of(editor),
        "days_changed": request.POST.get("offered") != editor.offered,
    }
    return render(request, "appointments/bulletins/_reach.html", context)


def _choices(request: SignedInRequest, **forms: Any) -> HttpResponse:
    originals = visible(request.user).order_by("-id")
    context = {
        "playbook_form": PlaybookForm(),
        "copy_form": CopyForm(originals=originals),
        "has_originals": originals.exists(),
    } | forms
    return render(request, "appointments/bulletins/new.html", context)


def _from_playbook(request: SignedInRequest) -> HttpResponse:
    form = PlaybookForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        try:
            return _started(
                request, bulletins.draft(by=request.user, **vars(form.cleaned_data["playbook"]))
            )
        except Refusal as refusal:
            form.add_error("playbook", refusal.message)
    return _choices(request, playbook_form=form)


def _from_copy(request: SignedInRequest) -> HttpResponse:
    form = CopyForm(request.POST or None, originals=visible(request.user).order_by("-id"))
    if form.is_valid():
        try:
            original, first_day = form.cleaned_data["original"], form.cleaned_data["first_day"]
            copy = bulletins.copy(bulletin_id=original.pk, by=request.user, first_day=first_day)
            return _started(request, copy)
        except Refusal as refusal:
            form.add_error(refusal.field or "original", refusal.message)
    return _choices(request, copy_form=form)


def _started(request: SignedInRequest, bulletin: Bulletin) -> HttpResponse:
    messages.success(request, _("Brouillon créé : vérifiez-le, puis prévisualisez-le."))
    return redirect("bulletin_edit", pk=bulletin.pk)


def _edited(request: SignedInRequest, *, bulletin: Bulletin | None) -> HttpResponse:
    """Show the editor, reshape it, or save it and go on to the preview."""
    if request.method != "POST":
        return _editor_page(request, _editor_of(bulletin), bulletin)
    editor = _typed(request)
    if is_reshaping(request.POST):
        return _editor_page(request, editor, bulletin)
    if editor.is_valid():
        try:
            saved = _saved(request, editor.order, bulletin)
        except as_seen.Outdated as refusal:
            return _as_a_new_draft(request, editor, refusal.message)
        except Refusal as refusal:
            field = refusal.field if refusal.field in editor.head.fields else None
            editor.head.add_error(field, refusal.message)
        else:
            messages.success(request, _("Brouillon enregistré."))
            _say_idle(request, editor.idle_days)
            return redirect("bulletin_preview", pk=saved.pk)
    return _editor_page(request, editor, bulletin, status=422)


def _say_idle(request: SignedInRequest, days: list[str]) -> None:
    """Say which days apart are gone, so that nobody looks for them."""
    if days:
        words = ngettext(
            "Mis à part sans aucune case remplie, ce jour n'est pas gardé : %(days)s.",
            "Mis à part sans aucune case remplie, ces jours ne sont pas gardés : %(days)s.",
            len(days),
        )
        messages.info(request, words % {"days": ", ".join(days)})


def _saved(request: SignedInRequest, order: dict[str, Any], bulletin: Bulletin | None) -> Bulletin:
    if bulletin is None:
        return bulletins.draft(by=request.user, **order)
    seen = request.POST.get("seen", "")
    return as_seen.redraft(bulletin_id=bulletin.pk, by=request.user, seen=seen, **order)


def _editor_of(bulletin: Bulletin | None) -> BulletinEditor:
    where = places()
    if bulletin is None:
        return BulletinEditor(where)
    return BulletinEditor(where, content=content_of(bulletin, clauses_of(bulletin), where))


def _typed(request: SignedInRequest) -> BulletinEditor:
    """Return the editor as it was sent, reshaped where a button asked for that."""
    editor = BulletinEditor(places(), data=request.POST)
    return reshaped(editor, request.POST) if is_reshaping(request.POST) else editor


def _too_late(request: SignedInRequest, bulletin: Bulletin) -> HttpResponse:
    """Answer an edit of a draft that was approved meanwhile."""
    approved_at = cast("dt.datetime", bulletin.approved_at)  # it is no draft any more
    words = {
        "person": bulletin.approved_by,
        "moment": date_format(approved_at.astimezone(clock.BRUSSELS), "D j/m H:i"),
    }
    why = _("%(person)s a approuvé ce bulletin (%(moment)s) : il n'est plus un brouillon.") % words
    return _as_a_new_draft(request, _typed(request), why)


def _as_a_new_draft(request: SignedInRequest, editor: BulletinEditor, why: str) -> HttpResponse:
    """Give back what was typed, to be saved beside the draft that others changed."""
    kept = _("Rien n'est perdu : enregistrer fait de ce que vous voyez un nouveau brouillon.")
    status = 200 if is_reshaping(request.POST) else 422
    return _editor_page(request, editor, None, status=status, refusal=f"{why} {kept}")


def _editor_page(
    request: SignedInRequest,
    editor: BulletinEditor,
    bulletin: Bulletin | None,
    *,
    status: int = 200,
    refusal: str = "",
) -> HttpResponse:
    seen, odd = request.POST.get("seen", ""), []
    if bulletin is not None and not seen:
        clauses = clauses_of(bulletin)
        seen, odd = fingerprint(bulletin, clauses), odd_moments(bulletin, clauses)
    context = {
        "odd_moments": odd,
        "editor": editor,
        "bulletin": bulletin,
        "seen": seen,
        "reach": reach_of(editor),
        "refusal": refusal,
    }
    answer = render(request, "appointments/bulletins/edit.html", context, status=status)
    # Only a part of the page comes anew: the numbers elsewhere have to be asked for.
    return trigger_client_event(answer, "reach") if is_reshaping(request.POST) else answer
