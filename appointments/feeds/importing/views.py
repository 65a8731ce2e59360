"""Load schedule files: give one, see what it would do, load it for good.

Also what loads leave to people: conflicts, refused rows, record numbers that were linked.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from appointments.decisions import appending as queries_of_double_entries
from appointments.decisions.in_force import ruled_from
from appointments.feeds.files.headings import COLUMNS, TEMPLATE_HEADINGS
from appointments.feeds.files.limits import LARGEST_FILE
from appointments.feeds.importing import loads, services
from appointments.feeds.importing.forms import CheckedForm, ImportForm, SourceForm
from appointments.feeds.importing.linking import dismiss_likeness, link_known, unlink
from appointments.feeds.importing.loads import about_no_phone
from appointments.feeds.importing.queries import (
    conflicts_page,
    conflicts_waiting,
    count_told_twice,
    disappeared_page,
    faults_page,
    feed_ages,
    imports,
    imports_page,
    likenesses,
    likenesses_page,
    links,
    links_page,
    sources,
    units_declared,
)
from appointments.feeds.importing.refused_rows import (
    count_refused,
    dismiss,
    note_call,
    refused_page,
    refused_rows,
)
from appointments.feeds.importing.results import MOST_REMARKS, about_older
from appointments.models import ImportState, RejectedRow, ScheduleImport
from staff import clock, csv_cells
from staff.access import Capability, requires
from staff.errors import Refusal
from staff.middleware import takes_files_up_to
from staff.requests import SignedInRequest
from staff.services import audit

_UNDER_WAY = {ImportState.WAITING, ImportState.RUNNING}
SHOWN_DISAPPEARED = 20  # names on the page of a load; all of them on a page of their own


# A file concerns no one site.
for_the_group = requires(Capability.LOAD_FEEDS, everywhere=True)


@require_GET
@for_the_group
def listing(request: SignedInRequest) -> HttpResponse:
    """List the loads and how old each source is."""
    context = {
        "page": imports_page(request.user, cursor=request.GET.get("cursor", "")),
        "feeds": feed_ages(request.user),
        "refused": count_refused(ruled_from(since=clock.today())),
        "conflicts": conflicts_waiting(request.user),
        "double_entries": queries_of_double_entries.count_double_entries(request.user),
        "told_twice": count_told_twice(request.user),
    }
    return render(request, "appointments/feeds/list.html", context)


@takes_files_up_to(LARGEST_FILE)
@require_http_methods(["GET", "POST"])
@for_the_group
def new(request: SignedInRequest) -> HttpResponse:
    """Take a file and have it checked; nothing is written yet."""
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            received = loads.receive(
                upload=form.cleaned_data["file"],
                feed_name=form.cleaned_data["source"],
                file_date=form.cleaned_data["file_date"],
                by=request.user,
            )
        except Refusal as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        else:
            return redirect("import", received.pk)
    context = {"form": form, "columns": COLUMNS, "feeds": feed_ages(request.user)}
    return render(request, "appointments/feeds/new.html", context)


@require_GET
@for_the_group
def detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show one load: its progress, then its counts and faults."""
    return _report(request, _found(request, pk))


def _report(
    request: SignedInRequest,
    found: ScheduleImport,
    *,
    form: CheckedForm | None = None,
    refusal: Refusal | None = None,
) -> HttpResponse:
    """Show one load; with a form or a refusal, what somebody answered wrongly."""
    context: dict[str, Any] = {"load": found, "is_under_way": found.state in _UNDER_WAY}
    if found.has_no_phone:
        context["about_no_phone"] = about_no_phone()
    if found.state in {ImportState.CHECKED, ImportState.LOADED, ImportState.ABANDONED}:
        context["remarks_listed"] = MOST_REMARKS
        context["page"] = faults_page(found, cursor=request.GET.get("cursor", ""))
        context["disappeared"] = disappeared_page(found, cursor="", size=SHOWN_DISAPPEARED)
    context["units"] = units_declared(found)
    if found.state == ImportState.CHECKED:
        context["form"] = form or CheckedForm(load=found)
        context["about_older"] = about_older(found.rows_undone) if found.rows_undone else ""
    if refusal is not None:
        context["refusal"] = refusal.message
    is_wrong = refusal is not None or (form is not None and bool(form.errors))
    status = 422 if is_wrong else 200
    return render(request, "appointments/feeds/detail.html", context, status=status)


@require_GET
@for_the_group
def disappeared(request: SignedInRequest, pk: int) -> HttpResponse:
    """Name every appointment that disappeared by a load."""
    found = _found(request, pk)
    page = disappeared_page(found, cursor=request.GET.get("cursor", ""))
    return render(request, "appointments/feeds/disappeared.html", {"load": found, "page": page})


@require_GET
@for_the_group
def progress(request: SignedInRequest, pk: int) -> HttpResponse:
    """Give the part that moves while a load is under way (htmx); then the whole page again."""
    found = _found(request, pk)
    if found.state not in _UNDER_WAY:
        return HttpResponseClientRefresh()
    return render(request, "appointments/feeds/_progress.html", {"load": found})


@require_POST
@for_the_group
def confirm(request: SignedInRequest, pk: int) -> HttpResponse:
    """Keep what is said of a checked file; where that changes nothing, load it for good."""
    found = _found(request, pk)
    form = None
    try:
        if "complete_for" in request.POST and found.state == ImportState.CHECKED:
            form = CheckedForm(request.POST, load=found)
            if not form.is_valid():
                return _report(request, found, form=form)
            is_new = loads.correct(schedule_import_id=found.pk, said=form.said, by=request.user)
            if is_new:
                said = _("Le fichier est vérifié à nouveau avec vos réponses : relisez, confirmez.")
                messages.info(request, said)
            if is_new or "check" in request.POST:
                return redirect("import", found.pk)
        loads.confirm(
            schedule_import_id=found.pk,
            by=request.user,
            accepts_older="accepts_older" in request.POST,
            accepts_disappeared="accepts_disappeared" in request.POST,
        )
    except Refusal as refusal:
        if found.state != ImportState.CHECKED:
            raise
        return _report(request, found, form=form, refusal=refusal)
    return redirect("import", found.pk)


@require_http_methods(["GET", "POST"])
@for_the_group
def source(request: SignedInRequest, name: str) -> HttpResponse:
    """Set what holds for every file of a source."""
    feed = get_object_or_404(sources(request.user), name=name)
    held = {"age_rule": feed.age_rule, "complete_for": feed.complete_for}
    form = SourceForm(request.POST or None, initial=held)
    if request.method == "POST" and form.is_valid():
        loads.set_source(feed_name=name, by=request.user, **form.cleaned_data)
        messages.success(request, _("Réglages de la source gardés."))
        return redirect("imports")
    return render(request, "appointments/feeds/source.html", {"form": form, "name": name})


@require_http_methods(["GET", "POST"])
@for_the_group
def conflicts(request: SignedInRequest) -> HttpResponse:
    """List what files of unknown age say otherwise of known appointments; accept or refuse it."""
    if request.method == "POST":
        chosen = {int(one) for one in request.POST.getlist("conflict") if one.isdecimal()}
        if "accept" in request.POST:
            number = services.accept_conflicts(conflict_ids=chosen, by=request.user)
            said = ngettext("%(n)s changement accepté.", "%(n)s changements acceptés.", number)
        else:
            number = services.refuse_conflicts(conflict_ids=chosen, by=request.user)
            said = ngettext("%(n)s changement refusé.", "%(n)s changements refusés.", number)
        messages.success(request, said % {"n": number})
        return redirect("import_conflicts")
    context = {
        "page": conflicts_page(request.user, cursor=request.GET.get("cursor", "")),
        "number": conflicts_waiting(request.user),
    }
    return render(request, "appointments/feeds/conflicts.html", context)


@require_GET
@for_the_group
def double_entries(request: SignedInRequest) -> HttpResponse:
    """List what several sources plan for one patient, moment and place; contradictions first."""
    found = queries_of_double_entries.double_entries(request.user)
    context = {"found": found, "most": queries_of_double_entries.MOST_SHOWN}
    return render(request, "appointments/feeds/double_entries.html", context)


@require_GET
@for_the_group
def faults(request: SignedInRequest, pk: int) -> StreamingHttpResponse:
    """Give the faults as a file, to send back to whoever made the export."""
    found = _found(request, pk)
    audit.record(action="schedule.faults_exported", by=request.user, subject=found)
    rows = found.rejected_rows.order_by("id").iterator(chunk_size=2000)
    return StreamingHttpResponse(
        faults_csv(rows, found.sheets),
        content_type=csv_cells.CONTENT_TYPE,
        headers={"Content-Disposition": f'attachment; filename="rejets-{found.pk}.csv"'},
    )


@require_GET
@for_the_group
def template(request: SignedInRequest, format: str) -> HttpResponse:
    """Give the template: the headings of every column, ready for Excel."""
    if format != "csv":
        raise Http404
    headers = {"Content-Disposition": 'attachment; filename="agenda-modele.csv"'}
    return HttpResponse(template_csv(), content_type=csv_cells.CONTENT_TYPE, headers=headers)


@require_GET
@for_the_group
def refused(request: SignedInRequest) -> HttpResponse:
    """List the rows that loads refused: those to see to, or those that were seen to."""
    return _refused_page(request)


@require_POST
@for_the_group
def refused_called(request: SignedInRequest, pk: int) -> HttpResponse:
    """Note that the patient of a refused row was called by hand."""
    row = get_object_or_404(refused_rows(request.user), pk=pk)
    try:
        note_call(refused_row_id=row.pk, by=request.user, note=request.POST.get("note", ""))
    except Refusal as refusal:
        return _refused_page(request, faulty=row.pk, message=refusal.message)
    messages.success(request, _("Noté : le patient de la ligne refusée a été appelé."))
    return redirect("refused_rows")


@require_POST
@for_the_group
def refused_dismiss(request: SignedInRequest, pk: int) -> HttpResponse:
    """Note by name why nothing needs doing about a refused row."""
    row = get_object_or_404(refused_rows(request.user), pk=pk)
    try:
        dismiss(refused_row_id=row.pk, by=request.user, reason=request.POST.get("note", ""))
    except Refusal as refusal:
        return _refused_page(request, faulty=row.pk, message=refusal.message)
    messages.success(request, _("Noté : la ligne refusée est écartée."))
    return redirect("refused_rows")


def _refused_page(
    request: SignedInRequest, *, faulty: int | None = None, message: str = ""
) -> HttpResponse:
    is_open = request.GET.get("show") != "closed"
    page = refused_page(request.user, is_open=is_open, cursor=request.GET.get("cursor", ""))
    ruled = ruled_from(since=clock.today())
    context = {
        "page": page,
        "is_open": is_open,
        "count": count_refused(ruled),
        "ruled": ruled,
        "faulty": faulty,
        "message": message,
    }
    return render(
        request, "appointments/feeds/refused.html", context, status=422 if message else 200
    )


def _found(request: SignedInRequest, pk: int) -> ScheduleImport:
    return get_object_or_404(imports(request.user), pk=pk)


def template_csv() -> str:
    """Return the template: a line of headings, nothing below that could be loaded by mistake."""
    return csv_cells.MARK + csv_cells.line([heading for heading, _example in TEMPLATE_HEADINGS])


def faults_csv(
    rows: Iterable[RejectedRow], sheets: Iterable[Mapping[str, Any]] = ()
) -> Iterator[str]:
    """Yield the lines of a CSV with the faults of a file, for whoever must correct it.

    Args:
        rows: in the order of the file.
        sheets: those of a workbook, as ``ScheduleImport.sheets``; one left out comes first.
    """
    columns = [_("Ligne"), _("Colonne"), _("Valeur"), _("Raison"), _("Ligne entrée")]
    is_workbook = bool(sheets)
    yield csv_cells.MARK + csv_cells.line([_("Feuille"), *columns] if is_workbook else columns)
    for sheet in sheets:
        if sheet["left_out"]:
            why = _("Feuille laissée de côté : %(why)s") % {"why": sheet["left_out"]}
            yield csv_cells.line([sheet["name"], "", "", "", why, _("non")])
    for row in rows:
        landed = _("oui") if row.landed else _("non")
        cells = [row.line, row.column, row.value, row.why, landed]
        yield csv_cells.line([row.sheet, *cells] if is_workbook else cells)


@require_GET
@for_the_group
def list_links(request: SignedInRequest) -> HttpResponse:
    """List the links, or the pairs that look alike."""
    return _links_page(request)


@require_POST
@for_the_group
def take_back(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take a link back: two people again."""
    record = get_object_or_404(links(request.user), pk=pk)
    try:
        unlink(identifier_id=record.pk, by=request.user, reason=request.POST.get("reason", ""))
    except Refusal as refusal:
        return _links_page(request, faulty=record.pk, message=refusal.message)
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
        return _links_page(request, faulty=proposal.pk, message=refusal.message, shows_alike=True)
    messages.success(
        request,
        _("Les deux dossiers sont ceux de %(patient)s : un seul message.")
        % {"patient": record.patient},
    )
    return redirect("links")


def _links_page(
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
