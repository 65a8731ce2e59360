"""One SMPP session: connection and bind, requests with their answers, window, and reconnecting.

A submission without an answer in time keeps its place in the window for as long again, because
the SMSC may still be working on it; its answer may come even later and is still passed on. While
nothing at all comes from the SMSC the session is in doubt: it sends one enquire_link, nothing more
is submitted, and without an answer it ends. So a peer that hangs leaves at most one window of
messages unknown.

PDUs of one iteration of the event loop leave in few writes. What was not written when the
connection breaks has certainly not left; what was written may have.
"""

import asyncio
import contextlib
import logging
import random
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from itertools import takewhile

from smpplib import consts
from smpplib.command_codes import commands, get_command_name

from notifications.gateways.base import GatewayUrl, Options
from notifications.gateways.smpp import pdu as smpp_pdu
from notifications.gateways.smpp.pdu import ANSWER, Field, Garbled, Pdu, make, named

PORT = 2775  # IANA: smpp
QUIET_SECONDS = 30.0
LATE_SECONDS = 900.0
CONNECT_SECONDS = 5.0
FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0
STABLE_SECONDS = 30.0
UNBIND_SECONDS = 2.0
LOST_SECONDS = 6.0
"""Without a session for so long, this host counts as unable to reach the SMSC."""
WRONG_ACCESS = {
    consts.SMPP_ESME_RINVPASWD,
    consts.SMPP_ESME_RINVSYSID,
    consts.SMPP_ESME_RINVSYSTYP,
}
_BIND_COMPLAINTS = {
    consts.SMPP_ESME_RINVPASWD: "mot de passe refusé : vérifiez-le dans SMS_GATEWAY_URL",
    consts.SMPP_ESME_RINVSYSID: "nom d'utilisateur (system_id) inconnu : vérifiez-le",
    consts.SMPP_ESME_RINVSYSTYP: "system_type refusé : vérifiez-le auprès de l'opérateur",
    consts.SMPP_ESME_RALYBND: "déjà connecté : une autre machine ou une ancienne connexion "
    "occupe l'accès",
    consts.SMPP_ESME_RBINDFAIL: "connexion refusée (bind) : accès, adresse IP ou nombre de "
    "connexions à vérifier auprès de l'opérateur",
}
_ENOUGH = 8  # PDUs for one write: the peer works on them while the next ones are made
_log = logging.getLogger(__name__)


class Silence(Enum):
    """Why a request has no answer."""

    TIMED_OUT = "pas de réponse à temps"
    LOST = "connexion rompue avant la réponse"
    NOT_WRITTEN = "pas de connexion"


OnAnswer = Callable[[Pdu | Silence], None]
OnDelivery = Callable[["Session", Pdu], None]


class Window:
    """How many requests may be without an answer at once (``size``), first come first served.

    A long message takes the places of all its parts at once, so that they leave back to back;
    later messages wait behind it, or it would never get them.
    """

    def __init__(self, size: int) -> None:
        self.size = self.free = size
        self._queue = asyncio.Lock()  # which is first come first served
        self._changed = asyncio.Event()
        self._closed = False

    async def take(self, number: int) -> bool:
        """Wait for places, at most ``size``; return False if it closed meanwhile."""
        async with self._queue:
            while self.free < number and not self._closed:
                self._changed.clear()
                await self._changed.wait()
            if not self._closed:
                self.free -= number
            return not self._closed

    def give_back(self, number: int = 1) -> None:
        """Free places."""
        self.free += number
        self._changed.set()

    def close(self) -> None:
        """Give no more places: the connection ended."""
        self._closed = True
        self._changed.set()


@dataclass(slots=True)
class _Request:
    """A request without answer; ``counts``: it holds a place in the window."""

    command: int
    sent_at: float
    on_answer: OnAnswer
    counts: bool


class Session(asyncio.Protocol):
    """A connection to an SMSC, from the socket to its end.

    Args:
        options: ``window`` is for submissions and queries.
        on_delivery: called with each deliver_sm and data_sm; it acknowledges them.
    """

    def __init__(self, options: Options, on_delivery: OnDelivery) -> None:
        self.window, self.timeout = Window(options.window), options.timeout
        self.bound = False
        self.in_doubt = False
        self.why = ""
        self.over = asyncio.Event()
        self._on_delivery = on_delivery
        self._loop = asyncio.get_running_loop()
        self._received_at = self._loop.time()
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._sequence = 0
        # Both in the order of sending.
        self._pending: dict[int, _Request] = {}
        self._late: dict[int, _Request] = {}
        self._out: list[tuple[int, bytes]] = []  # with the sequence of a request; 0 of an answer
        self._writable = True
        self._enquiry: asyncio.Task[None] | None = None
        self._retired = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # for the type checker
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received_at = self._loop.time()
        self.in_doubt = False
        self._buffer += data
        try:
            for pdu in smpp_pdu.take_from(self._buffer):
                if pdu.command & ANSWER:
                    self._take_answer(pdu)
                else:
                    self._take_request(pdu)
        except Garbled:
            self.abort("l'opérateur envoie autre chose que du SMPP")

    def pause_writing(self) -> None:
        """Stop writing while the peer does not read."""
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """End every request without an answer: it was not written, or may have left."""
        self.bound = False
        self.why = self.why or "connexion rompue"
        unwritten = {sequence for sequence, _pdu in self._out}
        pending, self._pending, self._late = self._pending, {}, {}
        for sequence, request in pending.items():
            request.on_answer(Silence.NOT_WRITTEN if sequence in unwritten else Silence.LOST)
        self.window.close()
        if self._enquiry:
            self._enquiry.cancel()
        self.over.set()

    def send(
        self, name: str, on_answer: OnAnswer, *, counts: bool = False, **fields: Field
    ) -> None:
        """Send a request, now or with the others of this iteration.

        Args:
            name: of the command.
            on_answer: called once with the answer or with the kind of silence; after
                ``TIMED_OUT`` perhaps once more with a late answer.
            counts: it uses a place that the window gave.
            **fields: of its body.
        """
        self._sequence = self._sequence % smpp_pdu.LAST_SEQUENCE + 1  # SMPP 3.4, 3.2: from 1 up
        pdu = make(name, self._sequence, **fields)
        request = _Request(commands[name], self._loop.time(), on_answer, counts)
        self._pending[self._sequence] = request
        self._write(pdu, self._sequence)

    async def ask(self, name: str, *, counts: bool = False, **fields: Field) -> Pdu | Silence:
        """Send a request, and return its answer if it comes in time."""
        future: asyncio.Future[Pdu | Silence] = self._loop.create_future()

        def on_answer(answer: Pdu | Silence) -> None:
            if not future.done():
                future.set_result(answer)

        self.send(name, on_answer, counts=counts, **fields)
        try:
            # Not wait_for: before Python 3.12 it loses a cancellation that meets the answer, and
            # whoever closes the session then waits for ever.
            async with asyncio.timeout(self.timeout):
                return await future
        except TimeoutError:
            return Silence.TIMED_OUT

    def answer(self, pdu: Pdu, status: int = 0) -> None:
        """Answer a request of the SMSC; the answer is lost if the connection is gone."""
        self._write(make(f"{get_command_name(pdu.command)}_resp", pdu.sequence, status=status))

    def abort(self, why: str) -> None:
        """Close at once; ``why`` is French, for ``complaint``."""
        self.bound = False
        self.why = self.why or why
        if self._transport:
            self._transport.abort()

    def retire(self, why: str) -> None:
        """Submit nothing more, and close once every submission is answered or overdue."""
        self.bound = False
        self.why = self.why or why
        self._retired = True

    async def unbind(self) -> None:
        """Unbind, and close."""
        bound, self.bound = self.bound, False
        if bound and not self.in_doubt:
            await _at_most(self.ask("unbind"), UNBIND_SECONDS)
        self.why = self.why or "connexion fermée"
        if self._transport:
            self._transport.close()
            await _at_most(self.over.wait(), UNBIND_SECONDS)
            self._transport.abort()

    def tick(self) -> None:
        """Handle what is overdue; to be called a few times per ``timeout``."""
        now = self._loop.time()
        for sequence, request in _sent_before(self._pending, now - self.timeout):
            self._late[sequence] = self._pending.pop(sequence)
            self.in_doubt |= request.sent_at >= self._received_at
            request.on_answer(Silence.TIMED_OUT)
        for _sequence, request in _sent_before(self._late, now - 2 * self.timeout):
            self._release(request)
        for sequence, _request in _sent_before(self._late, now - LATE_SECONDS - self.timeout):
            del self._late[sequence]
        if self._retired and not self._pending and self._transport:
            self._transport.close()
        quiet = now - self._received_at >= QUIET_SECONDS
        if self.bound and (self.in_doubt or quiet) and not self._enquiry:
            self._enquiry = self._loop.create_task(self._enquire())

    async def _enquire(self) -> None:
        try:
            if await self.ask("enquire_link") is Silence.TIMED_OUT:
                self.abort("l'opérateur ne répond plus")
        finally:
            self._enquiry = None

    def _release(self, request: _Request) -> None:
        if request.counts:
            request.counts = False
            self.window.give_back()

    def _take_answer(self, pdu: Pdu) -> None:
        request = self._pending.pop(pdu.sequence, None) or self._late.pop(pdu.sequence, None)
        if request is None:
            return
        if pdu.command not in (request.command | ANSWER, smpp_pdu.NACK):
            self.abort("l'opérateur mêle ses réponses")
            request.on_answer(Silence.LOST)
            return
        self._release(request)
        request.on_answer(pdu)

    def _take_request(self, pdu: Pdu) -> None:
        if pdu.command in (smpp_pdu.DELIVER, smpp_pdu.DATA):
            self._on_delivery(self, pdu)
        elif pdu.command == smpp_pdu.ENQUIRE:
            self.answer(pdu)
        elif pdu.command == smpp_pdu.UNBIND:
            self.answer(pdu)
            self.retire("l'opérateur a pris congé (unbind)")
        else:
            self._write(make("generic_nack", pdu.sequence, status=consts.SMPP_ESME_RINVCMDID))

    def _write(self, pdu: bytes, sequence: int = 0) -> None:
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append((sequence, pdu))
        if len(self._out) >= _ENOUGH:
            self._flush()

    def _flush(self) -> None:
        """Write what is queued; not to a closing connection: ``connection_lost`` follows."""
        if self._out and self._writable and self._transport and not self._transport.is_closing():
            self._transport.write(b"".join(pdu for _sequence, pdu in self._out))
            self._out.clear()


def _sent_before(requests: dict[int, _Request], moment: float) -> list[tuple[int, _Request]]:
    """Return the requests that were sent before a moment; they stand in the order of sending."""
    return list(takewhile(lambda item: item[1].sent_at <= moment, requests.items()))


async def _at_most(waiting: Awaitable[object], seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(waiting, seconds)


def address_of(given: GatewayUrl) -> tuple[str, int]:
    """Return host and port of an SMSC."""
    port = given.parts.port
    return given.parts.hostname or "", PORT if port is None else port


class SessionKeeper:
    """Keeps one session bound: connects, binds, and reconnects after a break.

    The wait between two tries doubles from half a second to a minute, with jitter so that hosts do
    not reconnect all at once; a session that lasted ``STABLE_SECONDS`` resets it. After a wrong
    name or password it is a whole minute at once, since some operators lock accounts.

    Args:
        given: the SMSC and our account there, window and time-out of each session.
        tls: its context; None for none.
        on_delivery: as for ``Session``.

    Attributes:
        complaint: in French, why there is no session; empty while there is one.
        system_id: the SMSC's own name.
        retry_after: seconds for which no session should try; None where any may.
    """

    def __init__(
        self, given: GatewayUrl, tls: ssl.SSLContext | None, on_delivery: OnDelivery
    ) -> None:
        self.complaint = "connexion en cours"
        self.system_id = ""
        self.retry_after: float | None = None
        self._session: Session | None = None
        self._given, self._tls, self._on_delivery = given, tls, on_delivery
        self._wait = FIRST_WAIT
        self._tried = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._connected_at = time.monotonic()

    @property
    def is_lost(self) -> bool:
        """Whether there was no session for ``LOST_SECONDS``, in spite of reconnecting."""
        if self._session and self._session.bound:
            self._connected_at = time.monotonic()
        return time.monotonic() - self._connected_at > LOST_SECONDS

    async def open(self) -> None:
        """Start to keep the session; return after the first try, successful or not."""
        self._task = asyncio.get_running_loop().create_task(self._keep())
        await self._tried.wait()

    async def close(self) -> None:
        """Unbind and stop reconnecting."""
        session = self._session
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if session:
            await session.unbind()
        self._session = None

    def session(self) -> Session | None:
        """Return the session; None, with ``complaint``, when nothing may be submitted now."""
        session = self._session
        if session and session.bound and not session.in_doubt:
            return session
        if session:
            self.complaint = "l'opérateur ne répond plus" if session.bound else session.why
        return None

    def renew(self, why: str) -> None:
        """Replace the session once it has its answers: the SMSC says that it is not bound."""
        if self._session:
            self._session.retire(why)

    async def _keep(self) -> None:
        while True:
            began = time.monotonic()
            self._session = session = await self._connect()
            self._tried.set()
            if session:
                await self._watch(session)
                self._session = None
                self.complaint = session.why
                if time.monotonic() - began > STABLE_SECONDS:
                    self._wait = FIRST_WAIT
            _log.warning("SMPP %s: %s", self._given.host, self.complaint)
            await asyncio.sleep(self._next_wait())

    def _next_wait(self) -> float:
        if self.retry_after:
            return self.retry_after
        seconds, self._wait = self._wait, min(self._wait * 2, LONGEST_WAIT)
        return seconds * random.uniform(0.5, 1.0)  # noqa: S311  # not for secrets

    async def _watch(self, session: Session) -> None:
        """Check time-outs until a session is over."""
        step = min(max(session.timeout / 8, 0.05), 1.0)
        while not session.over.is_set():
            try:
                session.tick()
            except Exception:  # a bug of ours must not leave messages without an answer
                _log.exception("SMPP %s: the session is given up", self._given.host)
                session.abort("erreur interne")
            await asyncio.sleep(step)

    async def _connect(self) -> Session | None:
        """Return a bound session; None, with ``complaint``, where there is none."""
        session = Session(self._given.options, self._on_delivery)
        loop, address = asyncio.get_running_loop(), address_of(self._given)
        try:
            async with asyncio.timeout(min(CONNECT_SECONDS, session.timeout)):
                await loop.create_connection(lambda: session, *address, ssl=self._tls)
            self.complaint = await self._bind(session)
        except Exception as error:  # of the network, of TLS, of its name
            self.complaint = complaint_of(error, tls=self._tls is not None)
        finally:
            if not session.bound:
                session.abort(self.complaint)
        return session if session.bound else None

    async def _bind(self, session: Session) -> str:
        """Bind; return why it was refused, or nothing."""
        given = self._given
        answer = await session.ask(
            f"bind_{given.own['bind']}",
            system_id=given.user,
            password=given.password,
            system_type=given.own["system_type"],
            address_range="",
        )
        if isinstance(answer, Silence):
            return session.why or answer.value
        if answer.status:
            self.retry_after = LONGEST_WAIT if answer.status in WRONG_ACCESS else None
            complaint = _BIND_COMPLAINTS.get(answer.status, "connexion refusée (bind)")
            return f"{complaint} ({named(answer.status)})"
        self.retry_after = None
        self.system_id = smpp_pdu.text_of(answer.body)
        session.bound = True
        return ""


def complaint_of(error: BaseException, *, tls: bool = False) -> str:
    """Return in French why there is no connection; ``tls``: it was to be encrypted."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificat TLS refusé : {error.verify_message}"[:200]
    if isinstance(error, ssl.SSLError):
        return f"TLS impossible ({error.reason or 'pas de TLS à ce port'})"[:200]
    if isinstance(error, ConnectionRefusedError):
        return "personne n'écoute à cette adresse et à ce port"
    if isinstance(error, socket.gaierror):
        return "nom de machine introuvable"
    if isinstance(error, TimeoutError):
        # an SMSC without TLS takes the greeting for the start of a very long PDU, and waits
        return "pas de réponse à la connexion" + (" : est-ce bien un port TLS ?" if tls else "")
    return f"pas de connexion ({type(error).__name__})"
