"""SMS by SMPP 3.4."""

from notifications.gateways.smpp.gateway import SCHEMES, from_url

__all__ = ["SCHEMES", "from_url"]
