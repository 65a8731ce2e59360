"""Addresses of the board."""

from django.urls import path

from appointments.views import board, waiting_doctors

urlpatterns = [
    path("board/", board.board, name="board"),
    path("board/doctors/", waiting_doctors.doctors, name="waiting_doctors"),
    path("board/decisions/", board.standing_decisions, name="standing_decisions"),
    path("sending/release/", board.release, name="sending_release"),
    path("board/live/", board.board_live, name="board_live"),
]
