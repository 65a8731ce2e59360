"""Load schedule files: give one, say what it is, see what it would do, load it for good.

Also what loads leave to people: conflicts, refused rows, record numbers that were linked.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

from crispy_forms.helper import FormHelper
from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from appointments.decisions import acts
from appointments.decisions.rulings import ruled_from
from appointments.feeds.files.headings import COLUMNS, TEMPLATE_HEADINGS
from appointments.feeds.files.limits import LARGEST_FILE
from appointments.feeds.importing import uploads
from appointments.feeds.importing.conflicts import accept_conflicts, refuse_conflicts
from appointments.feeds.importing.links import dismiss_likeness, link_known, unlink
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
    units_to_choose,
)
from appointments.feeds.importing.refused_rows import (
    count_refused,
    dismiss,
    note_call,
    refused_page,
    refused_rows,
)
from appointments.feeds.importing.results import ABOUT_NO_PHONE, MOST_REMARKS, about_older
from appointments.feeds.importing.services import check_source_name
from appointments.feeds.importing.uploads import DEFAULT_SOURCE, FileTerms
from appointments.feeds.records import Declared
from appointments.models import AgeRule, Extent, ImportState, RejectedRow, ScheduleImport
from staff import clock, csv_cells
from staff.access import Capability, requires
from staff.errors import Refusal
from staff.inputs import DayInput, MomentInput, bare_helper
from staff.middleware import takes_files_up_to
from staff.models import Unit
from staff.requests import SignedInRequest
from staff.services import audit

_UNDER_WAY = {ImportState.WAITING, ImportState.RUNNING}
SHOWN_DISAPPEARED = 20  # names on the page of a load; all of them on a page of their own
# A file concerns no one site.
for_the_group = requires(Capability.LOAD_FEEDS, everywhere=True)


class ImportForm(forms.Form):
    """A file and where it comes from."""

    file = forms.FileField(
        label=gettext_lazy("Fichier CSV ou XLSX"),
        max_length=200,
        allow_empty_file=True,  # the service says better what to do about one
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
        help_text=gettext_lazy("Jusqu'à %(limit)s Mo.") % {"limit": LARGEST_FILE // 1024 // 1024},
    )
    source = forms.CharField(
        label=gettext_lazy("Source"),
        max_length=40,
        initial=DEFAULT_SOURCE,
        widget=forms.TextInput(attrs={"list": "known-sources", "autocomplete": "off"}),
        help_text=gettext_lazy(
            "Le programme d'où vient l'export, toujours le même nom : un autre nom ferait de "
            "chaque rendez-vous un second."
        ),
    )
    # Milliseconds since 1970, filled by the browser (imports.js); without it nothing is missing.
    file_date = forms.CharField(required=False, widget=forms.HiddenInput())

    helper = FormHelper()
    helper.form_tag = False
    helper.disable_csrf = True

    def clean_source(self) -> str:
        """Return a usable name."""
        name: str = self.cleaned_data["source"]
        try:
            check_source_name(name)
        except Refusal as refusal:
            raise forms.ValidationError(refusal.message) from refusal
        return name

    def clean_file_date(self) -> dt.datetime | None:
        """Return when the file was written; what a browser sends wrongly is unknown."""
        try:
            milliseconds = int(self.cleaned_data["file_date"])
            return dt.datetime.fromtimestamp(milliseconds / 1000, tz=dt.UTC)
        except (ValueError, OverflowError, OSError):
            return None


class UnitsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # no generic at run time
    """Units to tick, each with its site; those that the file names are marked."""

    named: frozenset[int] = frozenset()

    def label_from_instance(self, obj: Unit) -> str:
        """Return what stands beside the box."""
        place = f"{obj.site} – {obj.name}"
        if obj.pk not in self.named:
            return place
        return _("%(place)s (dans le fichier)") % {"place": place}


class CheckedForm(forms.Form):
    """What a checked file is: when it was exported, and what it is complete for."""

    exported_at = forms.DateTimeField(
        label=gettext_lazy("Export fait par la source le"),
        required=False,
        widget=MomentInput(),
        help_text=gettext_lazy(
            "Pas le moment du chargement. Laissez vide si personne ne le sait : les données "
            "passent alors pour anciennes, et les déplacements attendent une décision."
        ),
    )
    complete_for = forms.ChoiceField(
        label=gettext_lazy("Ce fichier est complet pour"),
        choices=Extent.choices,
        help_text=gettext_lazy("Là seulement, ce qui n'y figure plus est signalé comme disparu."),
    )
    units = UnitsField(
        label=gettext_lazy("Unités dont ce fichier dit tout"),
        queryset=Unit.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple(),
        help_text=gettext_lazy(
            "Avec « les unités cochées » seulement. Une unité cochée où le fichier ne nomme plus "
            "personne est vide pour la source."
        ),
    )
    first_day = forms.DateField(label=gettext_lazy("Complet du"), required=False, widget=DayInput())
    last_day = forms.DateField(
        label=gettext_lazy("Complet jusqu'au"),
        required=False,
        widget=DayInput(),
        help_text=gettext_lazy("Vides : les jours du fichier, une date isolée mise à part."),
    )

    helper = bare_helper()

    def __init__(self, *args: Any, load: ScheduleImport, **options: Any) -> None:
        super().__init__(*args, **options)
        self._load = load
        for name in self.fields:
            if name != "units":
                self.initial.setdefault(name, getattr(load, name))
        units = cast("UnitsField", self.fields["units"])
        units.named = frozenset(load.units_named)
        units.queryset = units_to_choose(load)
        self.initial.setdefault("units", load.complete_units)

    def clean_exported_at(self) -> dt.datetime | None:
        """Return the moment; the field knows no seconds, so an untouched one keeps its own."""
        moment, held = self.cleaned_data["exported_at"], self._load.exported_at
        is_untouched = moment and held and moment == held.replace(second=0, microsecond=0)
        return held if is_untouched else moment

    def clean(self) -> dict[str, Any]:
        """Refuse days the wrong way round."""
        cleaned = super().clean() or {}
        first_day, last_day = cleaned.get("first_day"), cleaned.get("last_day")
        if first_day and last_day and first_day > last_day:
            self.add_error("last_day", _("Le dernier jour précède le premier."))
        is_chosen = cleaned.get("complete_for") == Extent.CHOSEN
        if is_chosen and "units" in cleaned and not cleaned["units"]:
            self.add_error("units", _("Cochez au moins une unité."))
        elif cleaned.get("units") and not is_chosen and "complete_for" in cleaned:
            self.add_error(
                "complete_for",
                _("Des unités sont cochées : choisissez « les unités cochées », ou décochez-les."),
            )
        return cleaned

    @property
    def said(self) -> FileTerms:
        """What the person says, for the service."""
        values = self.cleaned_data
        extent = Extent(values["complete_for"])
        days = (values["first_day"], values["last_day"])
        units = frozenset(unit.pk for unit in values["units"])
        return FileTerms(
            values["exported_at"],
            Declared(extent) if extent is Extent.NOTHING else Declared(extent, *days, units),
        )


class SourceForm(forms.Form):
    """What holds for every file of a source when nobody says otherwise."""

    age_rule = forms.ChoiceField(
        label=gettext_lazy("Quand personne ne dit de quand date un export, prendre"),
        choices=AgeRule.choices,
        widget=forms.RadioSelect(),
    )
    complete_for = forms.ChoiceField(
        label=gettext_lazy("Les fichiers de cette source sont complets pour"),
        choices=[
            ("", gettext_lazy("à dire à chaque chargement")),
            *(choice for choice in Extent.choices if choice[0] != Extent.CHOSEN),
        ],
        required=False,
        widget=forms.RadioSelect(),
    )

    helper = bare_helper()


@require_GET
@for_the_group
def listing(request: SignedInRequest) -> HttpResponse:
    """List the loads and how old each source is."""
    context = {
        "page": imports_page(request.user, cursor=request.GET.get("cursor", "")),
        "feeds": feed_ages(request.user),
        "refused": count_refused(ruled_from(since=clock.today())),
        "conflicts": conflicts_waiting(request.user),
        "double_entries": acts.count_double_entries(request.user),
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
            received = uploads.receive(
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
        context["about_no_phone"] = ABOUT_NO_PHONE
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
            is_new = uploads.correct(schedule_import_id=found.pk, said=form.said, by=request.user)
            if is_new:
                said = _("Le fichier est vérifié à nouveau avec vos réponses : relisez, confirmez.")
                messages.info(request, said)
            if is_new or "check" in request.POST:
                return redirect("import", found.pk)
        uploads.confirm(
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
        uploads.set_source(feed_name=name, by=request.user, **form.cleaned_data)
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
            number = accept_conflicts(conflict_ids=chosen, by=request.user)
            said = ngettext("%(n)s changement accepté.", "%(n)s changements acceptés.", number)
        else:
            number = refuse_conflicts(conflict_ids=chosen, by=request.user)
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
    found = acts.double_entries(request.user)
    context = {"found": found, "most": acts.MOST_SHOWN}
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
    # Nothing below the headings that could be loaded by mistake.
    return HttpResponse(
        csv_cells.MARK + csv_cells.line(TEMPLATE_HEADINGS),
        content_type=csv_cells.CONTENT_TYPE,
        headers={"Content-Disposition": 'attachment; filename="agenda-modele.csv"'},
    )


@require_GET
@for_the_group
def refused(request: SignedInRequest) -> HttpResponse:
    """List the rows that loads refused: those to see to, or those that were seen to."""
    return _refused_page(request)


@require_POST
@for_the_group
def refused_called(request: SignedInRequest, pk: int) -> HttpResponse:
    """Note that the patient of a refused row was called by hand."""
    said = _("Noté : le patient de la ligne refusée a été appelé.")
    return _see_to_refused(request, pk, note_call, said)


@require_POST
@for_the_group
def refused_dismiss(request: SignedInRequest, pk: int) -> HttpResponse:
    """Note by name why nothing needs doing about a refused row."""
    return _see_to_refused(request, pk, dismiss, _("Noté : la ligne refusée est écartée."))


def _see_to_refused(
    request: SignedInRequest, pk: int, service: Callable[..., object], said: str
) -> HttpResponse:
    row = get_object_or_404(refused_rows(request.user), pk=pk)
    try:
        service(refused_row_id=row.pk, by=request.user, note=request.POST.get("note", ""))
    except Refusal as refusal:
        return _refused_page(request, faulty=row.pk, message=refusal.message)
    messages.success(request, said)
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
