"""``cm+https://``: CM.com, Business Messaging API, many messages a call.

``cm+https://:product-token@gw.cmtelecom.com/v1.0/message?sender=Vivalia&batch=100&hook=…&from=…``
posts JSON with at most ``batch`` messages (CM takes 1,000; fewer make a pause quicker). ``window``
is in messages too, so five calls of a hundred are under way at once unless it is set otherwise.
``cm+http://`` is for a relay on your own network. Facts from developers.cm.com (Business Messaging
API: "Responses & Errors – JSON") and from CM's own client libraries (github.com/cmdotcom,
text-sdk-dotnet: Message.cs, TextClientStatusCode.cs). Nothing there says that a reference sent
twice is sent to the patient once.

Only the channel SMS is allowed: texts stay readable in other networks. ``"type": "auto"`` lets CM
choose GSM-7 or UCS-2; up to 8 parts, so that no text is cut. ``validity`` is in whole minutes.

The answer says for each message, under our reference, whether it was accepted, and for the call
an ``errorCode``: 101 to 103 (account, balance, key) mean that nothing was accepted. A message that
the answer does not name is unknown. All else: by its status (``http.read_status``).

Receipts (developers.cm.com, "Incoming Status Reports") come by POST of JSON, alone, as a list
of ``msg``, or as a list of all of this::

    {"messages": {"msg": {"received": "…", "to": "0032…", "reference": "…", "operator": "…",
                          "status": {"code": "3", "errorCode": "24", "errorDescription": "…"}}}}

or by GET with ``reference``, ``to``, ``statuscode``, ``errorcode``, ``errordescription``.
``code`` 0: taken by the operator, 1: rejected, 2: delivered, 3: failed. ``received`` says no
time zone, so it is not stored as a moment. The error codes are those of CM's document "HTTP
Status Report" (http_SR.pdf, section 4), as two public clients of CM repeat them; others are a
rejection with CM's words as its remark.

Replies ("Incoming Messages") come by POST of JSON::

    {"from": {"number": "0032…"}, "message": {"text": "STOP"}, "timeUtc": "2022-05-15T18:30:00",
     "channel": "SMS", "reference": "…"}

and in the older form, with ``"from": "0032…"`` and ``"body": "STOP"``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from notifications.gateways import http
from notifications.gateways.base import (
    Accepted,
    GatewayUrl,
    HookRequest,
    Inbound,
    Message,
    NotSent,
    ReceiptReport,
    Refused,
    Result,
    Unknown,
    invalid_url,
)
from notifications.gateways.http import HttpAnswer, Request
from notifications.models import Failure, ReceiptState

SCHEMES = ("cm+https", "cm+http")
LARGEST_BATCH = 1000
MOST_PARTS = 8
_NO_ACCESS = {
    101: "compte inconnu de CM",
    102: "solde épuisé chez CM",
    103: "jeton refusé par CM",
}
# A setting that can be corrected, or a fault of CM's own: worth another try.
_FOR_NOW = {201, 202, 203, 301, 500, 999}
_REFUSALS = {302: Failure.INVALID_NUMBER, 303: Failure.INVALID_NUMBER, 402: Failure.BARRED}
_STATES = {
    "0": ReceiptState.ON_ITS_WAY,
    "1": ReceiptState.FAILED,
    "2": ReceiptState.DELIVERED,
    "3": ReceiptState.FAILED,
}
_EXPIRED = "8"
_FAILURES = {
    "5": Failure.UNREACHABLE,  # not delivered, and the operator does not say why
    _EXPIRED: Failure.EXPIRED,
    "23": Failure.INVALID_NUMBER,  # wrong, or barred for good at that operator
    "24": Failure.UNREACHABLE,  # switched off, out of reach
    "25": Failure.UNREACHABLE,  # the operator's network
    "26": Failure.UNREACHABLE,  # the phone's memory is full or it is busy
    "27": Failure.UNREACHABLE,  # the phone takes no SMS
    "37": Failure.BARRED,  # a national list of those who want no SMS
}


class CmGateway(http.HttpGateway):
    """One POST for each batch of messages."""

    kind = "cm"
    carrier = "CM"
    own_options = {"batch": "100"}
    defaults = {"window": "500"}
    hook_method = ""

    def __init__(self, given: GatewayUrl) -> None:
        super().__init__(given)
        self._token = given.password or given.user
        if not self._token:
            raise invalid_url("il manque le jeton (product token) de CM")
        if not given.options.sender:
            raise invalid_url("CM demande un expéditeur : sender=…")
        self.batch = min(given.number("batch", 1, LARGEST_BATCH), given.options.window)
        self.has_receipts = bool(given.options.hook)

    async def submit(self, messages: Sequence[Message]) -> Sequence[Result]:
        answer = await self.exchange("POST", self.url, self._call(messages))
        if not isinstance(answer, HttpAnswer):
            return [answer] * len(messages)
        return read_answer(answer, [message.reference for message in messages])

    def _call(self, messages: Sequence[Message]) -> dict[str, Any]:
        listed = [self._message(message) for message in messages]
        return {"messages": {"authentication": {"productToken": self._token}, "msg": listed}}

    def _message(self, message: Message) -> dict[str, Any]:
        return {
            "allowedChannels": ["SMS"],
            "from": message.sender or self.options.sender,
            "to": [{"number": f"00{message.to.removeprefix('+')}"}],
            "body": {"type": "auto", "content": message.text},
            "reference": message.reference,
            "minimumNumberOfMessageParts": 1,
            "maximumNumberOfMessageParts": MOST_PARTS,
            **({"validity": f"{message.lasts // 60}m"} if message.lasts else {}),
        }

    def probe(self) -> Request:
        """Post a call without messages."""
        return "POST", self.url, self._call([])

    async def inspect(self, answer: HttpAnswer) -> tuple[list[tuple[str, str]], str]:
        """Say whether CM complains of more than that there are no messages."""
        code = _code(answer.fields().get("errorCode"))
        if code in _NO_ACCESS:
            return [], f"Accès refusé, {_NO_ACCESS[code]} : vérifiez SMS_GATEWAY_URL et le compte."
        if code is None:
            return [], "Cette adresse ne répond pas comme CM : vérifiez le chemin (/v1.0/message)."
        receipts = "par le hook" if self.has_receipts else "non : ajoutez hook="
        return [("accès", "non refusé"), ("accusés", receipts)], ""

    def items_in(self, request: HookRequest) -> list[Any]:
        """Return the reports of a GET, or of a POST in any of the three forms."""
        if request.method == "GET":
            said = {name.lower(): value for name, value in request.query.items()}
            status = {
                "code": said.get("statuscode"),
                "errorCode": said.get("errorcode"),
                "errorDescription": said.get("errordescription"),
            }
            return [{**said, "status": status}]
        items: list[Any] = []
        for one in map(http.as_object, http.as_list(http.json_of(request.body))):
            if "messages" not in one:
                items.append(one)
                continue
            for messages in map(http.as_object, http.as_list(one["messages"])):
                items += http.as_list(messages.get("msg"))
        return items

    def receipt_of(self, said: Mapping[str, Any]) -> ReceiptReport | None:
        """Read a status report."""
        status = http.as_object(said["status"])
        state = _STATES.get(http.as_text(status.get("code"), 2))
        if state is None:
            return None
        error = http.as_text(status.get("errorCode"), 20)
        words = http.as_remark(status.get("errorDescription"))
        failure: Failure | str = ""
        if state == ReceiptState.FAILED:
            failure = _FAILURES.get(error, Failure.REJECTED)
            state = ReceiptState.EXPIRED if error == _EXPIRED else state
        return http.read_receipt(
            state,
            reference=said.get("reference"),
            phone=http.as_phone(said.get("to")),
            failure=failure,
            remark=words if error in ("", "0") else http.as_remark(f"code {error} {words}"),
        )

    def reply_of(self, said: Mapping[str, Any]) -> Inbound | None:
        """Read an incoming message in either form."""
        sender, message = said.get("from"), http.as_object(said.get("message"))
        return http.read_reply(
            sender.get("number") if isinstance(sender, dict) else sender,
            message.get("text", said.get("body")),
            happened_at=http.as_moment(said.get("timeUtc")),
        )


def read_answer(answer: HttpAnswer, references: Sequence[str]) -> list[Result]:
    """Return what an answer means for each message of a call.

    Args:
        answer: as received, possibly garbage.
        references: of the messages, in their order.
    """
    said, status = answer.fields(), answer.status
    listed = http.as_objects(said.get("messages"))
    if not listed or not (200 <= status < 300 or status == 400):
        return [_of_the_call(answer, _code(said.get("errorCode")))] * len(references)
    results: dict[str, Result] = {}
    for one in listed:
        reference = http.as_reference(one.get("reference"))
        result = _result(one, accepts=status != 400)
        results[reference] = Unknown("CM en dit deux choses") if reference in results else result
    silent = Unknown("CM n'en dit rien dans sa réponse")
    return [results.get(reference, silent) for reference in references]


def _of_the_call(answer: HttpAnswer, code: int | None) -> Result:
    status = answer.status
    if code in _NO_ACCESS and 200 <= status < 500 and status != 429:
        return NotSent(f"{_NO_ACCESS[code]} (réponse {status}, code {code})", answered=True)
    if status == 400 and code is not None:
        remark = f"CM refuse l'appel (réponse {status}, code {code})"
        return Refused(Failure.REJECTED, permanent=False, remark=remark)
    return http.read_status(answer, carrier=CmGateway.carrier, but=" sans parler des messages")


def _result(said: Mapping[str, Any], *, accepts: bool) -> Result:
    """Read what is said of one message; ``accepts``: the status of the call lets it be accepted."""
    status = http.as_text(said.get("status"), 20).lower()
    code = _code(said.get("messageErrorCode"))
    details = http.as_text(said.get("messageDetails"), 150)
    if accepts and status == "accepted" and code == 0:
        return Accepted("")
    if status != "rejected" or code is None:
        return Unknown("CM ne dit ni « Accepted » ni « Rejected »")
    if code in _NO_ACCESS:
        return NotSent(_NO_ACCESS[code], answered=True)
    return Refused(
        _REFUSALS.get(code, Failure.REJECTED),
        permanent=code not in _FOR_NOW,
        remark=http.as_remark(f"CM refuse (code {code}) {details}"),
    )


def _code(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


from_url = CmGateway.from_url
