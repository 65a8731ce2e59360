"""What must hold after every fault: in the database, at the peer, and between the two."""

import contextlib
from collections import Counter
from dataclasses import dataclass
from io import StringIO
from typing import Protocol

from django.core.management import call_command
from django.db.models import Count, Q

from notifications.models import Delivery, Notice


class Counted(Protocol):
    """A peer that remembers what it was asked, and what it took."""

    idempotent: bool

    @property
    def asked_by_reference(self) -> Counter[str]:
        """How often each reference was submitted."""

    @property
    def sent_by_phone(self) -> Counter[str]:
        """How many SMS each phone got."""


@dataclass(frozen=True)
class Fates:
    """How many patients were told by SMS, wait for a call, or for word of an unknown SMS."""

    told: int
    to_call: int
    unknown: int


def fates() -> Fates:
    """Count where the patients stand."""
    live = Delivery.objects.filter(notice__state="open")
    return Fates(
        told=Notice.objects.filter(state="told").count(),
        to_call=live.filter(channel="phone", state="queued").count(),
        unknown=live.filter(state="unknown").count(),
    )


def is_settled(number: int) -> bool:
    """Whether so many patients are told or on the call list, and nothing is under way."""
    found = fates()
    return found.told + found.to_call == number


def everyone_accounted_for(number: int) -> Fates:
    """Demand that each of so many patients is told, unreachable with tries, or listed.

    Returns:
        how many of each.
    """
    tries = Count("deliveries", filter=Q(deliveries__state__in=["failed", "expired"]))
    listed = Count(
        "deliveries",
        filter=Q(deliveries__channel="phone", deliveries__state="queued")
        | Q(deliveries__state="unknown", deliveries__lease_until__isnull=False),
    )
    notices = Notice.objects.exclude(state="withdrawn").annotate(tries=tries, listed=listed)
    lost = notices.exclude(
        Q(state="told") | Q(state="unreachable", tries__gt=0) | Q(state="open", listed=1)
    )
    assert notices.count() == number
    assert not lost.exists(), list(lost.values("pk", "state", "deliveries__state")[:10])
    return fates()


def nobody_asked_twice(peer: Counted) -> None:
    """Demand that no phone got two SMS, and that no reference was submitted twice.

    A gateway that honours the reference may be asked again under the same one: it sends once.
    """
    twice = {phone for phone, times in peer.sent_by_phone.items() if times > 1}
    assert not twice
    if not peer.idempotent:
        again = {one for one, times in peer.asked_by_reference.items() if times > 1}
        assert not again


def told_is_taken(peer: Counted) -> None:
    """Demand that whoever counts as told by SMS has one, and that who has none is called."""
    by_sms = Delivery.objects.filter(channel="sms", state__in=["accepted", "delivered"])
    told = set(by_sms.values_list("address", flat=True))
    calls = Delivery.objects.filter(channel="phone", state="queued", notice__state="open")
    to_call = set(calls.values_list("address", flat=True))
    taken = set(peer.sent_by_phone)
    everybody = set(Notice.objects.values_list("patient__mobile", flat=True))
    assert told <= taken
    assert everybody - taken <= to_call


def verify_holds() -> None:
    """Demand that ``manage.py verify`` finds every promise kept."""
    said = StringIO()
    with contextlib.suppress(SystemExit):  # how it says that a promise is broken
        call_command("verify", stdout=said, stderr=said)
    assert said.getvalue().endswith("Tout est tenu.\n"), said.getvalue()


def all_is_well(peer: Counted, number: int) -> Fates:
    """Demand all of it, of so many patients; return where they stand."""
    found = everyone_accounted_for(number)
    nobody_asked_twice(peer)
    told_is_taken(peer)
    verify_holds()
    return found
