"""Incoming calls: find the patient, read out what holds, record the question."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import push_url

from appointments.incoming import queries
from appointments.incoming.queries import IncomingDay
from notifications.calls import questions
from notifications.models import Answer, Question, notice_id_of
from patients.models import Patient
from staff.access import Capability, requires
from staff.errors import Refusal
from staff.requests import SignedInRequest
from staff.services import audit

_REMARK = gettext_lazy("Par exemple qui a appelé. Rien de médical.")


class SearchForm(forms.Form):
    """One field for any data by which the caller can be found."""

    q = forms.CharField(
        label=gettext_lazy("Nom, date de naissance, numéro ou référence du SMS"),
        required=False,
        max_length=80,
        widget=forms.TextInput(
            attrs={
                "type": "search",
                "autocomplete": "off",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
        help_text=gettext_lazy(
            "Par exemple Dupont Anne, 01/02/1960, 0495 12 34 56, 60.02.01-123.45 ou 223K-7QF."
        ),
    )


class AnswerForm(forms.Form):
    """That the sentence of a day was read out; ``seen`` says which one the agent saw."""

    day = forms.DateField(required=False, widget=forms.HiddenInput)
    seen = forms.CharField(max_length=16, widget=forms.HiddenInput)
    q = forms.CharField(max_length=80, required=False, widget=forms.HiddenInput)
    remark = forms.CharField(
        label=gettext_lazy("Remarque pour les collègues"),
        required=False,
        max_length=200,
        help_text=_REMARK,
    )


class UnansweredForm(forms.Form):
    """A call that could not be answered."""

    answer = forms.ChoiceField(
        choices=[(one.value, one.label) for one in (Answer.NOT_OURS, Answer.NOT_FOUND)]
    )
    q = forms.CharField(max_length=80, widget=forms.HiddenInput)
    remark = forms.CharField(
        label=gettext_lazy("Remarque pour les collègues"),
        required=False,
        max_length=120,
        help_text=_REMARK,
    )


@require_safe
@vary_on_headers("HX-Request")
@requires(Capability.WORK_CALL_LIST)
def incoming(request: SignedInRequest) -> HttpResponse:
    """Find the caller; htmx gets the results only."""
    form = SearchForm(request.GET)
    typed = form.cleaned_data["q"].strip() if form.is_valid() else ""
    found = queries.search(request.user, typed) if typed else None
    if found is not None:
        audit.record(
            action="incoming.searched",
            by=request.user,
            typed=typed,
            patients=[one.pk for one in found.patients],
        )
    context = {
        "form": form,
        "typed": typed,
        "found": found,
        "unanswered": UnansweredForm(auto_id="unanswered_%s", initial={"q": typed}),
    }
    if not request.htmx or request.htmx.history_restore_request:
        return render(request, "appointments/incoming/page.html", context)
    address = request.path + (f"?{urlencode({'q': typed})}" if typed else "")
    return push_url(render(request, "appointments/incoming/_found.html", context), address)


@require_safe
@requires(Capability.WORK_CALL_LIST)
def incoming_patient(request: SignedInRequest, patient: int) -> HttpResponse:
    """Show what to read out to a patient; that they were looked at is recorded."""
    found = get_object_or_404(queries.patients_of(request.user), pk=patient)
    answer = _page(request, found, typed=request.GET.get("q", "")[:80])
    audit.record(action="patient.viewed", by=request.user, subject=found)
    return answer


@require_POST
@requires(Capability.WORK_CALL_LIST)
def incoming_answer(request: SignedInRequest, patient: int) -> HttpResponse:
    """Write down that the sentence of a day was read out."""
    found = get_object_or_404(queries.patients_of(request.user), pk=patient)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _page(request, found, typed=request.POST.get("q", "")[:80], faulty=form)
    try:
        question = _answer(request, found, **form.cleaned_data)
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Noté : %s.") % question.get_answer_display())
    address = reverse("incoming_patient", args=[found.pk])
    typed = form.cleaned_data["q"]
    return redirect(f"{address}?{urlencode({'q': typed})}" if typed else address)


@require_POST
@requires(Capability.WORK_CALL_LIST)
def incoming_unanswered(request: SignedInRequest) -> HttpResponse:
    """Record a call of a patient who was not found, or whose message is not ours."""
    form = UnansweredForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Rien n'est noté : cherchez d'abord ce que dit le patient."))
        return redirect("incoming")
    typed, remark = form.cleaned_data["q"], form.cleaned_data["remark"]
    is_forged = form.cleaned_data["answer"] == Answer.NOT_OURS
    questions.log(
        by=request.user,
        answer=form.cleaned_data["answer"],
        reference=typed if is_forged else "",
        remark=remark if is_forged else f"{typed} {remark}",
    )
    messages.success(request, _("La question est notée."))
    return redirect("incoming")


def _answer(
    request: SignedInRequest,
    patient: Patient,
    *,
    day: dt.date | None,
    seen: str,
    q: str,
    remark: str,
) -> Question:
    """Write the answer down for the day as the agent saw it.

    Raises:
        Refusal: what holds is something else by now.
    """
    read = next((one for one in queries.days_of(patient, request.user) if one.day == day), None)
    if read is None or read.seen != seen:
        raise Refusal(
            _(
                "La décision a changé pendant l'appel : rien n'est noté. Lisez au patient ce qui "
                "vaut maintenant."
            )
        )
    asked: dict[str, Any] = {
        "by": request.user,
        "said": read.said,
        "found_by": queries.found_by(patient, q),
        "reference": q if notice_id_of(q) is not None else "",
        "remark": remark,
    }
    if read.notice is not None:
        return questions.answer_and_tell(
            notice_id=read.notice.pk,
            also=[one.pk for one in read.also],
            known=read.known,
            stale=[one.pk for one in read.stale],
            words=read.words,
            **asked,
        )
    return questions.log(
        answer=read.answer,
        patient_id=patient.pk,
        day=day,
        stale=[one.pk for one in read.stale],
        words=read.words,
        **asked,
    )


def _page(
    request: SignedInRequest, patient: Patient, *, typed: str, faulty: AnswerForm | None = None
) -> HttpResponse:
    days = queries.days_of(patient, request.user)
    context = {
        "patient": patient,
        "typed": typed,
        "days": [(day, _form(day, typed, faulty)) for day in days],
        "questions": queries.questions_of(patient),
    }
    status = 422 if faulty else 200
    return render(request, "appointments/incoming/patient.html", context, status=status)


def _form(day: IncomingDay, typed: str, faulty: AnswerForm | None) -> AnswerForm:
    """Return the form of a day: the one that was sent, if it was this day's."""
    auto_id = f"{day.day or 'nothing'}_%s"
    if faulty is not None and faulty.data.get("day", "") == str(day.day or ""):
        faulty.auto_id = auto_id
        return faulty
    initial = {"day": day.day, "seen": day.seen, "q": typed}
    return AnswerForm(auto_id=auto_id, initial=initial)
