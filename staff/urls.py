"""Addresses of the audit trail and of delegates."""

from django.urls import path

from staff import views

urlpatterns = [
    path("trail/", views.trail, name="trail"),
    path("trail/verify/", views.trail_verify, name="trail_verify"),
    path("trail/export.csv", views.trail_export, name="trail_export"),
    path("delegates/", views.delegates, name="delegates"),
    path("delegates/<int:pk>/revoke/", views.delegate_revoke, name="delegate_revoke"),
]
