"""What the URL of an SMSC says; the options are described in ``smpp``."""

import ssl
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import SplitResult, unquote

from django.core.exceptions import ImproperlyConfigured

from notifications.gateways.options import Options, read
from notifications.gateways.smpp.link import Access
from notifications.sms_text import Alphabet

PORT = 2775  # IANA: smpp
_OWN = {
    "system_type": "",
    "source_ton": "",
    "source_npi": "",
    "long": "udh",
    "alphabet": "gsm7",
    "bind": "transceiver",
    "validity": "",
    "receipts": "1",
    "long_receipts": "each",
    "ca": "",
}
_CHOICES = {
    "long": ("udh", "payload"),
    "alphabet": ("gsm7", "latin1"),
    "bind": ("transceiver", "transmitter"),
    "receipts": ("1", "0"),
    "long_receipts": ("each", "one"),
}
_LONGEST = {"system_id": 15, "password": 8, "system_type": 12}  # SMPP 3.4, 5.2.1 to 5.2.3
_LONGEST_NAME, _LONGEST_NUMBER = 11, 20
_MOST_WINDOW = 1_000
_MOST_MINUTES = 7 * 24 * 60
_ALPHANUMERIC, _INTERNATIONAL, _UNKNOWN, _ISDN = 5, 1, 0, 1  # 5.2.5 TON, 5.2.6 NPI


@dataclass(frozen=True)
class Settings:
    """How messages are submitted.

    Attributes:
        access: to what and as whom.
        receipts: ask for them.
        reports_one_part: of a long message only one part is ever reported.
        whole: long texts leave in one piece, as message_payload.
        alphabet: ``gsm7`` or ``latin1``.
        source_ton: of the sender; None to tell it from the sender.
        source_npi: the same.
        validity: minutes for which the SMSC tries; None for what it does by itself.
    """

    access: Access
    receipts: bool = True
    reports_one_part: bool = False
    whole: bool = False
    alphabet: Alphabet = "gsm7"
    source_ton: int | None = None
    source_npi: int | None = None
    validity: int | None = None


def read_url(url: str) -> tuple[Options, Settings]:
    """Return what a URL says.

    Raises:
        ImproperlyConfigured: an unknown or senseless option; the sentence holds no secret.
    """
    given = read(url, own=_OWN, window="50", sessions="1")
    own, parts = given.own, given.parts
    for name, choices in _CHOICES.items():
        _one_of(name, own[name], choices)
    if given.options.window > _MOST_WINDOW:
        raise _refused(f"window va de 1 à {_MOST_WINDOW}")
    _check_sender(given.options.sender)
    settings = Settings(
        access=_access(parts, own["system_type"], own["bind"], own["ca"]),
        receipts=own["receipts"] == "1",
        reports_one_part=own["long_receipts"] == "one",
        whole=own["long"] == "payload",
        alphabet="latin1" if own["alphabet"] == "latin1" else "gsm7",
        source_ton=_small("source_ton", own["source_ton"], 6),
        source_npi=_small("source_npi", own["source_npi"], 18),
        validity=_validity(own["validity"]),
    )
    return given.options, settings


@lru_cache(maxsize=64)
def address_of(sender: str, settings: Settings) -> tuple[str, int, int]:
    """Return a sender as SMPP takes it: address, type of number, numbering plan.

    Args:
        sender: a name of at most 11 letters (accents are taken off), a number, or empty for
            what the operator sets.
        settings: may name type and plan.
    """
    plain = unicodedata.normalize("NFKD", sender).encode("ascii", "ignore").decode()
    digits = plain.removeprefix("+")
    if not plain:
        address, ton, npi = "", _UNKNOWN, _UNKNOWN
    elif digits.isdigit():
        address, ton, npi = digits[:_LONGEST_NUMBER], _INTERNATIONAL, _ISDN
    else:
        address, ton, npi = plain[:_LONGEST_NAME], _ALPHANUMERIC, _UNKNOWN
    return (
        address,
        ton if settings.source_ton is None else settings.source_ton,
        npi if settings.source_npi is None else settings.source_npi,
    )


def _access(parts: SplitResult, system_type: str, bind: str, ca: str) -> Access:
    system_id, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not parts.hostname:
        raise _refused("il manque le nom de la machine")
    if not system_id or parts.password is None:
        raise _refused("il manque l'utilisateur ou le mot de passe")
    values = {"system_id": system_id, "password": password, "system_type": system_type}
    for name, value in values.items():
        if len(value) > _LONGEST[name] or not value.isascii() or not value.isprintable():
            what = {"system_id": "l'utilisateur", "password": "le mot de passe"}.get(name, name)
            raise _refused(
                f"{what} compte au plus {_LONGEST[name]} caractères sans accents (SMPP 3.4)"
            )
    if parts.path not in ("", "/"):
        raise _refused("rien ne suit le port, sinon « ? » et les options")
    return Access(
        host=parts.hostname,
        port=_port(parts),
        system_id=system_id,
        password=password,
        system_type=system_type,
        bind=bind,
        tls=_tls(parts.scheme, ca),
    )


def _port(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError as error:
        raise _refused("le port va de 1 à 65535") from error
    if port is None and parts.scheme == "smpps":
        raise _refused("indiquez le port : aucun n'est d'usage pour smpps")
    return PORT if port is None else port


def _tls(scheme: str, ca: str) -> ssl.SSLContext | None:
    if scheme != "smpps":
        if ca:
            raise _refused("ca ne va qu'avec smpps://")
        return None
    try:
        return ssl.create_default_context(cafile=ca or None)
    except OSError as error:
        raise _refused("ca : ce fichier de certificats ne peut pas être lu") from error


def _check_sender(sender: str) -> None:
    digits = sender.removeprefix("+")
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= 15
    is_name = sender.isascii() and sender.isprintable() and len(sender) <= _LONGEST_NAME
    if sender and not is_name and not is_number:
        raise _refused(
            f"sender est un nom de {_LONGEST_NAME} caractères au plus, sans accents, ou un numéro "
            "de 15 chiffres au plus"
        )


def _one_of(name: str, value: str, choices: Collection[str]) -> None:
    if value not in choices:
        raise _refused(f"{name} vaut {' ou '.join(choices)}")


def _small(name: str, text: str, most: int) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text) <= most):
        raise _refused(f"{name} est un nombre de 0 à {most}")
    return int(text)


def minutes_of_use(settings: Settings, lasts: int | None) -> int | None:
    """Return for how many minutes the SMSC is to try: what is set, or less; None for no limit.

    Args:
        settings: with what the operator set.
        lasts: seconds for which the message is of use; None for long. Whole fives of minutes are
            asked for, so that many messages share one form.
    """
    if lasts is None:
        return settings.validity
    minutes = max(1, lasts // 300 * 5)
    return min(minutes, settings.validity or minutes)


def _validity(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_MINUTES):
        raise _refused(f"validity est un nombre de minutes de 1 à {_MOST_MINUTES}")
    return int(text)


def _refused(why: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"SMS_GATEWAY_URL : {why}.")
