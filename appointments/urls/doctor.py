"""Addresses of the doctor pages."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
