"""What the SMSC's answers mean for a message (command_status: SMPP 3.4, 5.1.3).

An answer with a status says that the message was not accepted, so a retry sends it to nobody
twice. A refusal is permanent if its reason lies in the number or in this text. One that lies in
settings (sender, service type) is temporary: a wrong setting, corrected in ten minutes, must not
put thousands of patients on the call list. Vendor codes (0x400 to 0x4FF) have no known meaning:
the message is retried. Any other status is unknown.
"""

import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from smpplib import consts

from notifications.gateways.base import (
    Accepted,
    NotSent,
    Refused,
    Result,
    Throttled,
    Unknown,
)
from notifications.models.delivery import Failure


class Silence(Enum):
    """Why a request has no answer."""

    TIMED_OUT = "pas de réponse à temps"
    LOST = "connexion rompue avant la réponse"
    NOT_WRITTEN = "pas de connexion"


@dataclass(frozen=True, slots=True)
class SubmitResp:
    """An answer to one submission."""

    status: int
    message_id: str = ""


PartOutcome = SubmitResp | Silence

NOT_BOUND = consts.SMPP_ESME_RINVBNDSTS
NOT_NOW: int = consts.SMPP_ESME_RX_T_APPN
NEVER: int = consts.SMPP_ESME_RX_P_APPN
UNKNOWN_COMMAND = consts.SMPP_ESME_RINVCMDID
SLOW_DOWN = {consts.SMPP_ESME_RTHROTTLED, consts.SMPP_ESME_RMSGQFUL}
WRONG_ACCESS = {
    consts.SMPP_ESME_RINVPASWD,
    consts.SMPP_ESME_RINVSYSID,
    consts.SMPP_ESME_RINVSYSTYP,
}
_NO_ACCESS = {NOT_BOUND, consts.SMPP_ESME_RBINDFAIL} | WRONG_ACCESS
_INVALID_NUMBER = {consts.SMPP_ESME_RINVDSTADR}
_FOR_NOW = {
    consts.SMPP_ESME_RSYSERR,
    consts.SMPP_ESME_RSUBMITFAIL,
    consts.SMPP_ESME_RX_T_APPN,
    consts.SMPP_ESME_RDELIVERYFAILURE,
    # settings of ours or theirs
    consts.SMPP_ESME_RINVSRCADR,
    consts.SMPP_ESME_RINVSRCTON,
    consts.SMPP_ESME_RINVSRCNPI,
    consts.SMPP_ESME_RINVDSTTON,
    consts.SMPP_ESME_RINVDSTNPI,
    consts.SMPP_ESME_RINVSERTYP,
    consts.SMPP_ESME_RINVREGDLVFLG,
    consts.SMPP_ESME_RINVEXPIRY,
}
_FOR_GOOD = {
    consts.SMPP_ESME_RINVMSGLEN,
    consts.SMPP_ESME_RINVCMDLEN,
    consts.SMPP_ESME_RINVCMDID,
    consts.SMPP_ESME_RINVPRTFLG,
    consts.SMPP_ESME_RINVESMCLASS,
    consts.SMPP_ESME_RINVREPFLAG,
    consts.SMPP_ESME_RINVSCHED,
    consts.SMPP_ESME_RINVDFTMSGID,
    consts.SMPP_ESME_RX_P_APPN,
    consts.SMPP_ESME_RX_R_APPN,
    consts.SMPP_ESME_RINVOPTPARSTREAM,
    consts.SMPP_ESME_ROPTPARNOTALLWD,
    consts.SMPP_ESME_RINVPARLEN,
    consts.SMPP_ESME_RMISSINGOPTPARAM,
    consts.SMPP_ESME_RINVOPTPARAMVAL,
}
_VENDOR = range(0x400, 0x500)
_NAMES = {
    value: name.removeprefix("SMPP_")
    for name, value in vars(consts).items()
    if name.startswith("SMPP_ESME_")
}
_COMPLAINTS = {
    consts.SMPP_ESME_RINVPASWD: "mot de passe refusé : vérifiez-le dans SMS_GATEWAY_URL",
    consts.SMPP_ESME_RINVSYSID: "nom d'utilisateur (system_id) inconnu : vérifiez-le",
    consts.SMPP_ESME_RINVSYSTYP: "system_type refusé : vérifiez-le auprès de l'opérateur",
    consts.SMPP_ESME_RALYBND: "déjà connecté : une autre machine ou une ancienne connexion "
    "occupe l'accès",
    consts.SMPP_ESME_RBINDFAIL: "connexion refusée (bind) : accès, adresse IP ou nombre de "
    "connexions à vérifier auprès de l'opérateur",
}


def named(status: int) -> str:
    """Return a status with its name, as the operator's help desk knows it."""
    return f"0x{status:08X} {_NAMES.get(status, '')}".strip()


def complaint_of_bind(status: int) -> str:
    """Return in French why the bind was refused."""
    return f"{_COMPLAINTS.get(status, 'connexion refusée (bind)')} ({named(status)})"


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


def read_answers(outcomes: Sequence[PartOutcome], retry_after: float) -> Result:
    """Return what the answers to all parts of one message mean together.

    All accepted: accepted. None accepted: the answer to the first part that has one. Some
    accepted and others not: unknown, because the patient may hold half a message.

    Args:
        outcomes: one for each part, in their order.
        retry_after: seconds to wait when throttled; the SMSC names none.
    """
    answers = [one for one in outcomes if isinstance(one, SubmitResp)]
    ids = [one.message_id for one in answers if not one.status]
    if len(ids) == len(outcomes):
        return Accepted(ids[0], tuple(ids[1:]))
    if ids:
        numbers = f"{len(ids)} parties sur {len(outcomes)} acceptées"
        return Unknown(f"{numbers}, le patient a peut-être un morceau : {_worst(outcomes)}")
    if Silence.TIMED_OUT in outcomes or Silence.LOST in outcomes:
        return Unknown(_worst(outcomes))
    if not answers:
        return NotSent(_worst(outcomes))
    said = [read_status(one.status, retry_after) for one in answers]
    return next((one for one in said if isinstance(one, Unknown)), said[0])


def read_status(status: int, retry_after: float) -> Result:
    """Return what a status other than 0 says of a message."""
    remark = f"réponse {named(status)}"
    if status in SLOW_DOWN:
        return Throttled(retry_after)
    if status in _NO_ACCESS:
        return NotSent(remark, answered=status in WRONG_ACCESS)
    if status in _INVALID_NUMBER:
        return Refused(Failure.INVALID_NUMBER, remark=remark)
    if status in _FOR_GOOD:
        return Refused(Failure.REJECTED, remark=remark)
    if status in _FOR_NOW or status in _VENDOR:
        return Refused(Failure.REJECTED, permanent=False, remark=remark)
    return Unknown(remark)


def _worst(outcomes: Sequence[PartOutcome]) -> str:
    for silence in Silence:
        if silence in outcomes:
            return silence.value
    answers = (one for one in outcomes if isinstance(one, SubmitResp) and one.status)
    return f"réponse {named(next(answers).status)}"


class Backoff:
    """How long to wait when the SMSC throttles without naming a time: longer each time.

    Further "too fast" answers to what was sent before the last one do not count.
    """

    FIRST, LONGEST = 1.0, 60.0

    def __init__(self) -> None:
        self._seconds = 0.0
        self._since = float("-inf")

    @property
    def retry_after(self) -> float:
        """Seconds to wait now."""
        return self._seconds or self.FIRST

    def throttled(self, *, sent_at: float, now: float) -> None:
        """Double the wait, unless the message was sent before the last wait began."""
        if sent_at > self._since:
            self._seconds = min(self._seconds * 2 or self.FIRST, self.LONGEST)
            self._since = now

    def accepted(self, *, sent_at: float) -> None:
        """Reset, once a message that was sent after the last wait was accepted."""
        if self._seconds and sent_at > self._since + self._seconds:
            self._seconds = 0.0
