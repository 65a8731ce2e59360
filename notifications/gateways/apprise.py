"""``apprise://…``: any of some hundred services, through the library Apprise. The last resort.

What follows ``apprise://`` is an Apprise URL in which ``{to}`` stands for the patient's number:
``apprise://twilio://SID:token@+32470000009/{to}``. For options of ours, percent-encode it, so that
its own ``?`` is not taken for ours: ``apprise://twilio%3A%2F%2FSID%3Atoken%40%2B32470000009%2F{to}?tps=1``.

Apprise answers yes or no, gives no id for a message and no receipts (``Apprise.notify``;
``apprise/result.py``). Yes is accepted, and counts as told. No is *unknown*: it may be a refusal, a
connection that was never made, or an answer that was lost after the service had sent the message.
If no service accepts the number (NOMATCH: nothing was attempted), the message is refused, since the
same URL was valid for another number. Apprise is synchronous: each message has a thread of a pool
as large as the window.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from notifications.gateways.base import (
    Accepted,
    Checked,
    Gateway,
    Message,
    OnReport,
    Options,
    Refused,
    Result,
    Unknown,
    invalid_url,
    parse_url,
)
from notifications.models import Failure

SCHEMES = ("apprise",)
_TO = "{to}"
_SOME_NUMBER = "+32470000000"
_GRACE_SECONDS = 5.0


class AppriseGateway(Gateway):
    """One Apprise object per message, since the number is part of the service's URL."""

    def __init__(self, *, options: Options, target: str, apprise: ModuleType) -> None:
        self._service = urlsplit(target).scheme or "?"
        super().__init__(name=f"apprise {self._service}", options=options)
        self._target = target
        self._apprise = apprise
        self._threads: ThreadPoolExecutor | None = None

    async def open(self, on_report: OnReport) -> None:
        self._threads = ThreadPoolExecutor(self.options.window, thread_name_prefix="apprise")

    async def close(self) -> None:
        """Leave the threads to end by themselves: one that hangs must not block us."""
        if self._threads:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None

    async def submit_one(self, message: Message) -> Result:
        running = asyncio.get_running_loop().run_in_executor(self._threads, self._send, message)
        try:
            return await asyncio.wait_for(running, self.options.timeout + _GRACE_SECONDS)
        except TimeoutError:
            return Unknown("pas de réponse (silence)")
        except Exception as error:  # some hundred plug-ins, each with its own errors
            return Unknown(f"pas de réponse ({type(error).__name__})")

    def _send(self, message: Message) -> Result:
        services = _services(self._apprise, self._target, message.to)
        if not services:
            return Refused(Failure.INVALID_NUMBER, remark="Apprise ne prend pas ce numéro")
        said = services.notify(body=message.text, timeout=self.options.timeout)
        return Accepted("") if said else Unknown("Apprise répond non, sans dire pourquoi")

    async def check(self) -> Checked:
        """Without sending, only show that Apprise understands the URL."""
        return Checked(
            usable=True,
            facts=[
                ("service", f"{self._service} (Apprise {self._apprise.__version__})"),
                ("accès", "ne se vérifie pas sans envoyer de SMS"),
                ("attention", "dernier recours : ni numéro de message, ni accusé"),
            ],
        )


def from_url(url: str) -> AppriseGateway:
    """Return the gateway that the URL describes.

    Raises:
        ImproperlyConfigured: Apprise is not installed, or does not understand its URL; no place
            for the number. The sentence holds no secret.
    """
    try:
        import apprise
    except ImportError as error:
        raise invalid_url(
            "apprise:// demande la bibliothèque Apprise ; installez-la avec « pip install apprise »"
        ) from error
    # Its warnings name patients' numbers ("the phone # specified (…) is invalid").
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    target = url.removeprefix("apprise://")
    is_encoded = "://" not in target
    given = parse_url(url if is_encoded else "apprise://", window="2")
    if is_encoded:
        target = unquote(given.parts.netloc + given.parts.path)
    if _TO not in target:
        raise invalid_url(
            "apprise:// ne dit pas où va le numéro du patient ; écrivez {to} à cette place dans "
            "l'URL d'Apprise"
        )
    if any(name == "retry" and value != "0" for name, value in parse_qsl(urlsplit(target).query)):
        raise invalid_url(
            "retry n'est pas possible dans l'URL d'Apprise : un patient recevrait deux fois le "
            "même SMS"
        )
    if not _services(apprise, target, _SOME_NUMBER):
        raise invalid_url(
            "Apprise ne comprend pas l'URL qui suit apprise:// ; vérifiez le nom du service et ses "
            "identifiants"
        )
    return AppriseGateway(options=given.options, target=target, apprise=apprise)


def _services(apprise: ModuleType, target: str, number: str) -> Any:
    """Return Apprise with the URL for one number; without a service if it does not understand it.

    Nothing is stored on the disk: a service's files would hold patients' numbers.
    """
    asset = apprise.AppriseAsset(storage_mode="memory", default_service_retry=0)
    services = apprise.Apprise(asset=asset)
    services.add(target.replace(_TO, quote(number, safe="")))
    return services
