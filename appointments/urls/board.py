"""Addresses of the board."""

from django.urls import path

from appointments.views import board

urlpatterns = [
    path("board/", board.board, name="board"),
    path("board/live/", board.board_live, name="board_live"),
]
