"""Record numbers that loads linked to one patient, and those that only look alike."""

from django.db.models import QuerySet

from patients.models import Likeness, LinkProposal, PatientIdentifier
from staff.access import Capability, scope_of
from staff.models import User
from staff.paging import KeyPage, page_by_key


def links(user: User) -> QuerySet[PatientIdentifier]:
    """Return the linked record numbers that a user may see: a source has no one site."""
    found = PatientIdentifier.objects.filter(linked_at__isnull=False).select_related("patient")
    return found if _sees_all(user) else found.none()


def links_page(user: User, *, cursor: str) -> KeyPage[PatientIdentifier]:
    """Return a page of linked record numbers, newest first, each with its patient's others."""
    found = links(user).prefetch_related("patient__identifiers")
    return page_by_key(found, keys=("-linked_at", "-id"), cursor=cursor, size=50)


def likenesses(user: User) -> QuerySet[LinkProposal]:
    """Return the pairs that look alike and nobody put aside."""
    found = LinkProposal.objects.filter(dismissed_at__isnull=True).select_related(
        "record__patient", "other"
    )
    return found if _sees_all(user) else found.none()


def likenesses_page(user: User, *, cursor: str) -> KeyPage[LinkProposal]:
    """Return a page of pairs that look alike, newest first."""
    found = likenesses(user).prefetch_related("other__identifiers")
    return page_by_key(found, keys=("-id",), cursor=cursor, size=50)


def count_told_twice(user: User) -> int:
    """Return how many pairs are equal in everything and linked by nobody (one query).

    Each is one person for all that is known, and gets what is told to each of the two.
    """
    return likenesses(user).filter(likeness=Likeness.ALL).count()


def _sees_all(user: User) -> bool:
    return scope_of(user, Capability.LOAD_FEEDS).everywhere
