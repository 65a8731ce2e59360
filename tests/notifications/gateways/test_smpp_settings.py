"""What the URL of an SMSC may say."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from notifications.gateways import gateway_from_url
from notifications.gateways.base import parse_url
from notifications.gateways.smpp import from_url

URL = "smpp://vivalia:s3cret@smsc.example.org"


class TestAGoodOne:
    def test_its_options_are_read(self) -> None:
        gateway = from_url(
            "smpp://viva%40lia:s3%3Acret@smsc.example.org:2776?window=10&tps=100&system_type=VMS"
            "&long=payload&alphabet=latin1&validity=90&source_ton=3&source_npi=9"
        )
        options = gateway.options
        assert (options.window, options.parts_per_second, options.sessions) == (10, 100.0, 1)
        assert gateway.address == "smsc.example.org:2776"
        assert (gateway.whole, gateway.alphabet, gateway.has_receipts) == (True, "latin1", True)
        assert gateway.validity == 90
        assert tuple(gateway.source_of("Vivalia").values()) == (3, 9, "Vivalia")

    def test_a_bare_one_has_a_window_of_50_one_session_and_receipts(self) -> None:
        gateway = gateway_from_url(URL)
        assert (gateway.options.window, gateway.options.sessions) == (50, 1)
        assert gateway.has_receipts
        assert gateway.listens
        assert gateway.can_query
        assert not gateway.honours_reference
        assert (gateway.name, gateway.batch) == ("smpp smsc.example.org:2775", 1)

    def test_a_transmitter_gets_no_receipts(self) -> None:
        gateway = gateway_from_url(URL + "?bind=transmitter")
        assert not gateway.listens
        assert not gateway.has_receipts

    def test_tls_is_verified(self) -> None:
        context = from_url(URL.replace("smpp:", "smpps:") + ":3550").tls
        assert context
        assert context.check_hostname
        assert context.verify_mode.name == "CERT_REQUIRED"

    def test_no_secret_shows(self) -> None:
        gateway = from_url(URL)
        assert "s3cret" not in f"{gateway!r} {parse_url(URL)!r}"


class TestASender:
    @pytest.mark.parametrize(
        ("sender", "source"),
        [
            ("", (0, 0, "")),
            ("Vivalia", (5, 0, "Vivalia")),
            ("+3261230000", (1, 1, "3261230000")),
            ("8850", (1, 1, "8850")),
            ("Hôpital d'Arlon", (5, 0, "Hopital d'A")),
        ],
    )
    def test_type_and_plan_follow_from_it(self, sender: str, source: tuple) -> None:
        assert tuple(from_url(URL).source_of(sender).values()) == source


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        (URL + "?windows=3", "option inconnue windows"),
        (URL + "?long=sar", "long vaut udh ou payload"),
        (URL + "?alphabet=utf8", "alphabet vaut gsm7 ou latin1"),
        (URL + "?bind=receiver", "bind vaut transceiver ou transmitter"),
        (URL + "?receipts=yes", "receipts vaut 1 ou 0"),
        (URL + "?source_ton=x", "source_ton est un nombre"),
        (URL + "?source_npi=19", "source_npi est un nombre de 0 à 18"),
        (URL + "?validity=0", "validity est un nombre de minutes"),
        (URL + "?window=5000", "window va de 1 à 1000"),
        (URL + "?sender=Vivalia%20Arlon", "sender est un nom de 11"),
        (URL + "?sender=H%C3%B4pital", "sender est un nom de 11"),
        (URL + "?ca=/nowhere.pem", "ca ne va qu'avec smpps"),
        (URL.replace("smpp:", "smpps:") + ":1?ca=/nowhere.pem", "ne peut pas être lu"),
        (URL.replace("smpp:", "smpps:"), "indiquez le port"),
        (URL + ":99999", "le port va de 1"),
        (URL + ":x", "le port va de 1"),
        (URL + "/path", "rien ne suit le port"),
        (URL.replace("s3cret", "s3crets3cret"), "mot de passe compte au plus 8"),
        (URL.replace("vivalia", "vivalia-libramont"), "l'utilisateur compte au plus 15"),
        (URL + "?system_type=ABCDEFGHIJKLM", "system_type compte au plus 12"),
        (URL.replace("vivalia", ""), "il manque l'utilisateur"),
        ("smpp://vivalia@smsc.example.org", "mot de passe"),
        ("smpp://vivalia:s3cret@", "nom de la machine"),
    ],
)
def test_a_senseless_one_is_refused_without_its_secret(url: str, complaint: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=complaint) as refused:
        gateway_from_url(url)
    assert "s3cret" not in str(refused.value)


def test_a_file_that_is_no_certificate_is_refused(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text("nothing")
    with pytest.raises(ImproperlyConfigured, match="ne peut pas être lu"):
        gateway_from_url(f"smpps://vivalia:s3cret@host:1?ca={ca}")
