"""Which notices a person may see: those of the sites of their capabilities."""

from django.db.models import Q, QuerySet

from staff.access import Capability, scope_of
from staff.models import Site, User


def notices_of(user: User | None, *capabilities: Capability, path: str = "") -> Q:
    """Return the filter for notices at the sites of a person's capabilities.

    Args:
        user: who looks; None for the system, which sees all.
        *capabilities: any one of them is enough.
        path: how the queryset reaches the notice, for example ``notice__``.
    """
    if user is None:
        return Q()
    sites = _sites(user, *capabilities)
    if sites is None:
        return Q()
    return Q(**{f"{path}site__in": sites.values("pk")})


def sites_of(user: User, *capabilities: Capability) -> QuerySet[Site]:
    """Return the sites at which a person holds any of the capabilities, by name."""
    sites = _sites(user, *capabilities)
    return (Site.objects.all() if sites is None else sites.distinct()).order_by("name")


def _sites(user: User, *capabilities: Capability) -> QuerySet[Site] | None:
    """Return the sites of some capabilities; None for everywhere."""
    sites = Q(pk__in=[])
    for scope in (scope_of(user, capability) for capability in capabilities):
        if scope.everywhere:
            return None
        sites |= Q(pk__in=scope.site_ids) | Q(units__in=scope.unit_ids)
    return Site.objects.filter(sites).order_by()
