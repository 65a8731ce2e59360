"""``smpp://`` and ``smpps://``: an SMSC over SMPP 3.4, as operators and aggregators offer it.

``smpp://user:password@smsc.example.org:2775?window=50&tps=100&sender=Vivalia`` binds as a
transceiver. Own options, beside those of every gateway:

- ``bind=transceiver|transmitter``: a transmitter hears no receipts (then also ``receipts=0``).
- ``receipts=1|0``: ask for a delivery receipt with each message.
- ``long_receipts=each|one``: of a long message each part is reported, or only one ever.
- ``long=udh|payload``, ``alphabet=gsm7|latin1``: see ``smpp_text``.
- ``source_ton``, ``source_npi``: of the sender (SMPP 3.4, 5.2.5 and 5.2.6); by itself a name is
  5 and 0, a number 1 and 1, none 0 and 0.
- ``system_type``: where the operator names one.
- ``validity``: minutes for which the SMSC tries, less where the message is of no use for so long;
  empty for what it does by itself.
- ``ca``: file with the certificates that ``smpps://`` believes, instead of the system's.

``timeout`` is seconds from the submission to its answer. SMPP has no reference of ours that the
SMSC would honour (user_message_reference has 16 bits and is only echoed), so nothing unknown is
submitted again here. An answer that comes after its time is reported as a receipt: "on its way",
with our reference and the SMSC's number, where every part was taken; "failed" where it was
refused for good. The numbers of later parts of a long message are lost in that one case.

"Too fast" (ESME_RTHROTTLED, ESME_RMSGQFUL) names no time: the wait doubles from one second to a
minute. Only where the SMSC took the first parts of a long message and called the next ones too
fast, those are submitted again here, within ``timeout``, because nobody else knows which.
"""

import asyncio
from collections.abc import Sequence
from itertools import count
from secrets import randbelow

from notifications.gateways.interface import (
    Accepted,
    Checked,
    Gateway,
    Message,
    NotSent,
    OnReport,
    Receipt,
    Refused,
    Result,
    Sent,
)
from notifications.gateways.options import Options
from notifications.gateways.smpp import pdu as smpp_pdu
from notifications.gateways.smpp.errors import (
    NOT_BOUND,
    SLOW_DOWN,
    Answer,
    Brake,
    Silence,
    read_answers,
)
from notifications.gateways.smpp.link import GOODBYE_SECONDS, Link
from notifications.gateways.smpp.pdu import Form
from notifications.gateways.smpp.receipts import read_query
from notifications.gateways.smpp.reports import Reports
from notifications.gateways.smpp.settings import Settings, address_of, minutes_of_use, read_url
from notifications.gateways.smpp.submission import Submission
from notifications.gateways.smpp.text import MOST_PARTS, Part, parts_of
from notifications.gateways.smpp.window import WindowClosed
from notifications.models.delivery import Failure
from notifications.models.receipt import ReceiptState

SCHEMES = ("smpp", "smpps")
_LONGEST_NUMBER = 15  # digits of E.164


class SmppGateway(Gateway):
    """One session to an SMSC, with ``window`` submissions without answer at most."""

    can_query = True
    asks_by_number = True

    def __init__(self, *, name: str, options: Options, settings: Settings) -> None:
        super().__init__(name=name, options=options)
        self._settings = settings
        self.alphabet = settings.alphabet
        self.reports_one_part = settings.reports_one_part
        self.listens = settings.access.bind == "transceiver"
        self.has_receipts = self.listens and settings.receipts
        self._references = count(randbelow(0x10000))  # workers do not know of each other
        self._link: Link | None = None
        self._reports: Reports | None = None
        self._brake = Brake()

    async def open(self, on_report: OnReport) -> None:
        """Bind; where that fails, go on trying, and say ``NotSent`` meanwhile."""
        self._reports = Reports(on_report, self._settings.alphabet)
        self._link = Link(
            self._settings.access,
            window=self.options.window,
            timeout=self.options.timeout,
            on_delivery=self._reports.deliver,
        )
        await self._link.open()

    async def close(self) -> None:
        """Acknowledge what was stored, and take leave; what has no answer is unknown."""
        link, reports = self._link, self._reports
        if link and reports:
            await reports.settle(GOODBYE_SECONDS)
            await link.close()
            await reports.settle(0)
        self._link = self._reports = None

    async def submit(self, messages: Sequence[Message]) -> Sequence[Result]:
        """Submit the one message."""
        return [await self._submit(message) for message in messages]

    def objection(self) -> NotSent | None:
        """A wrong name or password, or no session for a while: whoever connects next is to wait.

        Also to listen only: of those that may be connected, another host may have a way.
        """
        link = self._link
        return _not_let_in(link) if link and (link.retry_after or link.is_lost) else None

    async def query(self, sent: Sequence[Sent]) -> Sequence[Receipt | None]:
        """Ask with query_sm about each message that has a number; see ``read_query``.

        The source address is that of the submission (SMPP 3.4, 4.8.1).
        """
        return await asyncio.gather(*(self._query(one) for one in sent))

    async def check(self) -> Checked:
        """Say who answers there, how fast, and what is set."""
        link = self._opened()
        session = link.session()
        if not session:
            return Checked(usable=False, facts=self._facts(), complaint=link.complaint)
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        answer = await session.ask("enquire_link")
        if isinstance(answer, Silence):
            complaint = f"enquire_link : {answer.value}"
            return Checked(usable=False, facts=self._facts(), complaint=complaint)
        took = f"{(loop.time() - asked_at) * 1000:.1f} ms"
        facts = [("SMSC", link.system_id), *self._facts(), ("aller-retour", took)]
        return Checked(usable=True, facts=facts)

    def _facts(self) -> list[tuple[str, str]]:
        access, options = self._settings.access, self.options
        rate = f"{options.parts_per_second:g} parties/s" if options.parts_per_second else "libre"
        return [
            ("adresse", f"{access.host}:{access.port}"),
            ("TLS", "oui, certificat vérifié" if access.tls else "non"),
            ("connexion", f"bind_{access.bind}"),
            ("fenêtre", str(options.window)),
            ("débit", rate),
            ("expéditeur", options.sender or "celui de l'opérateur"),
            ("accusés", "demandés" if self.has_receipts else "non"),
        ]

    def _opened(self) -> Link:
        assert self._link, "open() first"  # noqa: S101  # a programmer's mistake
        return self._link

    async def _submit(self, message: Message) -> Result:
        link = self._opened()
        session = link.session()
        if not session:
            return _not_let_in(link)
        to = message.to.removeprefix("+")
        if not (to.isascii() and to.isdigit() and len(to) <= _LONGEST_NUMBER):
            return Refused(Failure.INVALID_NUMBER, remark="ce n'est pas un numéro E.164")
        parts = self._parts(message)
        if len(parts) > MOST_PARTS:
            return Refused(Failure.REJECTED, remark=f"texte de plus de {MOST_PARTS} parties")
        submission = Submission(
            to=to.encode(), parts=parts, on_late=lambda late: self._report_late(message, late)
        )
        await submission.send(session)
        self._brake_for(submission)
        if submission.may_go_on:
            await self._go_on(submission)
        return self._read(submission)

    def _parts(self, message: Message) -> list[tuple[Form, Part]]:
        settings = self._settings
        parts = parts_of(
            message.text,
            reference=next(self._references),
            alphabet=settings.alphabet,
            whole=settings.whole,
        )
        source = address_of(message.sender or self.options.sender, settings)
        validity = minutes_of_use(settings, message.lasts)
        return [(self._form(source, part, validity), part) for part in parts]

    def _form(self, source: tuple[str, int, int], part: Part, validity: int | None) -> Form:
        address, ton, npi = source
        return smpp_pdu.submit_form(
            source=address,
            source_ton=ton,
            source_npi=npi,
            esm_class=part.esm_class,
            coding=part.coding,
            receipts=self.has_receipts,
            validity=validity,
        )

    async def _go_on(self, submission: Submission) -> None:
        """Submit the rest of a message whose first parts are taken, as long as that is timely."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.options.timeout
        while submission.may_go_on and loop.time() + self._brake.retry_after < until:
            await asyncio.sleep(self._brake.retry_after)
            session = self._link.session() if self._link else None
            if not session:
                return
            await submission.send(session)
            self._brake_for(submission)

    def _brake_for(self, submission: Submission) -> None:
        now = asyncio.get_running_loop().time()
        for one in submission.outcomes:
            if not isinstance(one, Answer):
                continue
            if one.status in SLOW_DOWN:
                self._brake.throttled(sent_at=submission.sent_at, now=now)
            elif not one.status:
                self._brake.accepted(sent_at=submission.sent_at)

    def _read(self, submission: Submission) -> Result:
        if Answer(NOT_BOUND) in submission.outcomes and self._link:
            self._link.renew("l'opérateur nous croit déconnectés")
        return read_answers(submission.outcomes, self._brake.retry_after)

    def _report_late(self, message: Message, submission: Submission) -> None:
        if not self._reports:
            return
        result = read_answers(submission.outcomes, 0)
        if isinstance(result, Accepted):
            report = Receipt(
                state=ReceiptState.ON_ITS_WAY,
                reference=message.reference,
                provider_ids=(result.provider_id,) if result.provider_id else (),
                phone=message.to,
                remark="acceptation tardive",
            )
        elif isinstance(result, Refused) and result.permanent:
            report = Receipt(
                state=ReceiptState.FAILED,
                reference=message.reference,
                phone=message.to,
                failure=result.failure,
                remark=f"refus tardif : {result.remark}",
            )
        else:
            return
        self._reports.add(report)

    async def _query(self, sent: Sent) -> Receipt | None:
        session = self._opened().session()
        if not session or not sent.provider_id:
            return None
        try:
            await session.window.take(1)
        except WindowClosed:
            return None
        address, ton, npi = address_of(sent.sender or self.options.sender, self._settings)
        answer = await session.ask(
            "query_sm",
            counts=True,
            message_id=sent.provider_id,
            source_addr=address,
            source_addr_ton=ton,
            source_addr_npi=npi,
        )
        if isinstance(answer, Silence) or answer.status:
            return None
        return read_query(answer.body, sent)


def _not_let_in(link: Link) -> NotSent:
    """A wrong name or password is wrong for every host; all else may be this host's own trouble."""
    wait = link.retry_after
    return NotSent(link.complaint, retry_after=wait, answered=wait is not None)


def from_url(url: str) -> SmppGateway:
    """Return the gateway that the URL describes.

    Raises:
        ImproperlyConfigured: an unknown or senseless option; the sentence holds no secret.
    """
    options, settings = read_url(url)
    name = f"smpp {settings.access.host}:{settings.access.port}"
    return SmppGateway(name=name, options=options, settings=settings)
