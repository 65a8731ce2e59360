"""Addresses of the operations."""

from django.urls import path

from appointments.views import operations

urlpatterns = [
    path("operations/", operations.operations, name="operations"),
    path("operations/news/", operations.operation_news, name="operation_news"),
    path("operations/<int:pk>/opinion/", operations.give_opinion, name="give_opinion"),
    path("operations/<int:pk>/ruling/", operations.rule_operation, name="rule_operation"),
    path("operations/<int:pk>/new-day/", operations.operation_new_day, name="operation_new_day"),
    path("operations/<int:pk>/ruling/undo/", operations.undo_ruling, name="undo_ruling"),
]
