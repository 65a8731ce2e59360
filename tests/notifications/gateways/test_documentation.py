"""What an operator can write in a gateway's URL is what the page about gateways says."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from notifications.gateways import gateway_from_url, schemes

PAGE = (Path(settings.BASE_DIR) / "docs/gateways.md").read_text()


@pytest.mark.parametrize("scheme", sorted(schemes()))
def test_every_kind_is_described(scheme: str) -> None:
    without_tls = scheme.replace("https", "http")
    with_tls = without_tls.replace("http", "https")
    assert any(f"{one}://" in PAGE for one in (scheme, without_tls, with_tls))


@pytest.mark.parametrize("scheme", sorted(set(schemes()) - {"apprise"}))
def test_every_option_is_described(scheme: str) -> None:
    path = "/directory" if scheme == "file" else "user:password@host/"
    with pytest.raises(ImproperlyConfigured) as refused:
        gateway_from_url(f"{scheme}://{path}?nosuch=1")
    possible = re.search(r"Possibles : (.*)\.", str(refused.value))
    assert possible
    lacking = [one for one in possible[1].split(", ") if not re.search(rf"`{one}[`=]", PAGE)]
    assert lacking == []
