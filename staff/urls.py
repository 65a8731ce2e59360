"""Addresses of the audit trail."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
