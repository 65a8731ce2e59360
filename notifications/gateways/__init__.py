"""What carries SMS. Each module is one kind of gateway; ``SCHEMES`` names its URL schemes.

How to add a carrier: docs/gateways.md, "Adding a carrier".
"""

import logging
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from notifications.gateways.base import Accepted as Accepted
from notifications.gateways.base import Checked as Checked
from notifications.gateways.base import Gateway as Gateway
from notifications.gateways.base import HookRefused as HookRefused
from notifications.gateways.base import HookRequest as HookRequest
from notifications.gateways.base import Inbound as Inbound
from notifications.gateways.base import Message as Message
from notifications.gateways.base import NotSent as NotSent
from notifications.gateways.base import OnReport as OnReport
from notifications.gateways.base import Options as Options
from notifications.gateways.base import ReceiptReport as ReceiptReport
from notifications.gateways.base import Refused as Refused
from notifications.gateways.base import Report as Report
from notifications.gateways.base import Result as Result
from notifications.gateways.base import Sent as Sent
from notifications.gateways.base import Throttled as Throttled
from notifications.gateways.base import Unknown as Unknown
from notifications.gateways.base import invalid_url

logger = logging.getLogger(__name__)


@cache
def schemes() -> Mapping[str, str]:
    """Return the module of each URL scheme."""
    names = [f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__)]
    return {
        scheme: name for name in names for scheme in getattr(import_module(name), "SCHEMES", ())
    }


def gateway_from_url(url: str) -> Gateway:
    """Return the gateway that a URL describes.

    Raises:
        ImproperlyConfigured: unknown scheme or option; the sentence holds no secret.
    """
    scheme = urlsplit(url).scheme
    if scheme not in schemes():
        known = ", ".join(f"{name}://" for name in sorted(schemes()))
        raise invalid_url(f"genre de passerelle inconnu « {scheme} ». Possibles : {known}")
    gateway: Gateway = import_module(schemes()[scheme]).from_url(url)
    return gateway


def configured() -> list[Gateway]:
    """Return the gateways of ``SMS_GATEWAY_URL``, the preferred one first.

    Raises:
        ImproperlyConfigured: no URL, an invalid one, or two gateways with the same name.
    """
    gateways = [gateway_from_url(url) for url in settings.SMS_GATEWAY_URL.split()]
    if not gateways:
        return [gateway_from_url("")]  # its error lists what is possible
    if len({gateway.name for gateway in gateways}) < len(gateways):
        raise invalid_url("deux passerelles ont le même genre et la même machine")
    return gateways


def configured_sessions() -> list[Gateway]:
    """Return a gateway for each session that one process may hold: one, or what its URL allows.

    Raises:
        ImproperlyConfigured: as for ``configured``.
    """
    sessions = []
    for gateway, url in zip(configured(), settings.SMS_GATEWAY_URL.split(), strict=True):
        more = range(1, gateway.options.sessions)
        sessions += [gateway, *(gateway_from_url(url) for _ in more)]
    return sessions


def preferred() -> Gateway:
    """Return the first gateway, for estimates and display.

    While ``SMS_GATEWAY_URL`` is invalid, which is logged, one that has no settings: a bulletin can
    be written and previewed without a gateway.
    """
    try:
        return configured()[0]
    except ImproperlyConfigured as error:
        logger.warning("estimating without a gateway: %s", error)
        return Gateway(name="", options=Options())


def expected_seconds(gateway: Gateway, *, parts: int, messages: int) -> float:
    """Return how long SMS take at the rate of a gateway, or of the settings where it has none."""
    own_pace = gateway.options.seconds_for(parts=parts, messages=messages)
    return own_pace or parts / settings.SMS_PARTS_PER_SECOND
