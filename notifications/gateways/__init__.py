"""What carries SMS. Each module here is one kind; it names its URL schemes in ``SCHEMES``.

Adding a kind is one file here with ``SCHEMES`` and ``from_url(url)``, and one test file that
runs the conformance suite.
"""

import logging
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from notifications.gateways.interface import (
    Accepted,
    Checked,
    Gateway,
    HookRefused,
    HookRequest,
    Inbound,
    Message,
    NotSent,
    OnReport,
    Receipt,
    Refused,
    Report,
    Result,
    Sent,
    Throttled,
    Unknown,
)
from notifications.gateways.options import Options

__all__ = [
    "Accepted",
    "Checked",
    "Gateway",
    "HookRefused",
    "HookRequest",
    "Inbound",
    "Message",
    "NotSent",
    "OnReport",
    "Options",
    "Receipt",
    "Refused",
    "Report",
    "Result",
    "Sent",
    "Throttled",
    "Unknown",
    "configured",
    "gateway_from_url",
    "preferred",
    "schemes",
]

logger = logging.getLogger(__name__)


@cache
def schemes() -> Mapping[str, str]:
    """Return the module of each URL scheme."""
    names = [f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__)]
    return {
        scheme: name for name in names for scheme in getattr(import_module(name), "SCHEMES", ())
    }


def gateway_from_url(url: str) -> Gateway:
    """Return the gateway that a URL names.

    Raises:
        ImproperlyConfigured: unknown scheme or option; the sentence holds no secret.
    """
    scheme = urlsplit(url).scheme
    if scheme not in schemes():
        known = ", ".join(f"{name}://" for name in sorted(schemes()))
        raise ImproperlyConfigured(
            f"SMS_GATEWAY_URL : genre de passerelle inconnu « {scheme} ». Possibles : {known}."
        )
    gateway: Gateway = import_module(schemes()[scheme]).from_url(url)
    return gateway


def configured() -> list[Gateway]:
    """Return the gateways of ``SMS_GATEWAY_URL``, the preferred one first.

    Raises:
        ImproperlyConfigured: no URL, a bad one, or two that would bear the same name.
    """
    gateways = [gateway_from_url(url) for url in settings.SMS_GATEWAY_URL.split()]
    if not gateways:
        return [gateway_from_url("")]  # which says what is possible
    if len({gateway.name for gateway in gateways}) < len(gateways):
        raise ImproperlyConfigured(
            "SMS_GATEWAY_URL : deux passerelles ont le même genre et la même machine."
        )
    return gateways


def preferred() -> Gateway | None:
    """Return the first gateway; None while ``SMS_GATEWAY_URL`` cannot be read, which is logged.

    For what is only reckoned or shown: a bulletin is written, and previewed, all the same.
    """
    try:
        return configured()[0]
    except ImproperlyConfigured as error:
        logger.warning("reckoned without a gateway: %s", error)
        return None
