"""The options that every gateway's URL may carry: which addresses may call its hook."""

from ipaddress import ip_network

import pytest
from django.core.exceptions import ImproperlyConfigured

from notifications.gateways import Options, gateway_from_url

SECRET = "a-secret-path-of-ours"


def options(query: str) -> Options:
    """Return what a URL with this query sets."""
    return gateway_from_url(f"https+json://sms.example.org/send?{query}").options


@pytest.mark.parametrize("more", ["", "&from=", "&key=", "&from=&key="])
def test_a_hook_that_anybody_may_call_unsigned_is_refused_unless_asked_for(more: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="hook va avec from .* ou avec key") as refused:
        options(f"hook={SECRET}{more}")
    assert "from=any" in str(refused.value)
    assert SECRET not in str(refused.value)


def test_a_hook_may_be_called_from_the_addresses_that_are_named() -> None:
    found = options(f"hook={SECRET}&from=203.0.113.7,2001:db8::/32")
    assert found.hook_from == (ip_network("203.0.113.7"), ip_network("2001:db8::/32"))


def test_signed_calls_may_come_from_anywhere() -> None:
    found = options(f"hook={SECRET}&key=k")
    assert (found.hook_from, found.key) == ((), "k")


def test_any_lets_everybody_call() -> None:
    assert options(f"hook={SECRET}&from=any").hook_from == ()


@pytest.mark.parametrize("callers", ["anywhere", "any,203.0.113.7", "203.0.113.7/8"])
def test_what_is_no_address_is_refused(callers: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="from des adresses ou des réseaux, ou any"):
        options(f"hook={SECRET}&from={callers}")


def test_without_a_hook_nothing_is_needed() -> None:
    assert options("tps=1").hook == ""
