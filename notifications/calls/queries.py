"""The call list: which calls are due, taken or withdrawn, and what is shown of each."""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Min, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.access import notices_of
from notifications.lifecycle.call_states import (
    TO_CALL,
    calls_before_release,
    claimed,
    made_by_doctors,
)
from notifications.models import (
    Channel,
    Delivery,
    DeliveryState,
    Failure,
    NoticeItem,
    NoticeState,
    Sending,
)
from patients.phones import Phone, in_calling_order, read
from staff import clock
from staff.access import Capability
from staff.lookups import numbers_of
from staff.models import User

BY_URGENCY = ("urgency", "notice__first_at", "id")
MOST_LATER = 40
_SHOWN = ("notice__patient", "notice__site", "notice__reserved_for", "caller")


def open_calls(user: User) -> QuerySet[Delivery]:
    """Return the calls still to be made, also those not due yet or being made."""
    calls = Delivery.objects.filter(channel=Channel.PHONE)
    arms = (calls.filter(state=DeliveryState.QUEUED), calls.filter(claimed()))
    return calls.filter(
        notices_of(user, Capability.WORK_CALL_LIST, path="notice__"),
        pk__in=numbers_of(*arms),
        state__in=TO_CALL,  # checked again on the row itself, which may have changed meanwhile
        notice__state=NoticeState.OPEN,
    )


def due_calls(user: User) -> QuerySet[Delivery]:
    """Return the open calls that are due; a call reserved for a doctor is due at its hour."""
    return open_calls(user).filter(not_before__lte=clock.now())


def withdrawn_in_hand() -> Q:
    """Return the filter for calls that an agent was making when their notice was withdrawn."""
    return Q(
        channel=Channel.PHONE,
        state=DeliveryState.WITHDRAWN,
        notice__state=NoticeState.WITHDRAWN,
        finished_at=F("notice__settled_at"),
        caller__isnull=False,
    )


def was_withdrawn_in_hand(call: Delivery) -> bool:
    """Whether a call's notice was withdrawn while somebody made it, or was to make it."""
    return (
        call.notice.state == NoticeState.WITHDRAWN
        and call.state == DeliveryState.WITHDRAWN
        and call.finished_at == call.notice.settled_at
    )


def withdrawn_from(user: User) -> list[Delivery]:
    """Return the calls that were withdrawn while a person had them, on paper or on screen.

    They may have been made already. They are listed for as long as the lease was (one query).
    """
    now = clock.now()
    paper = now - dt.timedelta(seconds=settings.CALL_PAPER_SECONDS)
    screen = now - dt.timedelta(seconds=settings.CALL_LEASE_SECONDS)
    calls = Delivery.objects.filter(
        withdrawn_in_hand(),
        Q(printed_at__gte=paper) | Q(printed_at=None, finished_at__gte=screen),
        finished_at__gte=paper,
        caller=user,
    )
    return list(calls.select_related("notice__patient").order_by("finished_at", "id"))


def heard_too_late(call: Delivery, said: Collection[int] = ()) -> Delivery | None:
    """Return the call, or one shown with it, that the patient heard after its withdrawal."""
    return Delivery.objects.filter(
        pk__in=[call.pk, *said],
        notice__patient=call.notice.patient_id,
        state=DeliveryState.DELIVERED,
        notice__state=NoticeState.WITHDRAWN,
    ).first()


def calls_instead(call: Delivery, user: User) -> list[Delivery]:
    """Return the open calls of a patient that say what holds, in place of a withdrawn one."""
    of_patient = open_calls(user).filter(notice__patient=call.notice.patient_id)
    return list(shown_with_items(of_patient).order_by("notice__first_at"))


def being_made() -> QuerySet[Delivery]:
    """Return the calls that somebody is making, at any site."""
    return Delivery.objects.filter(
        channel=Channel.PHONE, state=DeliveryState.CLAIMED, lease_until__gte=clock.real()
    )


def free_calls() -> Q:
    """Return the filter for open calls of patients that no agent is calling."""
    mine = Q(state=DeliveryState.QUEUED) | Q(lease_until__lt=clock.real())
    return mine & ~Q(notice__patient__in=being_made().values("notice__patient"))


def call_list(user: User, *, show: str = "") -> QuerySet[Delivery]:
    """Return the rows of the call list page, also those being made.

    Args:
        user: who looks.
        show: ``without`` for patients without a number, ``all`` for every open call of ours,
            ``doctors`` for those that doctors make, due or not; else the calls that are due.
    """
    every = open_calls(user)
    shown = {
        "without": every.filter(address=""),
        "all": every.exclude(made_by_doctors()),
        "doctors": every.filter(made_by_doctors()),
    }
    return with_attempt(shown.get(show, due_calls(user)).select_related(*_SHOWN))


def later_calls(user: User) -> list[Delivery]:
    """Return our next calls that are not due yet, the soonest first; at most ``MOST_LATER``."""
    later = open_calls(user).filter(not_before__gt=clock.now()).exclude(made_by_doctors())
    return list(
        with_attempt(later.select_related(*_SHOWN)).order_by("not_before", *BY_URGENCY)[:MOST_LATER]
    )


def calls_of(user: User) -> QuerySet[Delivery]:
    """Return every call of a person's sites, made or not, with what the call page shows."""
    calls = Delivery.objects.filter(
        notices_of(user, Capability.WORK_CALL_LIST, path="notice__"), channel=Channel.PHONE
    )
    return with_attempt(shown_with_items(calls))


def shown_with_items(calls: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Fetch with calls what their pages and sheets show of patient, notice and items."""
    items = NoticeItem.objects.select_related("site").order_by("starts_at")
    return calls.select_related(*_SHOWN).prefetch_related(
        Prefetch("notice__items", items), "notice__patient__phones"
    )


def numbers_to_ring(call: Delivery) -> list[Phone]:
    """Return the patient's numbers: the one that the call proposes, then the others in order."""
    known = in_calling_order(call.notice.patient.numbers)
    proposed = [one for one in known if one.number == call.address]
    if call.address and not proposed:  # it is no longer one of the patient's
        proposed = [read(call.address) or Phone(call.address, is_mobile=False)]
    return [*proposed, *(one for one in known if one not in proposed)]


def with_attempt(calls: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Annotate each call with ``attempt``: one more than the unanswered tries before it."""
    unanswered = (
        Delivery.objects.filter(
            notice=OuterRef("notice"),
            channel=Channel.PHONE,
            number__lt=OuterRef("number"),
            failure=Failure.NO_ANSWER,
        )
        .order_by()
        .values("notice")
        .annotate(count=Count("pk"))
        .values("count")
    )
    return calls.annotate(attempt=Coalesce(Subquery(unanswered), 0) + 1)


def said_together(call: Delivery, user: User) -> list[Delivery]:
    """Return the calls of one patient that are made as one: this one first.

    Of a call that an agent took, those taken together with it, also if withdrawn meanwhile; of a
    free call, those that an agent would get with it.
    """
    if call.state == DeliveryState.WITHDRAWN and call.caller_id:
        others = Delivery.objects.filter(
            withdrawn_in_hand(), caller=call.caller_id, finished_at=call.finished_at
        )
    elif call.state == DeliveryState.CLAIMED:
        others = due_calls(user).filter(state=DeliveryState.CLAIMED, caller=call.caller_id)
    elif call.state == DeliveryState.QUEUED:
        others = due_calls(user)
    else:
        return [call]
    of_patient = others.filter(notice__patient=call.notice.patient_id).exclude(pk=call.pk)
    return [call, *shown_with_items(of_patient).order_by("notice__first_at")]


def taken_by(user: User, *, on_paper: bool) -> QuerySet[Delivery]:
    """Return the calls that a person took, on paper or on screen, and has not entered yet."""
    return Delivery.objects.filter(
        channel=Channel.PHONE,
        state=DeliveryState.CLAIMED,
        caller=user,
        printed_at__isnull=not on_paper,
        notice__state=NoticeState.OPEN,
    )


def why_none(user: User) -> str:
    """Return why a person has no call in hand, a sentence for each reason, with what to do."""
    now = clock.now()
    due, later = Q(not_before__lte=now), Q(not_before__gt=now) & ~made_by_doctors()
    mine = being_made().filter(caller=user)
    at_screen = Q(notice__patient__in=mine.filter(printed_at=None).values("notice__patient"))
    on_sheet = Q(notice__patient__in=mine.exclude(printed_at=None).values("notice__patient"))
    found = open_calls(user).aggregate(
        due=Count("pk", filter=due),
        free=Count("pk", filter=due & free_calls()),
        at_screen=Count("pk", filter=due & at_screen),
        on_sheet=Count("pk", filter=due & on_sheet & ~at_screen),
        later=Count("pk", filter=later),
        first=Min("not_before", filter=later),
        before_release=Count("pk", filter=Q(pk__in=calls_before_release().values("pk"))),
        by_doctors=Count("pk", filter=made_by_doctors()),
    )
    found["taken"] = found["due"] - found["free"] - found["at_screen"] - found["on_sheet"]
    said = [*_said_of_due(found), *_said_of_later(found)]
    if not said:
        said = [_("Aucun patient n'est à appeler sur vos sites pour le moment.")]
    if not found["free"] and Sending.is_paused():
        said.append(
            _("Les envois sont en pause : un SMS qui échoue n'arrive ici qu'après la reprise.")
        )
    return " ".join(said)


def _said_of_due(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each kind of due call: free, on screen, on paper, taken by others."""
    if number := found["free"]:
        yield ngettext(
            "%(number)s appel peut être pris maintenant, depuis la liste des appels.",
            "%(number)s appels peuvent être pris maintenant, depuis la liste des appels.",
            number,
        ) % {"number": number}
    if number := found["at_screen"]:
        yield ngettext(
            "Vous avez %(number)s appel à l'écran : notez son résultat, ou rendez-le à la liste.",
            "Vous avez %(number)s appels à l'écran : notez leur résultat, ou rendez-les à la "
            "liste.",
            number,
        ) % {"number": number}
    if number := found["on_sheet"]:
        yield ngettext(
            "Vous avez %(number)s appel sur papier : notez son résultat.",
            "Vous avez %(number)s appels sur papier : notez leurs résultats.",
            number,
        ) % {"number": number}
    if number := found["taken"]:
        yield ngettext(
            "%(number)s appel est dû, mais un collègue l'a déjà pris, à l'écran ou sur papier.",
            "%(number)s appels sont dus, mais des collègues les ont déjà pris, à l'écran ou sur "
            "papier.",
            number,
        ) % {"number": number}


def _said_of_later(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence about the calls that are due later, or else that doctors make."""
    if number := found["later"]:
        moment = date_format(found["first"].astimezone(clock.BRUSSELS), "l j F H:i")
        yield ngettext(
            "%(number)s appel attend son heure, à partir de %(moment)s.",
            "%(number)s appels attendent leur heure, le premier à partir de %(moment)s.",
            number,
        ) % {"number": number, "moment": moment}
        if found["before_release"]:
            yield _("La cellule de crise peut faire prévenir sans attendre.")
    elif number := found["by_doctors"]:
        yield ngettext(
            "Aucun appel n'est à passer par vous : le médecin du seul patient à prévenir "
            "l'appelle.",
            "Aucun appel n'est à passer par vous : les médecins des %(number)s patients à prévenir "
            "les appellent.",
            number,
        ) % {"number": number}


def counts(user: User) -> dict[str, int]:
    """Return how many calls are ``open`` (ours) and made by doctors (``by_doctors``).

    Of ours, how many may be taken now (``due``) or are due ``later``; of all, how many are of
    patients without a number (``without``).
    """
    free = Q(not_before__lte=clock.now()) & free_calls()
    ours = ~made_by_doctors()
    return open_calls(user).aggregate(
        open=Count("pk", filter=ours),
        by_doctors=Count("pk", filter=made_by_doctors()),
        due=Count("pk", filter=free),
        later=Count("pk", filter=Q(not_before__gt=clock.now()) & ours),
        without=Count("pk", filter=Q(address="")),
    )
