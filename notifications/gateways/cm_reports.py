"""What CM.com calls us with: status reports and patients' SMS.

Status reports (developers.cm.com, "Incoming Status Reports"), by POST of JSON, alone, as a list
of ``msg``, or as a list of all of this::

    {"messages": {"msg": {"received": "…", "to": "0032…", "reference": "…", "operator": "…",
                          "status": {"code": "3", "errorCode": "24", "errorDescription": "…"}}}}

or by GET with ``reference``, ``to``, ``statuscode``, ``errorcode``, ``errordescription``.
``code`` 0: taken by the operator, 1: rejected, 2: delivered, 3: failed. ``received`` says no
time zone, so it is not kept as a moment.

The error codes are those of CM's document "HTTP Status Report" (http_SR.pdf, section 4), as two
public clients of CM repeat them; others are a rejection with CM's words as its remark.

Replies ("Incoming Messages"), by POST of JSON::

    {"from": {"number": "0032…"}, "message": {"text": "STOP"}, "timeUtc": "2022-05-15T18:30:00",
     "channel": "SMS", "reference": "…"}

and in the form of before, with ``"from": "0032…"`` and ``"body": "STOP"``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from notifications.gateways import wire
from notifications.gateways.interface import HookRefused, HookRequest, Inbound, Receipt, Report
from notifications.models.delivery import Failure
from notifications.models.receipt import ReceiptState

MOST_REPORTS = 1000
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


def read_call(request: HookRequest) -> Sequence[Report]:
    """Return the reports in a call; what cannot be read is left out.

    Raises:
        HookRefused: more than 1,000 reports, or none that can be read.
    """
    if request.method == "GET":
        items = [_from_query(request.query)]
    else:
        said = wire.json_of(request.body)
        items = [item for one in _listed(said) for item in _inside(wire.fields_of(one))]
    if len(items) > MOST_REPORTS:
        raise HookRefused(f"more than {MOST_REPORTS} reports")
    reports = [report for item in items if (report := _report(wire.fields_of(item)))]
    if not reports:
        raise HookRefused("nothing in it that can be read")
    return reports


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _inside(said: Mapping[str, Any]) -> list[Any]:
    if "messages" in said:
        return [
            item
            for messages in _listed(said["messages"])
            for item in _listed(wire.fields_of(messages).get("msg"))
        ]
    return [said]


def _from_query(query: Mapping[str, str]) -> dict[str, Any]:
    said = {name.lower(): value for name, value in query.items()}
    status = {
        "code": said.get("statuscode"),
        "errorCode": said.get("errorcode"),
        "errorDescription": said.get("errordescription"),
    }
    return {"reference": said.get("reference"), "to": said.get("to"), "status": status}


def _report(said: Mapping[str, Any]) -> Report | None:
    return _receipt(said) if "status" in said else _inbound(said)


def _receipt(said: Mapping[str, Any]) -> Receipt | None:
    status = wire.fields_of(said["status"])
    reference = wire.reference(said.get("reference"))
    state = _STATES.get(wire.word(status.get("code"), 2))
    if state is None or not reference:
        return None
    error = wire.word(status.get("errorCode"), 20)
    description = wire.word(status.get("errorDescription"), wire.LONGEST_REMARK)
    failure: Failure | str = ""
    if state == ReceiptState.FAILED:
        failure = _FAILURES.get(error, Failure.REJECTED)
        state = ReceiptState.EXPIRED if error == _EXPIRED else state
    words = f"code {error} {description}" if error not in ("", "0") else description
    return Receipt(
        state=state,
        reference=reference,
        phone=wire.phone(said.get("to")),
        failure=failure,
        remark=words.strip()[: wire.LONGEST_REMARK].rstrip(),
    )


def _inbound(said: Mapping[str, Any]) -> Inbound | None:
    sender, message = said.get("from"), wire.fields_of(said.get("message"))
    number = sender.get("number") if isinstance(sender, dict) else sender
    phone = wire.phone(number)
    text = wire.word(message.get("text", said.get("body")), wire.LONGEST_TEXT)
    if not phone or not text:
        return None
    return Inbound(phone=phone, text=text, happened_at=wire.moment(said.get("timeUtc")))
