"""``smpp://`` and ``smpps://``: an SMSC over SMPP 3.4, as operators and aggregators offer it.

Options: docs/gateways.md, "SMPP"; how ``long`` and ``alphabet`` are sent: ``smpp.pdu``.

``timeout`` is seconds from the submission to its answer. An SMSC honours no reference of ours
(user_message_reference has 16 bits and is only echoed), so nothing unknown is submitted again
here. An answer that comes after its time is reported as a receipt: "on its way", with our reference
and the SMSC's id of the first part, where every part was accepted; "failed" where it was refused
permanently.

"Too fast" (ESME_RTHROTTLED, ESME_RMSGQFUL) names no time: the wait doubles from one second to a
minute. Only where the SMSC accepted the first parts of a long message and throttled the next
ones, those are submitted again here, within ``timeout``, because nobody else knows which.
"""

import asyncio
import ssl
import unicodedata
from dataclasses import replace
from itertools import count
from secrets import randbelow

from notifications.gateways.base import (
    Accepted,
    Checked,
    Gateway,
    GatewayUrl,
    Message,
    NotSent,
    OnReport,
    ReceiptReport,
    Refused,
    Result,
    Sent,
    invalid_url,
    parse_url,
)
from notifications.gateways.smpp.pdu import MOST_PARTS, Field, Pdu, parts_of
from notifications.gateways.smpp.receipts import Reports, read_query
from notifications.gateways.smpp.session import (
    UNBIND_SECONDS,
    Session,
    SessionKeeper,
    Silence,
    address_of,
)
from notifications.gateways.smpp.submission import NOT_BOUND, Backoff, Submission, read_answers
from notifications.models import Failure, ReceiptState

SCHEMES = ("smpp", "smpps")
_CHOICES = {  # the first is the default
    "bind": ("transceiver", "transmitter"),
    "receipts": ("1", "0"),
    "long_receipts": ("each", "one"),
    "long": ("udh", "payload"),
    "alphabet": ("gsm7", "latin1"),
}
_OWN = {name: choices[0] for name, choices in _CHOICES.items()}
_OWN |= dict.fromkeys(("source_ton", "source_npi", "system_type", "validity", "ca"), "")
_LONGEST_E164 = 15  # digits
_LONGEST_NAME, _LONGEST_NUMBER = 11, 20
_MOST_WINDOW = 1_000
_MOST_MINUTES = 7 * 24 * 60
_ALPHANUMERIC, _INTERNATIONAL, _UNKNOWN, _ISDN = 5, 1, 0, 1  # SMPP 3.4, 5.2.5 TON, 5.2.6 NPI


class SmppGateway(Gateway):
    """One session to an SMSC, with ``window`` submissions without answer at most.

    Attributes:
        address: host and port.
        tls: the context of ``smpps://``; None for ``smpp://``.
        whole: long texts leave in one piece, as message_payload.
        validity: minutes for which the SMSC tries; None for its own default.
    """

    can_query = True
    asks_by_number = True

    def __init__(self, given: GatewayUrl) -> None:
        own = given.own
        for name, choices in _CHOICES.items():
            if own[name] not in choices:
                raise invalid_url(f"{name} vaut {' ou '.join(choices)}")
        if given.options.window > _MOST_WINDOW:
            raise invalid_url(f"window va de 1 à {_MOST_WINDOW}")
        _check_sender(given.options.sender)
        _check_access(given)
        self.tls = _tls(given.parts.scheme, own["ca"])
        self.address = "{}:{}".format(*address_of(given))
        super().__init__(name=f"smpp {self.address}", options=given.options)
        self._given = given
        self.whole = own["long"] == "payload"
        self.alphabet = "latin1" if own["alphabet"] == "latin1" else "gsm7"
        self.reports_one_part = own["long_receipts"] == "one"
        self.listens = own["bind"] == "transceiver"
        self.has_receipts = self.listens and own["receipts"] == "1"
        self.validity: int | None = None
        if own["validity"]:
            self.validity = given.number("validity", 1, _MOST_MINUTES, unit="de minutes ")
        self._source_ton = given.number("source_ton", 0, 6) if own["source_ton"] else None
        self._source_npi = given.number("source_npi", 0, 18) if own["source_npi"] else None
        self._references = count(randbelow(0x10000))  # sessions do not share a counter
        self._keeper: SessionKeeper | None = None
        self._reports: Reports | None = None
        self._backoff = Backoff()

    async def open(self, on_report: OnReport) -> None:
        """Bind; if that fails, reconnect in the background and answer ``NotSent`` meanwhile."""
        self._reports = Reports(on_report, self.alphabet)
        self._keeper = SessionKeeper(self._given, self.tls, self._reports.deliver)
        await self._keeper.open()

    async def close(self) -> None:
        """Acknowledge what was stored, and unbind; submissions without an answer are unknown."""
        keeper, reports = self._keeper, self._reports
        if keeper and reports:
            await reports.settle(UNBIND_SECONDS)
            await keeper.close()
            await reports.settle(0)
        self._keeper = self._reports = None

    def _opened(self) -> SessionKeeper:
        assert self._keeper, "open() first"  # noqa: S101  # a programmer's mistake
        return self._keeper

    def objection(self) -> NotSent | None:
        """Return why to wait: a wrong name or password, or no session for a while.

        It counts for listening too: another host may be able to connect instead.
        """
        keeper = self._keeper
        return _no_session(keeper) if keeper and (keeper.retry_after or keeper.is_lost) else None

    async def check(self) -> Checked:
        """Show the SMSC's name, how fast it answers, and the settings."""
        keeper, options = self._opened(), self.options
        rate = f"{options.parts_per_second:g} parties/s" if options.parts_per_second else "libre"
        facts = [
            ("adresse", self.address),
            ("TLS", "oui, certificat vérifié" if self.tls else "non"),
            ("connexion", f"bind_{self._given.own['bind']}"),
            ("fenêtre", str(options.window)),
            ("débit", rate),
            ("expéditeur", options.sender or "celui de l'opérateur"),
            ("accusés", "demandés" if self.has_receipts else "non"),
        ]
        session = keeper.session()
        if not session:
            return Checked(usable=False, facts=facts, complaint=keeper.complaint)
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        answer = await session.ask("enquire_link")
        if isinstance(answer, Silence):
            complaint = f"enquire_link : {answer.value}"
            return Checked(usable=False, facts=facts, complaint=complaint)
        took = f"{(loop.time() - asked_at) * 1000:.1f} ms"
        facts = [("SMSC", keeper.system_id), *facts, ("aller-retour", took)]
        return Checked(usable=True, facts=facts)

    async def submit_one(self, message: Message) -> Result:
        """Submit all parts of a message, and wait for their answers."""
        keeper = self._opened()
        session = keeper.session()
        if not session:
            return _no_session(keeper)
        to = message.to.removeprefix("+")
        if not (to.isascii() and to.isdigit() and len(to) <= _LONGEST_E164):
            return Refused(Failure.INVALID_NUMBER, remark="ce n'est pas un numéro E.164")
        if message.parts > MOST_PARTS:
            return Refused(Failure.REJECTED, remark=f"texte de plus de {MOST_PARTS} parties")
        submission = Submission(
            parts=self._parts(message, to), on_late=lambda late: self._report_late(message, late)
        )
        await self._send(submission, session)
        await self._go_on(submission, keeper)
        if any(isinstance(one, Pdu) and one.status == NOT_BOUND for one in submission.outcomes):
            keeper.renew("l'opérateur nous croit déconnectés")
        return read_answers(submission.outcomes, self._backoff.retry_after)

    def _parts(self, message: Message, to: str) -> list[dict[str, Field]]:
        """Return the fields of each submit_sm (SMPP 3.4, 4.4.1)."""
        fields: dict[str, Field] = {
            **self.source_of(message.sender),
            "dest_addr_ton": _INTERNATIONAL,
            "dest_addr_npi": _ISDN,
            "destination_addr": to,
            "registered_delivery": int(self.has_receipts),
            "validity_period": self._validity_period(message.lasts),
        }
        parts = parts_of(
            message.text, reference=next(self._references), alphabet=self.alphabet, whole=self.whole
        )
        return [fields | part for part in parts]

    def source_of(self, sender: str) -> dict[str, Field]:
        """Return a sender as SMPP takes it: type of number, numbering plan, address.

        Args:
            sender: a name of at most 11 letters (accents are removed), a number, or empty for the
                gateway's own, which may be the operator's setting.
        """
        sender = sender or self.options.sender
        plain = unicodedata.normalize("NFKD", sender).encode("ascii", "ignore").decode()
        digits = plain.removeprefix("+")
        if not plain:
            address, ton, npi = "", _UNKNOWN, _UNKNOWN
        elif digits.isdigit():
            address, ton, npi = digits[:_LONGEST_NUMBER], _INTERNATIONAL, _ISDN
        else:
            address, ton, npi = plain[:_LONGEST_NAME], _ALPHANUMERIC, _UNKNOWN
        return {
            "source_addr_ton": ton if self._source_ton is None else self._source_ton,
            "source_addr_npi": npi if self._source_npi is None else self._source_npi,
            "source_addr": address,
        }

    def _validity_period(self, lasts: int | None) -> str:
        """Return for how long the SMSC tries, as ``YYMMDDhhmmsstnnR`` (7.1.1.2).

        Empty for the SMSC's own default. ``lasts``: seconds for which the message is of use.
        """
        minutes = self.validity
        if lasts is not None:
            of_use = max(1, lasts // 60)
            minutes = min(of_use, minutes or of_use)
        if minutes is None:
            return ""
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        return f"0000{days:02}{hours:02}{minutes:02}00000R"

    async def _go_on(self, submission: Submission, keeper: SessionKeeper) -> None:
        """Submit the rest of a message whose first parts were accepted, within ``timeout``."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.options.timeout
        while submission.may_go_on and loop.time() + self._backoff.retry_after < until:
            await asyncio.sleep(self._backoff.retry_after)
            session = keeper.session()
            if not session:
                return
            await self._send(submission, session)

    async def _send(self, submission: Submission, session: Session) -> None:
        await submission.send(session)
        now = asyncio.get_running_loop().time()
        self._backoff.note(submission.outcomes, sent_at=submission.sent_at, now=now)

    def _report_late(self, message: Message, submission: Submission) -> None:
        if not self._reports:
            return
        result = read_answers(submission.outcomes, 0)
        late = ReceiptReport(ReceiptState.ON_ITS_WAY, reference=message.reference, phone=message.to)
        if isinstance(result, Accepted):
            ids = (result.provider_id,) if result.provider_id else ()
            self._reports.add(replace(late, provider_ids=ids, remark="acceptation tardive"))
        elif isinstance(result, Refused) and result.permanent:
            remark = f"refus tardif : {result.remark}"
            failed = ReceiptState.FAILED
            self._reports.add(replace(late, state=failed, failure=result.failure, remark=remark))

    async def query_one(self, sent: Sent) -> ReceiptReport | None:
        """Send query_sm for a message that has an id; see ``read_query``.

        The source address is that of the submission (SMPP 3.4, 4.8.1).
        """
        session = self._opened().session()
        if not session or not sent.provider_id or not await session.window.take(1):
            return None
        source = self.source_of(sent.sender)
        answer = await session.ask("query_sm", counts=True, message_id=sent.provider_id, **source)
        if isinstance(answer, Silence) or answer.status:
            return None
        return read_query(answer.body, sent)


def _no_session(keeper: SessionKeeper) -> NotSent:
    """A wrong name or password is wrong for every host; anything else may be this host only."""
    wait = keeper.retry_after
    return NotSent(keeper.complaint, retry_after=wait, answered=wait is not None)


def _check_sender(sender: str) -> None:
    digits = sender.removeprefix("+")
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST_E164
    is_name = sender.isascii() and sender.isprintable() and len(sender) <= _LONGEST_NAME
    if sender and not is_name and not is_number:
        raise invalid_url(
            f"sender est un nom de {_LONGEST_NAME} caractères au plus, sans accents, ou un numéro "
            "de 15 chiffres au plus"
        )


def _check_access(given: GatewayUrl) -> None:
    parts = given.parts
    if not parts.hostname:
        raise invalid_url("il manque le nom de la machine")
    if not given.user or parts.password is None:
        raise invalid_url("il manque l'utilisateur ou le mot de passe")
    for what, value, longest in (  # SMPP 3.4, 5.2.1 to 5.2.3
        ("l'utilisateur", given.user, 15),
        ("le mot de passe", given.password, 8),
        ("system_type", given.own["system_type"], 12),
    ):
        if len(value) > longest or not value.isascii() or not value.isprintable():
            raise invalid_url(f"{what} compte au plus {longest} caractères sans accents (SMPP 3.4)")
    if parts.path not in ("", "/"):
        raise invalid_url("rien ne suit le port, sinon « ? » et les options")
    try:
        port = parts.port
    except ValueError as error:
        raise invalid_url("le port va de 1 à 65535") from error
    if port is None and parts.scheme == "smpps":
        raise invalid_url("indiquez le port : aucun n'est d'usage pour smpps")


def _tls(scheme: str, ca: str) -> ssl.SSLContext | None:
    if scheme != "smpps":
        if ca:
            raise invalid_url("ca ne va qu'avec smpps://")
        return None
    try:
        return ssl.create_default_context(cafile=ca or None)
    except OSError as error:
        raise invalid_url("ca : ce fichier de certificats ne peut pas être lu") from error


def from_url(url: str) -> SmppGateway:
    """Return the gateway that the URL describes.

    Raises:
        ImproperlyConfigured: an unknown or invalid option; the sentence holds no secret.
    """
    return SmppGateway(parse_url(url, own=_OWN, window="50", sessions="1"))
