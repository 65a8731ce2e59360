"""Draft, read, preview, approve and withdraw bulletins."""

import datetime as dt
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from appointments.bulletins import preview as previewing
from appointments.bulletins import queries, services, withdrawals
from appointments.bulletins.editor import BulletinEditor, content_of, is_reshaping, reshaped
from appointments.bulletins.forms import (
    ApproveForm,
    CopyForm,
    PlaybookForm,
    PublicTextForm,
    WithdrawForm,
)
from appointments.bulletins.grid import unreachable
from appointments.bulletins.preview import (
    ClauseChanges,
    DayTables,
    changes_of,
    tables_of,
    totals_of,
)
from appointments.bulletins.public_text import (
    LANGUAGES,
    after_its_end,
    edit_public_text,
    ended,
    public_texts,
    text_of,
)
from appointments.bulletins.queries import (
    days_ruled,
    fingerprint,
    odd_moments,
    places,
    quiet_hours_of,
    replaced_by,
    visible,
)
from appointments.bulletins.reach import reach_of
from appointments.bulletins.sentences import (
    approval_in_words,
    clause_in_words,
    compared_sentences,
    duration_in_words,
    order_sentences,
)
from appointments.decisions.keeping import decided_by_day, standing_by_person
from appointments.decisions.rulings import clauses_of
from appointments.models import Bulletin, BulletinState
from notifications.telling.progress import holding_untrue
from staff import clock
from staff.access import Capability, require_two_persons, requires, scope_of
from staff.errors import Refusal
from staff.models import User
from staff.requests import SignedInRequest
from staff.sentences import Stored

C = Capability


@require_GET
@requires(C.SEE_BULLETINS)
def listing(request: SignedInRequest) -> HttpResponse:
    """List what is in force, then drafts and history."""
    in_force = queries.in_force(request.user)
    context = {
        "in_force": in_force,
        "is_as_planned": in_force or not (decided_by_day(clock.today()) or holding_untrue()),
        "page": queries.not_in_force(request.user, cursor=request.GET.get("cursor", "")),
        "may_draft": _everywhere(request.user, C.DRAFT_BULLETIN),
    }
    return render(request, "appointments/bulletins/list.html", context)


@require_GET
@requires(C.SEE_BULLETINS)
def detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show one bulletin: its clauses as sentences, what was done with it, what can be done."""
    bulletin = _visible(request, pk)
    reading = _reading(bulletin)
    context = reading | {
        "odd_moments": odd_moments(bulletin, reading["clauses"]),
        "events": queries.events_of(bulletin),
        **_next_steps(bulletin, request.user),
        "may_write": _everywhere(request.user, C.DRAFT_BULLETIN),
        "may_copy": _everywhere(request.user, C.DRAFT_BULLETIN),
        "may_preview": queries.sees_drafts(request.user),
        "may_withdraw": bulletin.state == BulletinState.IN_FORCE
        and _everywhere(request.user, C.APPROVE_BULLETIN),
    }
    return render(request, "appointments/bulletins/detail.html", context)


@require_GET
@requires(C.DRAFT_BULLETIN, C.APPROVE_BULLETIN, C.SEE_TRAIL)
def preview(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show what approving would do; nothing is changed."""
    bulletin = _visible(request, pk)
    context = _with_preview(bulletin)
    context["shown_day"] = _chosen_day(request.GET.get("day", ""), context["days"])
    context |= _next_steps(bulletin, request.user)
    return render(request, "appointments/bulletins/preview.html", context)


def _two_persons(bulletin: Bulletin, user: User) -> dict[str, Stored]:
    """Return the remark or refusal about the two accounts, before anybody approves."""
    try:
        return {"two_persons_remark": require_two_persons(bulletin.drafted_by, user)}
    except Refusal as why:
        return {"two_persons_refusal": why.message}


@require_http_methods(["GET", "POST"])
@requires(C.APPROVE_BULLETIN, everywhere=True)
def approve(request: SignedInRequest, pk: int) -> HttpResponse:
    """Let a second person approve the draft, on a page that shows its effect."""
    _visible(request, pk)
    form, refusal, status = ApproveForm(request.POST or None), "", 200
    if form.is_valid():
        cleaned = form.cleaned_data
        try:
            services.approve(
                bulletin_id=pk, by=request.user, seen=cleaned["seen"], told=cleaned["told"]
            )
        except Refusal as error:
            form, refusal, status = ApproveForm(), error.message, 409
        else:
            messages.success(request, _("Le bulletin %(number)s est en vigueur.") % {"number": pk})
            return redirect("board")
    elif form.is_bound:
        status = 422
    bulletin = _visible(request, pk)  # as it reads now
    context = _with_preview(bulletin) | {"refusal": refusal, "form": form}
    context["is_draft"] = _is_draft(bulletin)
    context["approving"] = approval_in_words(
        release_at=bulletin.release_at,
        sends=bool(context["preview"].patients_by_sms),
        hours=quiet_hours_of(bulletin),
        now=clock.now(),
    )
    context["is_own"] = bulletin.drafted_by_id == request.user.pk
    context |= _two_persons(bulletin, request.user)
    return render(request, "appointments/bulletins/approve.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires(C.APPROVE_BULLETIN, everywhere=True)
def withdraw(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask for a bulletin to be lifted, with the reason; or do it, as the second person."""
    bulletin = _visible(request, pk)
    if request.method == "POST" and "drop" in request.POST:
        withdrawals.drop_withdrawal(bulletin_id=pk, by=request.user)
        messages.success(request, _("Le bulletin %(number)s reste en vigueur.") % {"number": pk})
        return redirect("bulletin", pk=pk)
    if request.method == "POST" and "confirm" in request.POST:
        asked_at = parse_datetime(request.POST.get("asked_at", ""))
        withdrawals.withdraw(bulletin_id=pk, by=request.user, asked_at=asked_at or clock.now())
        messages.success(request, _("Le bulletin %(number)s est retiré.") % {"number": pk})
        return redirect("bulletin", pk=pk)
    earlier = queries.restorable(bulletin) if bulletin.state == BulletinState.IN_FORCE else []
    form, status = WithdrawForm(request.POST or None, earlier=earlier), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                withdrawals.ask_withdrawal(bulletin_id=pk, by=request.user, **form.cleaned_data)
            except Refusal as refusal:
                form.add_error(refusal.field or None, refusal.message)
            else:
                said = _("Une autre personne de la cellule de crise doit confirmer le retrait.")
                messages.success(request, said)
                return redirect("bulletin_withdraw", pk=pk)
    context = _withdrawing(bulletin, earlier) | {
        "form": form,
        "is_own": bulletin.withdrawal_asked_by_id == request.user.pk,
    }
    return render(request, "appointments/bulletins/withdraw.html", context, status=status)


def _withdrawing(bulletin: Bulletin, earlier: list[Bulletin]) -> dict[str, Any]:
    """Return what withdrawing would do: as it was asked for, or each way that it could be."""
    if bulletin.state != BulletinState.IN_FORCE:
        return {"bulletin": bulletin, "is_in_force": False}
    ways: list[Bulletin | None] = [None, *earlier]
    if bulletin.waits_for_withdrawal:
        ways = [one for one in ways if (one and one.pk) == bulletin.withdrawal_restores_id]
    asked = bulletin.waits_for_withdrawal
    effects = [
        previewing.withdrawal(
            bulletin.pk, restored=way, by_sms=asked and bulletin.withdrawal_by_sms
        )
        for way in ways
    ]
    could_text = 0 if asked else previewing.withdrawal(bulletin.pk, by_sms=True).by_sms
    return {
        "bulletin": bulletin,
        "is_in_force": True,
        "effects": [(one, duration_in_words(one.call_seconds)) for one in effects],
        "could_text": could_text,
        "standing": standing_by_person(bulletin.first_day, bulletin.last_day),
    }


def _visible(request: SignedInRequest, pk: int) -> Bulletin:
    return get_object_or_404(visible(request.user), pk=pk)


def _everywhere(user: User, capability: Capability) -> bool:
    return scope_of(user, capability).everywhere


def _next_steps(bulletin: Bulletin, user: User) -> dict[str, bool]:
    """Return what the user may do with a draft."""
    may_edit = _is_draft(bulletin) and _everywhere(user, C.DRAFT_BULLETIN)
    return {
        "may_edit": may_edit,
        "may_say_ready": may_edit and bulletin.drafted_by_id == user.pk,
        "may_approve": bulletin.is_ready and _everywhere(user, C.APPROVE_BULLETIN),
    }


def _is_draft(bulletin: Bulletin) -> bool:
    return bulletin.state == BulletinState.DRAFT


def _reading(bulletin: Bulletin) -> dict[str, Any]:
    """Return a bulletin in words: what it orders in effect, and its clauses that never rule."""
    clauses, where = clauses_of(bulletin), places()
    days = days_ruled(bulletin)
    return {
        "bulletin": bulletin,
        "names": where.names,
        "clauses": clauses,
        "seen": fingerprint(bulletin, clauses),
        "public_texts": public_texts(bulletin, clauses, where.names, days),
        "after_its_end": after_its_end(bulletin, where.names) if bulletin.has_ended else None,
        "sentences": order_sentences(clauses, where.names, days, now=clock.now()),
        "idle_clauses": [
            clause_in_words(clauses[index], where.names) for index in unreachable(clauses)
        ],
    }


def _chosen_day(text: str, days: tuple[DayTables, ...]) -> dt.date | None:
    """Return the day whose sites are shown: the one asked for, else the first."""
    listed = [day.day for day in days]
    return next((day for day in listed if day.isoformat() == text), listed[0] if listed else None)


def _clause_changes(bulletin: Bulletin, reading: dict[str, Any]) -> list[ClauseChanges]:
    """Return how a draft reads beside what rules its days; nothing for what is no draft."""
    if not _is_draft(bulletin):
        return []
    found = []
    for one in replaced_by(bulletin):
        added, dropped = compared_sentences(
            one.clauses, reading["clauses"], reading["names"], one.days, now=clock.now()
        )
        number, title = (one.bulletin.pk, one.bulletin.title) if one.bulletin else (0, "")
        found.append(
            ClauseChanges(number, title, one.days, tuple(added), tuple(dropped), one.still)
        )
    return found


def _with_preview(bulletin: Bulletin) -> dict[str, Any]:
    result = previewing.preview(bulletin.pk)
    reading = _reading(bulletin)
    return reading | {
        "changes": changes_of(result.counts, reading["names"].sites),
        "clause_changes": _clause_changes(bulletin, reading),
        "preview": result,
        "days": tables_of(result.counts, reading["names"].sites),
        "totals": totals_of(result.counts),
        "sending_time": duration_in_words(result.sms_seconds),
        "sms_part_cost": settings.SMS_PART_COST_EURO,
    }


@require_http_methods(["GET", "POST"])
@requires(C.DRAFT_BULLETIN, everywhere=True)
def public_text(request: SignedInRequest, pk: int, language: str) -> HttpResponse:
    """Show the text of one language beside what the clauses give, and store what is written."""
    bulletin = _visible(request, pk)
    if language not in LANGUAGES:
        raise Http404
    if bulletin.has_ended:
        messages.warning(request, ended())
        return redirect("bulletin", pk=pk)
    text = text_of(bulletin, language)
    form = PublicTextForm(request.POST or None, language=language, initial={"text": text.text})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            written: dict[str, Any] = form.cleaned_data
            if "reset" in request.POST:
                written = written | {"text": ""}
            try:
                edit_public_text(bulletin_id=pk, language=language, by=request.user, **written)
            except Refusal as refusal:
                form.add_error(refusal.field or None, refusal.message)
                status = 409
            else:
                messages.success(request, _("Texte public enregistré."))
                return redirect("bulletin", pk=pk)
    context = {"bulletin": bulletin, "text": text, "form": form, "is_crossed": status == 409}
    return render(request, "appointments/bulletins/public_text.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires(C.DRAFT_BULLETIN, everywhere=True)
def new(request: SignedInRequest) -> HttpResponse:
    """Start a draft: empty, from a playbook, or from an earlier bulletin."""
    start = request.POST.get("start") or request.GET.get("start", "")
    if start == "playbook":
        return _from_playbook(request)
    if start == "copy":
        return _from_copy(request)
    if start == "empty":
        return _edited(request, bulletin=None)
    return _choices(request)


@require_http_methods(["GET", "POST"])
@requires(C.DRAFT_BULLETIN, everywhere=True)
def edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change a draft."""
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
@requires(C.DRAFT_BULLETIN, everywhere=True)
def ready(request: SignedInRequest, pk: int) -> HttpResponse:
    """Say that a draft may be approved, or not yet."""
    _visible(request, pk)
    if "not_yet" in request.POST:
        services.take_back(bulletin_id=pk, by=request.user)
        messages.success(request, _("Le brouillon n'est plus proposé à l'approbation."))
    else:
        services.ready(bulletin_id=pk, by=request.user)
        messages.success(request, _("Le brouillon attend l'approbation d'une autre personne."))
    return redirect("bulletin", pk=pk)


@require_http_methods(["GET", "POST"])
@requires(C.DRAFT_BULLETIN, everywhere=True)
def delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """Delete a draft, once somebody has confirmed it."""
    bulletin = _visible(request, pk)
    if request.method == "POST":
        services.delete(bulletin_id=pk, by=request.user)
        messages.success(request, _("Le brouillon %(number)s est supprimé.") % {"number": pk})
        return redirect("bulletins")
    if bulletin.state != BulletinState.DRAFT:
        raise Refusal(_("Ce bulletin n'est plus un brouillon : il reste dans l'historique."))
    return render(request, "appointments/bulletins/delete.html", {"bulletin": bulletin})


@require_POST
@requires(C.DRAFT_BULLETIN, everywhere=True)
def reach(request: SignedInRequest) -> HttpResponse:
    """Answer how many appointments each cell of a form would rule; nothing is stored."""
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
                request, services.draft(by=request.user, **vars(form.cleaned_data["playbook"]))
            )
        except Refusal as refusal:
            form.add_error("playbook", refusal.message)
    return _choices(request, playbook_form=form)


def _from_copy(request: SignedInRequest) -> HttpResponse:
    form = CopyForm(request.POST or None, originals=visible(request.user).order_by("-id"))
    if form.is_valid():
        try:
            original, first_day = form.cleaned_data["original"], form.cleaned_data["first_day"]
            copy = services.copy(bulletin_id=original.pk, by=request.user, first_day=first_day)
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
        except services.Outdated as refusal:
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
    """Name the days apart that were not kept."""
    if days:
        words = ngettext(
            "Mis à part sans aucune case remplie, ce jour n'est pas gardé : %(days)s.",
            "Mis à part sans aucune case remplie, ces jours ne sont pas gardés : %(days)s.",
            len(days),
        )
        messages.info(request, words % {"days": ", ".join(days)})


def _saved(request: SignedInRequest, order: dict[str, Any], bulletin: Bulletin | None) -> Bulletin:
    if bulletin is None:
        return services.draft(by=request.user, **order)
    seen = request.POST.get("seen", "")
    return services.redraft(bulletin_id=bulletin.pk, by=request.user, seen=seen, **order)


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
    # The answer replaces a part of the page: the numbers elsewhere are requested again.
    return trigger_client_event(answer, "reach") if is_reshaping(request.POST) else answer
