"""Addresses of the imports pages."""

from django.urls import path

from appointments.views import imports, links

urlpatterns = [
    path("imports/", imports.listing, name="imports"),
    path("imports/new/", imports.new, name="import_new"),
    path("imports/conflicts/", imports.conflicts, name="import_conflicts"),
    path("imports/double-entries/", imports.double_entries, name="double_entries"),
    path("imports/sources/<slug:name>/", imports.source, name="import_source"),
    path("imports/template.<slug:format>", imports.template, name="import_template"),
    path("imports/refused/", imports.refused, name="refused_rows"),
    path("imports/refused/<int:pk>/called/", imports.refused_called, name="refused_called"),
    path("imports/refused/<int:pk>/dismiss/", imports.refused_dismiss, name="refused_dismiss"),
    path("imports/links/", links.listing, name="links"),
    path("imports/links/<int:pk>/take-back/", links.take_back, name="link_take_back"),
    path("imports/links/alike/<int:pk>/link/", links.link_alike, name="likeness_link"),
    path("imports/links/alike/<int:pk>/put-aside/", links.put_aside, name="likeness_put_aside"),
    path("imports/<int:pk>/", imports.detail, name="import"),
    path("imports/<int:pk>/progress/", imports.progress, name="import_progress"),
    path("imports/<int:pk>/confirm/", imports.confirm, name="import_confirm"),
    path("imports/<int:pk>/disappeared/", imports.disappeared, name="import_disappeared"),
    path("imports/<int:pk>/faults.csv", imports.faults, name="import_faults"),
]
