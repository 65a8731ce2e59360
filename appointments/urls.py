"""Addresses of the appointments app, one block a job."""

import datetime as dt

from django.urls import path, register_converter
from django.views.generic import RedirectView

from appointments.board import views as board
from appointments.bulletins import views as bulletins
from appointments.doctors import views as doctor
from appointments.feeds.importing import views as imports
from appointments.incoming import views as incoming
from appointments.operations import views as operations
from appointments.paper import views as rosters
from appointments.schedule import views as schedule
from appointments.wards import views as wards

YEARS = range(1900, 2200)  # beyond, somebody plays with the address


class DayConverter:
    """A date in an address, written ``2022-05-16``; anything else is not found."""

    regex = r"\d{4}-\d{2}-\d{2}"

    def to_python(self, value: str) -> dt.date:
        """Read the date."""
        day = dt.date.fromisoformat(value)
        if day.year not in YEARS:
            raise ValueError(value)
        return day

    def to_url(self, value: dt.date) -> str:
        """Write the date."""
        return f"{value:%Y-%m-%d}"


register_converter(DayConverter, "roster_day")

urlpatterns = [
    # Addresses of the board.
    path("board/", board.board, name="board"),
    path("board/doctors/", board.doctors, name="waiting_doctors"),
    path("board/decisions/", board.standing_decisions, name="standing_decisions"),
    path("sending/release/", board.release, name="sending_release"),
    path("board/live/", board.board_live, name="board_live"),
    # Addresses of the schedule and of one appointment.
    path("schedule/", schedule.schedule, name="schedule"),
    path("appointments/<int:pk>/", schedule.appointment, name="appointment"),
    # Addresses of a doctor's day.
    path("my-day/", doctor.doctor_day, name="doctor_day"),
    path("my-day/several/", doctor.several, name="several"),
    path("appointments/<int:pk>/keep/", doctor.keep, name="keep"),
    path("appointments/<int:pk>/let-go/", doctor.let_go, name="let_go"),
    path("appointments/<int:pk>/undo/", doctor.undo_keep, name="undo_keep"),
    path("appointments/<int:pk>/contacted/", doctor.contacted, name="contacted"),
    path("appointments/<int:pk>/not-contacted/", doctor.not_contacted, name="not_contacted"),
    # Addresses of the operations.
    path("operations/", operations.operations, name="operations"),
    path("operations/news/", operations.operation_news, name="operation_news"),
    path("operations/<int:pk>/opinion/", operations.give_opinion, name="give_opinion"),
    path("operations/<int:pk>/ruling/", operations.rule_operation, name="rule_operation"),
    path("operations/<int:pk>/new-day/", operations.operation_new_day, name="operation_new_day"),
    path("operations/<int:pk>/ruling/undo/", operations.undo_ruling, name="undo_ruling"),
    # Addresses of the bulletins pages.
    path("bulletins/", bulletins.listing, name="bulletins"),
    path("bulletins/new/", bulletins.new, name="bulletin_new"),
    path("bulletins/reach/", bulletins.reach, name="bulletin_reach"),
    path("bulletins/<int:pk>/", bulletins.detail, name="bulletin"),
    path("bulletins/<int:pk>/edit/", bulletins.edit, name="bulletin_edit"),
    path("bulletins/<int:pk>/ready/", bulletins.ready, name="bulletin_ready"),
    path("bulletins/<int:pk>/delete/", bulletins.delete, name="bulletin_delete"),
    path("bulletins/<int:pk>/preview/", bulletins.preview, name="bulletin_preview"),
    path("bulletins/<int:pk>/approve/", bulletins.approve, name="bulletin_approve"),
    path(
        "bulletins/<int:pk>/text/<str:language>/",
        bulletins.public_text,
        name="bulletin_text",
    ),
    path("bulletins/<int:pk>/withdraw/", bulletins.withdraw, name="bulletin_withdraw"),
    # Addresses of the imports pages.
    path("imports/", imports.listing, name="imports"),
    path("imports/new/", imports.new, name="import_new"),
    path("imports/conflicts/", imports.conflicts, name="import_conflicts"),
    path("imports/double-entries/", imports.double_entries, name="double_entries"),
    path("imports/sources/<slug:name>/", imports.source, name="import_source"),
    path("imports/template.<slug:format>", imports.template, name="import_template"),
    path("imports/refused/", imports.refused, name="refused_rows"),
    path("imports/refused/<int:pk>/called/", imports.refused_called, name="refused_called"),
    path("imports/refused/<int:pk>/dismiss/", imports.refused_dismiss, name="refused_dismiss"),
    path("imports/links/", imports.list_links, name="links"),
    path("imports/links/<int:pk>/take-back/", imports.take_back, name="link_take_back"),
    path("imports/links/alike/<int:pk>/link/", imports.link_alike, name="likeness_link"),
    path("imports/links/alike/<int:pk>/put-aside/", imports.put_aside, name="likeness_put_aside"),
    path("imports/<int:pk>/", imports.detail, name="import"),
    path("imports/<int:pk>/progress/", imports.progress, name="import_progress"),
    path("imports/<int:pk>/confirm/", imports.confirm, name="import_confirm"),
    path("imports/<int:pk>/disappeared/", imports.disappeared, name="import_disappeared"),
    path("imports/<int:pk>/faults.csv", imports.faults, name="import_faults"),
    # Addresses of the rosters pages.
    path("rosters/", rosters.roster_list, name="rosters"),
    path("rosters/issue/", rosters.roster_issue, name="roster_issue"),
    path("rosters/<roster_day:day>/progress/", rosters.roster_progress, name="roster_progress"),
    path("rosters/<int:unit_id>/<roster_day:day>/", rosters.roster_print, name="roster_print"),
    path("rosters/files/<int:pk>/", rosters.roster_file, name="roster_file"),
    # Addresses of incoming calls.
    path("calls/incoming/", incoming.incoming, name="incoming"),
    path("calls/incoming/unanswered/", incoming.incoming_unanswered, name="incoming_unanswered"),
    path("calls/incoming/<int:patient>/", incoming.incoming_patient, name="incoming_patient"),
    path("calls/incoming/<int:patient>/answer/", incoming.incoming_answer, name="incoming_answer"),
    # Where references were checked before: agents have it among their bookmarks.
    path("calls/reference/", RedirectView.as_view(pattern_name="incoming")),
    # Addresses of wards and reception.
    path("wards/", wards.wards, name="wards"),
    path("wards/<int:unit_id>/<roster_day:day>/", wards.ward_day, name="ward_day"),
    path("wards/<int:unit_id>/<roster_day:day>/counts/", wards.ward_counts, name="ward_counts"),
    path("wards/<int:unit_id>/<roster_day:day>/paper/", wards.paper, name="ward_paper"),
    path("wards/<int:pk>/tick/", wards.tick, name="ward_tick"),
]
