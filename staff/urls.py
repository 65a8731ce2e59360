"""Addresses of the audit trail."""

from django.urls import path

from staff import views

urlpatterns = [path("trail/", views.trail, name="trail")]
