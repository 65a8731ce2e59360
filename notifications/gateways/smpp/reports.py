"""Hands what an SMSC delivers to whoever stores it, and acknowledges what is stored.

The reader of the connection never waits for the database: each deliver_sm is a task. Beyond
``MOST`` of them the SMSC is told to come again (ESME_RX_T_APPN), and it is told the same of
what could not be stored, so that a flood or a database that is away loses no receipt.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from notifications.gateways.interface import OnReport, Report
from notifications.gateways.smpp import pdu as smpp_pdu
from notifications.gateways.smpp import receipts as smpp_receipts
from notifications.gateways.smpp.errors import NEVER, NOT_NOW
from notifications.gateways.smpp.pdu import Garbled, Pdu
from notifications.gateways.smpp.session import Session
from staff import clock

MOST = 2_000
_log = logging.getLogger(__name__)


class Reports:
    """The reports that are being stored.

    Args:
        on_report: stores one.
        alphabet: what data_coding 0 is at this SMSC.
    """

    def __init__(self, on_report: OnReport, alphabet: str) -> None:
        self._on_report = on_report
        self._alphabet = alphabet
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    def deliver(self, session: Session, pdu: Pdu) -> None:
        """Store what a deliver_sm or data_sm says, then acknowledge it over its session."""
        if self._closing or len(self._tasks) >= MOST:
            session.reply(smpp_pdu.acknowledgement(pdu, NOT_NOW))
        else:
            self._start(self._deliver(session, pdu))

    def add(self, report: Report) -> None:
        """Store what no deliver_sm says: an answer that came late."""
        self._start(self._store(report))

    async def settle(self, seconds: float) -> None:
        """Take no more, and wait for what is being stored; the SMSC keeps what takes too long."""
        self._closing = True
        if self._tasks:
            _done, left = await asyncio.wait(self._tasks, timeout=seconds)
            for task in left:
                task.cancel()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, session: Session, pdu: Pdu) -> None:
        session.reply(smpp_pdu.acknowledgement(pdu, await self._status_for(pdu)))

    async def _status_for(self, pdu: Pdu) -> int:
        try:
            delivery = smpp_pdu.read_delivery(pdu)
        except Garbled:
            _log.warning("SMPP: a deliver_sm of %s octets cannot be read", len(pdu.body))
            return NEVER
        now = clock.real()
        report = smpp_receipts.read(delivery, now=now, alphabet=self._alphabet)
        try:
            await self._on_report(report)
        except Exception as error:
            _log.warning("SMPP: a report could not be stored (%s)", type(error).__name__)
            return NOT_NOW
        return 0

    async def _store(self, report: Report) -> None:
        try:
            await self._on_report(report)
        except Exception as error:
            _log.warning("SMPP: a late answer could not be stored (%s)", type(error).__name__)
