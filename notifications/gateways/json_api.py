"""``http+json://`` and ``https+json://``: any gateway that takes one JSON POST per message.

``https+json://user:password@sms.example.org/send?idempotent=1&query=1&tps=20`` posts
``{"to", "text", "reference"}`` (and ``"from"``, where a sender is set) to
``https://sms.example.org/send`` and expects a 2xx with ``{"id"}``. An empty user makes the
password a bearer token. ``idempotent=1`` says that the peer sends a reference once, however
often it is submitted; ``tps`` is parts per second, ``timeout`` seconds for a whole answer.

A refusal (400, 409, 410, 413, 422) is permanent unless the answer says ``{"temporary": true}``;
``{"error"}`` may name a ``Failure``. But 409 (Conflict) or 208 (Already Reported, RFC 5842) to a
reference that is submitted **again** with ``idempotent=1`` means accepted, the first time.

``receipts=1`` (with ``hook=…``, and ``key=…`` or ``from=…``) says that the peer calls our hook
with what became of each message, by POST of one JSON object or a list of at most 1,000::

    {"reference": "…", "id": "…", "status": "delivered|failed|expired|on_its_way",
     "error": "a Failure, or the peer's own words", "at": "2022-05-15T18:30:00Z"}
    {"from": "+32…", "text": "STOP", "id": "…", "at": "…"}

A receipt needs ``status`` and one of ``reference`` and ``id``; the second form is an SMS that
a patient sent. With ``key=…`` each call must be signed (``http.sign``).

``query=1`` says that ``GET <url>/<reference>`` answers with the first form, or 404.
"""

from collections.abc import Mapping
from typing import Any

from notifications.gateways import http
from notifications.gateways.base import (
    Accepted,
    GatewayUrl,
    Inbound,
    Message,
    ReceiptReport,
    Refused,
    Result,
    Sent,
    Unknown,
    invalid_url,
)
from notifications.gateways.http import HttpAnswer, Request
from notifications.models import Failure, ReceiptState

SCHEMES = ("http+json", "https+json")
NO_REFERENCE = "0" * 32
_REFUSALS = {400, 409, 410, 413, 422}
_HAS_IT = {208, 409}


class JsonGateway(http.HttpGateway):
    """One POST per message."""

    kind = "http+json"
    own_options = {"idempotent": "0", "receipts": "0", "query": "0"}
    signs_calls = True

    def __init__(self, given: GatewayUrl) -> None:
        super().__init__(given)
        self.honours_reference = given.own["idempotent"] == "1"
        self.has_receipts = given.own["receipts"] == "1"
        self.can_query = given.own["query"] == "1"
        if self.has_receipts and not given.options.hook:
            raise invalid_url(
                "receipts=1 demande hook=… : sans adresse à appeler, aucun accusé n'arriverait et "
                "chaque patient serait rappelé"
            )

    def headers(self, given: GatewayUrl) -> Mapping[str, str]:
        """Return basic authentication, or the bearer token."""
        if given.parts.password is None:
            return {}
        if not given.user:
            return {"Authorization": f"Bearer {given.password}"}
        return http.basic(given.user, given.password)

    def request(self, message: Message) -> Request:
        content = {"to": message.to, "text": message.text, "reference": message.reference}
        if sender := message.sender or self.options.sender:
            content["from"] = sender
        return "POST", self.url, content

    def read(self, answer: HttpAnswer, message: Message) -> Result:
        status, said = answer.status, answer.fields()
        number = http.as_id(said.get("id"))
        if message.again and self.honours_reference and status in _HAS_IT:
            return Accepted(number)
        if 200 <= status < 300:
            return Accepted(number) if number else Unknown(f"réponse {status} sans numéro")
        if status in _REFUSALS:
            error = http.as_remark(said.get("error"))
            return Refused(
                Failure(error) if error in Failure.values else Failure.REJECTED,
                permanent=said.get("temporary") is not True,
                remark=http.as_remark(f"réponse {status} {error}"),
            )
        return http.read_status(answer)

    def read_query(self, said: Mapping[str, Any], sent: Sent) -> ReceiptReport | None:
        """Return the receipt, if it is that of this reference."""
        if said.get("reference", sent.reference) != sent.reference:
            return None
        return self.receipt_of({**said, "reference": sent.reference})

    def probe(self) -> Request:
        """Query a message that does not exist, or send OPTIONS."""
        return ("GET", self.query_url(NO_REFERENCE), None) if self.can_query else super().probe()

    async def inspect(self, answer: HttpAnswer) -> tuple[list[tuple[str, str]], str]:
        """Say whether access was granted; only a query shows it."""
        known = self.can_query and answer.status in (200, 404)
        return [("accès", "accepté" if known else "ne se vérifie pas sans envoyer de SMS")], ""

    def receipt_of(self, said: Mapping[str, Any]) -> ReceiptReport | None:
        """Read the first form."""
        state, error = said.get("status"), http.as_remark(said.get("error"))
        if state not in ReceiptState.values:
            return None
        failure: Failure | str = ""
        if state in (ReceiptState.FAILED, ReceiptState.EXPIRED):
            otherwise = Failure.REJECTED if state == ReceiptState.FAILED else Failure.EXPIRED
            failure = Failure(error) if error in Failure.values else otherwise
        return http.read_receipt(
            ReceiptState(state),
            reference=said.get("reference"),
            number=said.get("id"),
            failure=failure,
            remark=error,
            happened_at=http.as_moment(said.get("at")),
        )

    def reply_of(self, said: Mapping[str, Any]) -> Inbound | None:
        """Read the second form."""
        return http.read_reply(
            said.get("from"),
            said.get("text"),
            happened_at=http.as_moment(said.get("at")),
            key=http.as_key(said.get("id")),
        )


from_url = JsonGateway.from_url
