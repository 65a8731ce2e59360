"""Why a phone did not send an SMS, as android-sms-gateway puts it.

Sources: the app's ``MessagesService.resultToErrorMessage`` (« Send result: RESULT_… »),
``sendMessage`` and ``PhoneHelper``; what the RESULT_ names stand for: Android's reference of
``SmsManager``. « Delivery result from SC …: 70 » ends with TP-Status (3GPP TS 23.040,
9.2.3.15), of which the app reports 64 and more, the errors that are final.

What keeps our own phone from sending (no network, flight mode, a limit) will pass. Where Android
says so before anything goes to the radio, or once the network is gone, nothing left and the SMS is
tried again. A radio that resets, a failure without a cause (no credit, among others) and words that
nobody knows may stand for an SMS that left: that patient is called. Of these only the words that
nobody knows do not say that the next SMS would fare no better.
"""

import re
from typing import NamedTuple

from notifications.models.delivery import Failure
from notifications.models.receipt import ReceiptState

_RESULT = re.compile(r"RESULT_[A-Z_]+")
_STATUS = re.compile(r"^Delivery result from SC .*: (\d{1,3})$")

_IN_FRENCH = {
    "NO_SERVICE": "pas de réseau mobile sur le téléphone",
    "NETWORK_NOT_READY": "pas de réseau mobile sur le téléphone",
    "RADIO_OFF": "mode avion sur le téléphone",
    "RADIO_NOT_AVAILABLE": "radio du téléphone indisponible",
    "LIMIT_EXCEEDED": "limite d'envoi d'Android ou de l'opérateur atteinte : ralentir (tps)",
    "REQUEST_RATE_LIMITED": "limite d'envoi de la radio atteinte : ralentir (tps)",
    "GENERIC_FAILURE": "échec sans cause : crédit, réseau ou carte SIM à vérifier",
    "NO_DEFAULT_SMS_APP": "ni application de SMS ni SIM par défaut : option sim=1",
    "UNEXPECTED_EVENT_STOP_SENDING": "Android demandait une confirmation : ralentir (tps)",
    "SMS_BLOCKED_DURING_EMERGENCY": "appel d'urgence en cours sur le téléphone",
    "SIM_ABSENT": "pas de carte SIM",
    "NETWORK_REJECT": "refusé par le réseau mobile",
}
_NOTHING_LEFT = {
    "NO_SERVICE",
    "NETWORK_NOT_READY",
    "RADIO_OFF",
    "LIMIT_EXCEEDED",
    "REQUEST_RATE_LIMITED",
    "NO_DEFAULT_SMS_APP",
    "UNEXPECTED_EVENT_STOP_SENDING",
    "SMS_BLOCKED_DURING_EMERGENCY",
    "SIM_ABSENT",
}
_NO_SIM = "No SIMs found"
_IN_TROUBLE = _NOTHING_LEFT | {"RADIO_NOT_AVAILABLE", "GENERIC_FAILURE"}
_BARRED = {
    "FDN_CHECK_FAILURE",
    "SHORT_CODE_NOT_ALLOWED",
    "SHORT_CODE_NEVER_ALLOWED",
    "OPERATION_NOT_ALLOWED",
    "ACCESS_BARRED",
}
_VALIDITY_EXPIRED = 70
_REFUSED_STATUSES = {65, 66, 69, 71, 72, 73, 99}


class Cause(NamedTuple):
    """What came of a message that failed; the last two as in ``Receipt``."""

    state: ReceiptState
    failure: Failure
    remark: str
    temporary: bool = False
    in_trouble: bool = False


def cause_of(reason: str) -> Cause:
    """Return what a ``reason`` (webhook) or ``error`` (answer to a question) means.

    All our own phone's troubles are ``rejected``; of the patient's phone speak only the number,
    the barring and the delivery report.
    """
    state, failure = _read(reason)
    result = _result_in(reason)
    french = _IN_FRENCH.get(result, "")
    has_no_sim = _NO_SIM in reason
    return Cause(
        state,
        failure,
        f"{french} ({reason})"[:200] if french else reason[:200],
        temporary=result in _NOTHING_LEFT or has_no_sim,
        in_trouble=result in _IN_TROUBLE or has_no_sim,
    )


def _read(reason: str) -> tuple[ReceiptState, Failure]:
    if status := _STATUS.match(reason):
        return _of_status(int(status[1]))
    if "TTL expired" in reason:
        return ReceiptState.EXPIRED, Failure.EXPIRED
    if "Invalid phone number" in reason or "not seem to be a phone number" in reason:
        return ReceiptState.FAILED, Failure.INVALID_NUMBER
    if _result_in(reason) in _BARRED:
        return ReceiptState.FAILED, Failure.BARRED
    if reason.startswith("Delivery result"):
        return ReceiptState.FAILED, Failure.UNREACHABLE
    return ReceiptState.FAILED, Failure.REJECTED


def _of_status(status: int) -> tuple[ReceiptState, Failure]:
    if status == _VALIDITY_EXPIRED:
        return ReceiptState.EXPIRED, Failure.EXPIRED
    refused = status in _REFUSED_STATUSES
    return ReceiptState.FAILED, Failure.REJECTED if refused else Failure.UNREACHABLE


def _result_in(reason: str) -> str:
    """Return the name after RESULT_, RESULT_ERROR_ or RESULT_RIL_; empty for none."""
    found = _RESULT.search(reason)
    name = found[0].removeprefix("RESULT_") if found else ""
    return name.removeprefix("ERROR_").removeprefix("RIL_")
