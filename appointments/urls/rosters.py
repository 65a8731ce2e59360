"""Addresses of the rosters pages."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
