"""``cm+https://``: CM.com, Business Messaging API, many messages a call.

``cm+https://:product-token@gw.cmtelecom.com/v1.0/message?sender=Vivalia&batch=100&hook=…&from=…``
posts JSON with at most ``batch`` messages (CM takes 1,000; fewer make a pause quicker). ``window``
is in messages too, so five calls of a hundred are under way at once unless it is set otherwise.
``cm+http://`` is for a relay in the house. Facts from developers.cm.com (Business Messaging API:
"Responses & Errors – JSON") and from CM's own client libraries (github.com/cmdotcom,
text-sdk-dotnet: Message.cs, TextClientStatusCode.cs). Nothing there says that a reference sent
twice is sent to the patient once.

Only the channel SMS is allowed, so that nothing goes over a network where it stays readable;
``"type": "auto"`` lets CM choose GSM-7 or UCS-2; up to 8 parts, so that no text is cut. What is of
use for less than a day says so in whole minutes (``validity``; CM knows no seconds).

The answer says for each message, under our reference, whether it was accepted, and for the call
an ``errorCode``: 101 to 103 (account, balance, key) mean that nothing was taken. 429, and 503
with Retry-After: too fast. Other 3xx and 4xx: not let in. Everything else, and a message that
the answer does not speak of: unknown.

Receipts and replies: ``cm_reports``.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from django.core.exceptions import ImproperlyConfigured
from yarl import URL

from notifications.gateways import cm_reports, wire
from notifications.gateways.http_client import (
    Answer,
    HttpClient,
    address,
    is_from_the_gateway,
    reach,
    retry_after,
)
from notifications.gateways.interface import (
    Accepted,
    Checked,
    Gateway,
    HookRequest,
    Message,
    NotSent,
    OnReport,
    Refused,
    Report,
    Result,
    Throttled,
    Unknown,
)
from notifications.gateways.options import Options, read
from notifications.models.delivery import Failure

SCHEMES = ("cm+https", "cm+http")
LARGEST_BATCH = 1000
MOST_PARTS = 8
_NO_ACCESS = {
    101: "compte inconnu de CM",
    102: "solde épuisé chez CM",
    103: "jeton refusé par CM",
}
# A setting that can be mended, or a fault of CM's own: worth another try.
_FOR_NOW = {201, 202, 203, 301, 500, 999}
_FAILURES = {
    302: Failure.INVALID_NUMBER,
    303: Failure.INVALID_NUMBER,
    402: Failure.BARRED,
}


class CmGateway(Gateway):
    """One POST for each batch of messages."""

    def __init__(self, *, name: str, options: Options, url: URL, token: str, batch: int) -> None:
        super().__init__(name=name, options=options)
        self._url = url
        self._token = token
        self._client = HttpClient(options)
        self.batch = batch
        self.has_receipts = bool(options.hook)

    async def open(self, on_report: OnReport) -> None:
        """Open the session whose connections are shared by all batches."""
        await self._client.open()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def submit(self, messages: Sequence[Message]) -> Sequence[Result]:
        """Post the messages in one call."""
        content = self._envelope([self._message(message) for message in messages])
        answer = await self._client.exchange("POST", self._url, json=content)
        if not isinstance(answer, Answer):
            return [answer] * len(messages)
        return read_answer(answer, [message.reference for message in messages])

    def _envelope(self, messages: list[dict[str, Any]]) -> dict[str, Any]:
        return {"messages": {"authentication": {"productToken": self._token}, "msg": messages}}

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

    async def check(self) -> Checked:
        """Post a call without messages, and see whether CM complains of more than that."""
        checked, answer = await reach(self._client, "POST", self._url, json=self._envelope([]))
        if not checked.usable or answer is None:
            return checked
        said = wire.fields_of(wire.json_of(answer.body))
        code = _code(said.get("errorCode"))
        if code in _NO_ACCESS:
            complaint = f"Accès refusé, {_NO_ACCESS[code]} : vérifiez SMS_GATEWAY_URL et le compte."
            return Checked(usable=False, facts=checked.facts, complaint=complaint)
        if code is None:
            complaint = "Cette adresse ne répond pas comme CM : vérifiez le chemin (/v1.0/message)."
            return Checked(usable=False, facts=checked.facts, complaint=complaint)
        receipts = "par le hook" if self.has_receipts else "non : ajoutez hook="
        facts = [*checked.facts, ("accès", "non refusé"), ("accusés", receipts)]
        return Checked(usable=True, facts=facts)

    def read_hook(self, request: HookRequest) -> Sequence[Report]:
        """Read status reports and replies; the formats are in ``cm_reports``.

        Raises:
            HookRefused: nothing in it that can be read.
        """
        return cm_reports.read_call(request)


def read_answer(answer: Answer, references: Sequence[str]) -> list[Result]:
    """Return what an answer means for each message of a call.

    Args:
        answer: as received, possibly garbage.
        references: of the messages, in their order.
    """
    said = wire.fields_of(wire.json_of(answer.body))
    if _speaks_of_messages(answer.status, said):
        each = _by_reference(said["messages"], taken=answer.status != 400)
        silent = Unknown("CM n'en dit rien dans sa réponse")
        return [each.get(reference, silent) for reference in references]
    return [_of_the_call(answer, _code(said.get("errorCode")))] * len(references)


def _speaks_of_messages(status: int, said: Mapping[str, Any]) -> bool:
    listed = said.get("messages")
    return (200 <= status < 300 or status == 400) and isinstance(listed, list) and bool(listed)


def _of_the_call(answer: Answer, code: int | None) -> Result:
    status = answer.status
    if status == 429 or (status == 503 and "Retry-After" in answer.headers):
        return Throttled(retry_after(answer.headers))
    if code in _NO_ACCESS and 200 <= status < 500:
        return NotSent(f"{_NO_ACCESS[code]} (réponse {status}, code {code})", answered=True)
    if status == 400 and code is not None:
        remark = f"CM refuse l'appel (réponse {status}, code {code})"
        return Refused(Failure.REJECTED, permanent=False, remark=remark)
    if 300 <= status < 500:
        remark = f"CM répond {status} : vérifiez son adresse et l'accès"
        return NotSent(remark, answered=is_from_the_gateway(status))
    return Unknown(f"CM répond {status} sans parler des messages")


def _by_reference(listed: Sequence[Any], *, taken: bool) -> dict[str, Result]:
    """Read what is said of each; where two things are said of one, nothing is certain.

    Args:
        listed: ``messages`` of the answer.
        taken: the answer's status lets some be accepted.
    """
    said = [wire.fields_of(one) for one in listed]
    named = [(wire.reference(one.get("reference")), one) for one in said]
    times = Counter(reference for reference, _one in named)
    return {
        reference: _result(one, taken=taken)
        if times[reference] == 1
        else Unknown("CM en dit deux choses")
        for reference, one in named
    }


def _result(said: Mapping[str, Any], *, taken: bool) -> Result:
    status = wire.word(said.get("status"), 20).lower()
    code = _code(said.get("messageErrorCode"))
    details = wire.word(said.get("messageDetails"), 150)
    if taken and status == "accepted" and code == 0:
        return Accepted("")
    if status != "rejected" or code is None:
        return Unknown("CM ne dit ni « Accepted » ni « Rejected »")
    if code in _NO_ACCESS:
        return NotSent(_NO_ACCESS[code], answered=True)
    remark = f"CM refuse (code {code}) {details}".strip()[: wire.LONGEST_REMARK]
    failure = _FAILURES.get(code, Failure.REJECTED)
    return Refused(failure, permanent=code not in _FOR_NOW, remark=remark)


def _code(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def from_url(url: str) -> CmGateway:
    """Return the gateway that the URL describes.

    Raises:
        ImproperlyConfigured: an unknown or senseless option; the sentence holds no secret.
    """
    given = read(url, own={"batch": "100"}, window="500")
    options = given.options
    token = unquote(given.parts.password or given.parts.username or "")
    if not token:
        raise ImproperlyConfigured("SMS_GATEWAY_URL : il manque le jeton (product token) de CM.")
    if not options.sender:
        raise ImproperlyConfigured("SMS_GATEWAY_URL : CM demande un expéditeur : sender=…")
    if options.key:
        raise ImproperlyConfigured(
            "SMS_GATEWAY_URL : CM ne signe pas ses appels, key n'y sert à rien : "
            "utilisez hook et from."
        )
    return CmGateway(
        name=f"cm {given.host}",
        options=options,
        url=address(given, given.parts.scheme.removeprefix("cm+")),
        token=token,
        batch=min(_batch(given.own["batch"]), options.window),
    )


def _batch(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:5]) <= LARGEST_BATCH):
        raise ImproperlyConfigured(f"SMS_GATEWAY_URL : batch est un nombre de 1 à {LARGEST_BATCH}.")
    return int(text)
