"""The gateway that sends nothing."""

from contextlib import AbstractContextManager, nullcontext

from notifications.gateways import Gateway, gateway_from_url
from tests.notifications.gateways.conformance import Conforms


class TestConsole(Conforms):
    def gateway(self) -> AbstractContextManager[Gateway]:
        """Return the gateway; it has no peer."""
        return nullcontext(gateway_from_url("console://"))
