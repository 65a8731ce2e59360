"""Keeps one SMPP session bound: connects, binds, and reconnects after a break.

The backoff between two tries doubles from half a second to a minute, with jitter so that workers
do not reconnect all at once; it is reset after a session that held for a while. After a wrong name
or password it is a whole minute at once: some operators lock accounts. The next session of this
worker or another does not know about this one: ``retry_after`` tells it.
"""

import asyncio
import logging
import random
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from notifications.gateways.smpp.errors import (
    WRONG_ACCESS,
    Silence,
    complaint_of,
    complaint_of_bind,
)
from notifications.gateways.smpp.pdu import Pdu, text_of
from notifications.gateways.smpp.session import Session

CONNECT_SECONDS = 5.0
FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0
HELD_FOR_A_WHILE = 30.0
GOODBYE_SECONDS = 2.0
LOST_SECONDS = 6.0
"""Without a session for so long, this host cannot reach the SMSC; a restart takes less."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Access:
    """The address of an SMSC, and our account there.

    Attributes:
        tls: its context; None for none.
        bind: ``transceiver``, or ``transmitter``, which gets no receipts.
    """

    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    system_type: str = ""
    bind: str = "transceiver"
    tls: ssl.SSLContext | None = field(default=None, repr=False)


class SessionKeeper:
    """The one session of a gateway.

    Args:
        access: to what.
        window: of each session.
        timeout: seconds without an answer.
        on_delivery: as for ``Session``.

    Attributes:
        complaint: in French, why there is no session; empty while there is one.
        system_id: the SMSC's own name.
        retry_after: seconds for which nobody should retry; None where anybody may.
    """

    def __init__(
        self,
        access: Access,
        *,
        window: int,
        timeout: float,
        on_delivery: Callable[[Session, Pdu], None],
    ) -> None:
        self.access = access
        self.complaint = "connexion en cours"
        self.system_id = ""
        self.retry_after: float | None = None
        self._session: Session | None = None
        self._new_session: Callable[[], Session] = partial(
            Session, window=window, timeout=timeout, on_delivery=on_delivery
        )
        self._timeout = timeout
        self._wait = FIRST_WAIT
        self._tried = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._connected_at = time.monotonic()

    @property
    def is_lost(self) -> bool:
        """Whether there was no session for ``LOST_SECONDS``, in spite of reconnecting."""
        session = self._session
        if session and session.bound:
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
            await session.unbind(GOODBYE_SECONDS)
        self._session = None

    def session(self) -> Session | None:
        """Return the session; None, with ``complaint``, when nothing may be submitted now."""
        session = self._session
        if session and session.bound:
            if session.in_doubt:
                self.complaint = "l'opérateur ne répond plus"
                return None
            return session
        if session:
            self.complaint = session.why
        return None

    def renew(self, why: str) -> None:
        """Replace the session once it has its answers: the SMSC says that it is not bound."""
        if self._session:
            self._session.retire(why)

    async def _keep(self) -> None:
        while True:
            began = asyncio.get_running_loop().time()
            session = await self._connect()
            self._session = session
            self._tried.set()
            if session:
                await self._watch(session)
                self._session = None
                self.complaint = session.why
                _log.warning("SMPP %s: %s", self.access.host, self.complaint)
                if asyncio.get_running_loop().time() - began > HELD_FOR_A_WHILE:
                    self._wait = FIRST_WAIT
            await asyncio.sleep(self._next_wait())

    def _next_wait(self) -> float:
        if self.retry_after:
            return self.retry_after
        seconds, self._wait = self._wait, min(self._wait * 2, LONGEST_WAIT)
        return seconds * random.uniform(0.5, 1.0)  # noqa: S311  # not for secrets

    async def _watch(self, session: Session) -> None:
        """Check time-outs until a session is over."""
        step = min(max(self._timeout / 8, 0.05), 1.0)
        while not session.over.is_set():
            try:
                session.tick()
            except Exception:  # a bug of ours must not leave messages without an answer
                _log.exception("SMPP %s: the session is given up", self.access.host)
                session.abort("erreur interne")
            await asyncio.sleep(step)

    async def _connect(self) -> Session | None:
        loop = asyncio.get_running_loop()
        access = self.access
        session = self._new_session()
        try:
            async with asyncio.timeout(min(CONNECT_SECONDS, self._timeout)):
                await loop.create_connection(
                    lambda: session, access.host, access.port, ssl=access.tls
                )
            bound = await self._bind(session)
        except Exception as error:  # of the network, of TLS, of its name
            self.complaint = complaint_of(error, tls=access.tls is not None)
            bound = False
        except BaseException:
            session.abort("connexion fermée")
            raise
        if not bound:
            session.abort(self.complaint)
            _log.warning("SMPP %s: %s", access.host, self.complaint)
            return None
        self.complaint = ""
        return session

    async def _bind(self, session: Session) -> bool:
        access = self.access
        answer = await session.ask(
            f"bind_{access.bind}",
            system_id=access.system_id,
            password=access.password,
            system_type=access.system_type,
            address_range="",
        )
        if isinstance(answer, Silence):
            self.complaint = session.why or answer.value
        elif answer.status:
            self.complaint = complaint_of_bind(answer.status)
            self.retry_after = LONGEST_WAIT if answer.status in WRONG_ACCESS else None
        else:
            self.retry_after = None
            self.system_id = text_of(answer.body)
            session.bound = True
        return session.bound
