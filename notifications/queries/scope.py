"""Which notices a person may see: those of the sites where they hold the capability."""

from django.db.models import Q

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
    sites = Q(pk__in=[])
    for scope in (scope_of(user, capability) for capability in capabilities):
        if scope.everywhere:
            return Q()
        sites |= Q(pk__in=scope.site_ids) | Q(units__in=scope.unit_ids)
    return Q(**{f"{path}site__in": Site.objects.filter(sites).order_by().values("pk")})
