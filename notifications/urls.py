"""Addresses of the outbox and the call list."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
