"""Try a gateway before patients depend on it: look whether it can be used, send one message.

Neither touches a notice or a delivery. A connection that this opens may be given receipts of
patients' messages: those are kept like any other.
"""

import asyncio
import os
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import connections, transaction
from django.db.models import Max, Q
from django.utils.translation import gettext as _

from notifications import rules
from notifications.gateways import (
    Accepted,
    Checked,
    Gateway,
    Message,
    NotSent,
    OnReport,
    ReceiptReport,
    Refused,
    Report,
    Result,
    Sent,
    Throttled,
    Unknown,
)
from notifications.models import Failure, ReceiptState
from notifications.models import Receipt as StoredReceipt
from notifications.receipts import receive as receiving
from notifications.sending import limits
from notifications.sending.connection import GatewayConnection
from notifications.sending.handover import HandedOver, Returned
from notifications.sending.sender import in_database
from patients import phones
from staff.errors import Refusal
from staff.models import User
from staff.services import audit

ROUND_SECONDS = 0.5
ASK_EVERY_SECONDS = 3.0
_FINAL = (ReceiptState.DELIVERED, ReceiptState.FAILED, ReceiptState.EXPIRED)


def check(gateway: Gateway) -> Checked:
    """Open a gateway, look whether it may be used, and close it. Nothing is sent."""
    with limits.lease_held(gateway, worker=_worker()) as has_lease:
        if not has_lease:
            return Checked(usable=False, complaint=_no_session(gateway))
        try:
            return asyncio.run(_looked_at(gateway))
        except TimeoutError:
            return Checked(usable=False, complaint=_("La passerelle ne répond pas."))


async def _looked_at(gateway: Gateway) -> Checked:
    async with asyncio.timeout(4 * gateway.options.timeout):
        await gateway.open(_keep(gateway))
        try:
            return await gateway.check()
        finally:
            await gateway.close()


def _keep(gateway: Gateway) -> OnReport:
    """Return what keeps a report that comes over the connection during a check."""

    def store(report: Report) -> None:
        try:
            receiving.receive(gateway=gateway.name, reports=[report])
        finally:
            connections.close_all()  # those of this thread, which ends with the check

    async def keep(report: Report) -> None:
        await asyncio.to_thread(store, report)

    return keep


def recipient(text: str) -> str:
    """Return the mobile number that somebody typed, in E.164.

    Raises:
        Refusal: it is none.
    """
    phone = phones.read(text)
    if phone is None:
        raise Refusal(
            _("« %(text)s » n'est pas un numéro de téléphone ; écrivez-le comme +32470123456.")
            % {"text": text}
        )
    if not phone.is_mobile:
        raise Refusal(_("%(number)s n'est pas un numéro de mobile.") % {"number": phone.number})
    return phone.number


@dataclass(frozen=True)
class Step:
    """One moment in the life of the message: what happened, and whether it is the end."""

    words: str
    is_end: bool = False
    is_good: bool = True


@dataclass
class _Trial:
    """One message on its way, and all that is heard of it."""

    gateway: Gateway
    message: Message
    numbers: tuple[str, ...] = ()
    is_answered: bool = False
    arrived: int = 0
    heard: set[tuple[str, ...]] = field(default_factory=set)
    asked_at: float = float("-inf")
    last_stored: int = 0

    def owns(self, receipt: ReceiptReport) -> bool:
        """Whether a receipt speaks of this message."""
        if receipt.reference:
            return receipt.reference == self.message.reference
        return bool(set(receipt.provider_ids) & set(self.numbers))

    def answered(self, result: Result | Returned) -> Step:
        """Return the gateway's answer as a step."""
        self.is_answered = True
        match result:
            case Accepted():
                self.numbers = tuple(filter(None, (result.provider_id, *result.more_ids)))
                named = ", ".join(self.numbers) or _("sans numéro")
                last = not (self.gateway.has_receipts or self.gateway.can_query)
                return Step(_("accepté par la passerelle : %s") % named, is_end=last)
            case Refused():
                why = f"{Failure(result.failure).label} {result.remark}".strip()
                return Step(_("refusé : %s") % why, is_end=True, is_good=False)
            case Throttled():
                seconds = f"{result.retry_after:.0f}"
                words = _("trop vite, rien n'est parti : réessayez dans %s s") % seconds
                return Step(words, is_end=True, is_good=False)
            case Unknown():
                words = _("sort inconnu, le SMS est peut-être parti : %s") % result.remark
                deaf = not (self.gateway.has_receipts or self.gateway.can_query)
                return Step(words, is_end=deaf, is_good=False)
            case NotSent() | Returned():
                words = _("rien n'est parti : %s") % result.remark
                return Step(words, is_end=True, is_good=False)

    def heard_of(self, receipt: ReceiptReport) -> Iterator[Step]:
        """Yield a step for what was not heard before."""
        what = (str(receipt.state), receipt.key or " ".join(receipt.provider_ids), receipt.remark)
        if what in self.heard:
            return
        self.heard.add(what)
        why = Failure(receipt.failure).label if receipt.failure else ""
        parts = (str(ReceiptState(receipt.state).label), str(why), receipt.remark)
        words = " ".join(filter(None, parts))
        self.arrived += receipt.state == ReceiptState.DELIVERED
        good = receipt.state not in (ReceiptState.FAILED, ReceiptState.EXPIRED)
        whole = self.arrived >= max(1, len(self.numbers))
        is_end = receipt.state in _FINAL and (whole or not good)
        yield Step(_("accusé : %s") % words, is_end=is_end, is_good=good)


def send_one(
    *, gateway: Gateway, to: str, text: str, wait: float, by: User, tell: Callable[[Step], object]
) -> None:
    """Send one message through the real gateway and tell its life, until it ends or the wait does.

    Args:
        gateway: opened and closed here; its rate and cap hold.
        to: E.164, from ``recipient``.
        text: as typed.
        wait: seconds for the answer and the receipts.
        by: who tries.
        tell: called with each step.

    Raises:
        Refusal: the daily cap is reached, or all sessions are taken.
    """
    plain = rules.transliterate(text)
    message = Message(
        uuid.uuid4().hex, to, plain, rules.count(plain, alphabet=gateway.alphabet).parts
    )
    with limits.lease_held(gateway, worker=_worker()) as has_lease:
        if not has_lease:
            raise Refusal(_no_session(gateway))
        _note(gateway, message, by=by)
        newest = StoredReceipt.objects.aggregate(last=Max("pk"))["last"]
        trial = _Trial(gateway, message, last_stored=newest or 0)
        async_to_sync(_live)(trial, wait, tell)


async def _live(trial: _Trial, wait: float, tell: Callable[[Step], object]) -> None:
    """Submit the message, and tell what is heard of it."""
    async with GatewayConnection(trial.gateway, longest_wait=wait) as connection:
        connection.send([HandedOver(0, 0, trial.message)])
        await in_database(tell, Step(_("remis à %s") % trial.gateway.name))
        ends = time.monotonic() + wait
        while connection.is_open and time.monotonic() < ends:
            for step in await _round(trial, connection):
                await in_database(tell, step)
                if step.is_end:
                    return
    await in_database(tell, _nothing_more(trial, wait))


@transaction.atomic
def _note(gateway: Gateway, message: Message, *, by: User) -> None:
    """Take rate and cap, and write into the trail who sends what, before anything leaves."""
    if not limits.spend(gateway, [message.parts]):
        raise Refusal(_("%s : le plafond du jour est atteint.") % gateway.name)
    audit.record(
        action="gateway.tested",
        by=by,
        gateway=gateway.name,
        phone=f"…{message.to[-4:]}",
        text=message.text,
    )


async def _round(trial: _Trial, connection: GatewayConnection) -> list[Step]:
    answers, reports = await connection.take(wait=ROUND_SECONDS, enough=1)
    steps = [trial.answered(result) for _one, result in answers]
    heard = await in_database(_heard, trial, [one.report for one in reports])
    for one in reports:
        one.acknowledge()
    for receipt in (*heard, *await _asked(trial, connection)):
        steps += trial.heard_of(receipt)
    return steps


def _heard(trial: _Trial, reports: Sequence[Report]) -> list[ReceiptReport]:
    """Renew the lease; return what speaks of our message, and keep the other reports."""
    limits.keep_lease(trial.gateway, worker=_worker())
    mine = [one for one in reports if isinstance(one, ReceiptReport) and trial.owns(one)]
    others = [one for one in reports if one not in mine]
    if others:
        receiving.receive(gateway=trial.gateway.name, reports=others)
    return [*mine, *_over_the_hook(trial)]


def _over_the_hook(trial: _Trial) -> Iterator[ReceiptReport]:
    """Yield what the web server was told meanwhile, as it keeps what it does not know."""
    ours = Q(reference=trial.message.reference)
    if trial.numbers:
        ours |= Q(provider_id__in=trial.numbers)
    new = StoredReceipt.objects.filter(
        ours, gateway=trial.gateway.name, pk__gt=trial.last_stored
    ).order_by("pk")
    for stored in new:
        trial.last_stored = stored.pk
        yield ReceiptReport(
            state=ReceiptState(stored.state),
            provider_ids=(stored.provider_id,) if stored.provider_id else (),
            failure=stored.failure,
            remark=stored.remark,
            key=stored.key,
        )


async def _asked(trial: _Trial, connection: GatewayConnection) -> Sequence[ReceiptReport]:
    """Ask the gateway every few seconds, where it has answers."""
    now = time.monotonic()
    due = trial.is_answered and now - trial.asked_at >= ASK_EVERY_SECONDS
    if not trial.gateway.can_query or not due:
        return []
    trial.asked_at = now
    number = trial.numbers[0] if trial.numbers else ""
    sent = Sent(trial.message.reference, number, trial.message.to)
    return [receipt for receipt in await connection.query([sent]) if receipt]


def _nothing_more(trial: _Trial, wait: float) -> Step:
    words = _("pas de réponse en %s s : le SMS est peut-être parti")
    if trial.is_answered:
        words = _("pas d'accusé de réception en %s s : rien ne dit qu'il est arrivé")
    return Step(words % f"{wait:.0f}", is_end=True, is_good=False)


def _no_session(gateway: Gateway) -> str:
    return _(
        "Les %(number)s connexions permises à %(name)s sont prises par les processus qui "
        "envoient ; arrêtez-en un, ou augmentez sessions."
    ) % {"number": gateway.options.sessions, "name": gateway.name}


def _worker() -> str:
    return f"essai {settings.HOST_NAME[:40]} {os.getpid()}"
