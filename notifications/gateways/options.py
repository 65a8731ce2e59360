"""The options that every gateway's URL may carry, read strictly.

``?tps=20&mps=10&window=50&timeout=15&cap=50000&sessions=1&sender=Vivalia&hook=…&from=…&key=…``
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from urllib.parse import SplitResult, parse_qsl, urlsplit

from django.core.exceptions import ImproperlyConfigured

SHORTEST_HOOK = 16
ANYWHERE = "any"


@dataclass(frozen=True)
class Options:
    """What an operator sets for one gateway.

    Attributes:
        parts_per_second: SMS parts, over all workers; None for as fast as it answers.
        messages_per_second: the same for messages.
        window: messages given to it at once, by each worker.
        timeout: seconds without an answer.
        parts_per_day: cap for one day of the hospital; None for none.
        sessions: how many workers may be connected at once; 0 for any number.
        sender: what phones show, where the network lets it.
        hook: the secret part of the address that the gateway calls; empty for none.
        hook_from: networks that may call it; empty for any, which has to be asked for by
            ``from=any`` where its calls are not signed either.
        key: what the gateway signs its calls with.
    """

    parts_per_second: float | None = None
    messages_per_second: float | None = None
    window: int = 20
    timeout: float = 15.0
    parts_per_day: int | None = None
    sessions: int = 0
    sender: str = ""
    hook: str = ""
    hook_from: tuple[IPv4Network | IPv6Network, ...] = ()
    key: str = ""

    def seconds_for(self, *, parts: int, messages: int) -> float:
        """Return how long messages take at the rate that was set; 0 without one."""
        by_parts = parts / self.parts_per_second if self.parts_per_second else 0.0
        by_messages = messages / self.messages_per_second if self.messages_per_second else 0.0
        return max(by_parts, by_messages, 0.0)


_COMMON = {
    "tps": "",
    "mps": "",
    "window": "20",
    "timeout": "15",
    "cap": "",
    "sessions": "0",
    "sender": "",
    "hook": "",
    "from": "",
    "key": "",
}


@dataclass(frozen=True)
class GatewayUrl:
    """A gateway's URL in its parts; ``own`` are the options that only this kind knows."""

    parts: SplitResult
    options: Options
    own: Mapping[str, str]

    @property
    def host(self) -> str:
        """Host and port, without user and password."""
        return self.parts.netloc.rpartition("@")[2]


def read(url: str, *, own: Mapping[str, str] | None = None, **defaults: str) -> GatewayUrl:
    """Return a gateway's URL, taken apart.

    Args:
        url: as configured.
        own: the options of this kind of gateway, with their defaults.
        **defaults: other defaults of this kind for the common options.

    Raises:
        ImproperlyConfigured: an unknown or senseless option; the sentence holds no secret.
    """
    parts = urlsplit(url)
    known = _COMMON | defaults | dict(own or {})
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(set(given) - set(known)):
        raise ImproperlyConfigured(
            f"SMS_GATEWAY_URL : option inconnue {', '.join(unknown)}. "
            f"Possibles : {', '.join(known)}."
        )
    values = known | given
    return GatewayUrl(
        parts=parts, options=_options(values), own={name: values[name] for name in own or {}}
    )


def _options(values: Mapping[str, str]) -> Options:
    if values["hook"] and len(values["hook"]) < SHORTEST_HOOK:
        raise ImproperlyConfigured(
            f"SMS_GATEWAY_URL : hook compte au moins {SHORTEST_HOOK} caractères : il tient lieu "
            "de mot de passe."
        )
    if values["hook"] and not (values["from"] or values["key"]):
        raise ImproperlyConfigured(
            "SMS_GATEWAY_URL : hook va avec from (les adresses ou réseaux d'où la passerelle "
            "appelle) ou avec key (ce qui signe ses appels). from=any laisse appeler de partout : "
            "le secret de l'adresse est alors la seule protection."
        )
    callers = "" if values["from"] == ANYWHERE else values["from"]
    try:
        return Options(
            parts_per_second=positive(values["tps"]) if values["tps"] else None,
            messages_per_second=positive(values["mps"]) if values["mps"] else None,
            window=max(1, int(positive(values["window"]))),
            timeout=positive(values["timeout"]),
            parts_per_day=int(values["cap"]) if values["cap"] else None,
            sessions=int(values["sessions"]),
            sender=values["sender"],
            hook=values["hook"],
            hook_from=tuple(ip_network(one) for one in callers.split(",") if one),
            key=values["key"],
        )
    except ValueError as error:
        raise ImproperlyConfigured(
            "SMS_GATEWAY_URL : tps, mps, window et timeout sont des nombres positifs, cap et "
            "sessions des nombres entiers, from des adresses ou des réseaux, ou any."
        ) from error


def positive(text: str) -> float:
    """Return a number between 0.1 and 10,000.

    Raises:
        ValueError: it is not one.
    """
    number = float(text)
    if not 0.1 <= number <= 10_000:
        raise ValueError(text)
    return number
