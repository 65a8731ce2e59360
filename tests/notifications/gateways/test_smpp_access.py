"""Access to an SMSC: bind, TLS, enquire_link, reconnecting, and what a check says."""

import asyncio
import datetime as dt
import ssl
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from notifications.gateways import Checked, NotSent, Result, gateway_from_url
from notifications.gateways.base import parse_url
from notifications.gateways.smpp import session as session_module
from notifications.gateways.smpp.session import FIRST_WAIT, LONGEST_WAIT, SessionKeeper
from tests.notifications.gateways.conformance import check
from tests.notifications.gateways.smpp_client import Client, message, until, with_client
from tests.smpp_peer import SmscPeer


def checked(peer: SmscPeer, options: str = "") -> Checked:
    """Check a peer."""
    return check(gateway_from_url(peer.url + options))


class TestCheck:
    def test_it_shows_the_smsc_and_the_settings(self) -> None:
        with SmscPeer() as peer:
            facts = dict(checked(peer, "&tps=100&window=7").facts)
        assert facts.pop("aller-retour").endswith(" ms")
        assert facts == {
            "SMSC": "SMSC-TEST",
            "adresse": f"127.0.0.1:{peer.port}",
            "TLS": "non",
            "connexion": "bind_transceiver",
            "fenêtre": "7",
            "débit": "100 parties/s",
            "expéditeur": "Vivalia",
            "accusés": "demandés",
        }

    @pytest.mark.parametrize(
        ("status", "words"),
        [
            (
                0x0E,
                "mot de passe refusé : vérifiez-le dans SMS_GATEWAY_URL (0x0000000E ESME_RINVPASWD",
            ),
            (0x0F, "nom d'utilisateur"),
            (0x05, "déjà connecté"),
            (0x0D, "connexion refusée"),
            (0x08, "0x00000008 ESME_RSYSERR"),
        ],
    )
    def test_a_refused_bind_is_explained(self, status: int, words: str) -> None:
        with SmscPeer(bind_status=status) as peer:
            found = checked(peer)
        assert not found.usable
        assert words in found.complaint

    def test_a_port_that_speaks_something_else_is_named(self) -> None:
        async def work() -> Checked:
            async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                writer.write(b"220 mail.example.org ESMTP ready\r\n")
                writer.close()

            server = await asyncio.start_server(greet, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            gateway = gateway_from_url(f"smpp://vivalia:s3cret@127.0.0.1:{port}?timeout=2")
            await gateway.open(Client("console://").store)
            found = await gateway.check()
            await gateway.close()
            server.close()
            return found

        assert "autre chose que du SMPP" in asyncio.run(work()).complaint

    def test_a_machine_without_a_name_is_named_so(self) -> None:
        found = check(gateway_from_url("smpp://vivalia:s3cret@smsc.invalid?timeout=2"))
        assert "introuvable" in found.complaint or "connexion" in found.complaint

    def test_a_peer_that_went_silent_is_not_usable(self) -> None:
        with SmscPeer(behaviour="deaf") as peer:
            found = checked(peer)
        assert not found.usable
        assert "enquire_link" in found.complaint


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate for 127.0.0.1 that only its own file, ``cert.pem``, certifies."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(made)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "both.pem").write_bytes(secret + made)
    return folder / "both.pem"


def context_of(certificate: Path) -> ssl.SSLContext:
    """Return a server's context."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


class TestTls:
    def test_a_trusted_certificate_is_accepted(self, certificate: Path) -> None:
        with SmscPeer(tls=context_of(certificate)) as peer:
            found = checked(peer, f"&ca={certificate.with_name('cert.pem')}")
        assert found.usable
        assert dict(found.facts)["TLS"] == "oui, certificat vérifié"

    def test_any_other_certificate_gets_neither_name_nor_password(self, certificate: Path) -> None:
        with SmscPeer(tls=context_of(certificate)) as peer:
            found = checked(peer)
        assert "certificat TLS refusé" in found.complaint
        assert peer.binds == []

    def test_a_port_without_tls_is_named(self) -> None:
        with SmscPeer() as peer:
            url = peer.url.replace("smpp://", "smpps://")
            found = check(gateway_from_url(url))
        assert "TLS" in found.complaint
        assert peer.binds == []


class TestEnquireLink:
    def test_it_is_asked_after_a_quiet_while(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(session_module, "QUIET_SECONDS", 0.1)

        async def work(_client: Client) -> None:
            await until(lambda: peer.enquiries >= 2)

        with SmscPeer() as peer:
            with_client(peer.url, work)
        assert len(peer.binds) == 1

    def test_it_is_answered(self) -> None:
        async def work(_client: Client) -> None:
            peer.say(bytes.fromhex("00000010000000150000000000000007"))
            await until(lambda: peer.enquiries_answered)

        with SmscPeer() as peer:
            with_client(peer.url, work)

    def test_without_an_answer_the_connection_is_made_anew(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(session_module, "QUIET_SECONDS", 0.1)

        async def work(_client: Client) -> None:
            await until(lambda: len(peer.binds) == 2)

        with SmscPeer(behaviour="deaf") as peer:
            with_client(peer.url.replace("timeout=1", "timeout=0.3"), work)


class TestReconnecting:
    def keeper(self, peer_port: int = 1) -> SessionKeeper:
        """Return a keeper that was not opened."""
        return SessionKeeper(
            parse_url(
                f"smpp://vivalia:s3cret@127.0.0.1:{peer_port}?timeout=1",
                own={"bind": "transceiver", "system_type": ""},
            ),
            None,
            lambda _session, _pdu: None,
        )

    def test_the_waits_double_with_chance_in_them_up_to_a_minute(self) -> None:
        async def waits() -> list[float]:
            keeper = self.keeper()
            return [keeper._next_wait() for _ in range(12)]

        found = asyncio.run(waits())
        for n, seconds in enumerate(found):
            most = min(FIRST_WAIT * 2**n, LONGEST_WAIT)
            assert most / 2 <= seconds <= most

    def test_after_a_wrong_password_it_waits_a_minute(self) -> None:
        async def next_wait(port: int) -> float:
            keeper = self.keeper(port)
            await keeper.open()
            seconds = keeper._next_wait()
            await keeper.close()
            return seconds

        with SmscPeer(bind_status=0x0E) as peer:
            assert asyncio.run(next_wait(peer.port)) == LONGEST_WAIT
        with SmscPeer(bind_status=0x0D) as peer:
            assert asyncio.run(next_wait(peer.port)) < LONGEST_WAIT

    def test_a_message_meanwhile_is_not_sent_and_names_the_wait(self) -> None:
        async def work(client: Client) -> None:
            answers.extend(await client.send(message()))

        answers: list[Result] = []
        for status in (0x0E, 0x0F, 0x0D):
            with SmscPeer(bind_status=status) as peer:
                with_client(peer.url, work)
        assert [one.retry_after for one in answers if isinstance(one, NotSent)] == [60, 60, None]

    def test_open_returns_soon_also_where_nobody_answers(self) -> None:
        started = dt.datetime.now(dt.UTC)
        found = check(gateway_from_url("smpp://vivalia:s3cret@127.0.0.1:1?timeout=2"))
        assert "personne n'écoute" in found.complaint
        assert dt.datetime.now(dt.UTC) - started < dt.timedelta(seconds=3)


def test_a_host_without_a_session_for_a_while_objects(monkeypatch) -> None:
    monkeypatch.setattr(session_module, "LOST_SECONDS", 0.5)

    async def work(client: Client) -> None:
        assert client.gateway.objection() is None  # it may be there in a moment
        await until(client.gateway.objection)
        objection = client.gateway.objection()
        assert objection
        assert not objection.answered
        assert "personne n'écoute" in objection.remark

    with_client("smpp://u:p@127.0.0.1:1", work)


def test_a_session_that_holds_is_no_reason_to_object(monkeypatch) -> None:
    monkeypatch.setattr(session_module, "LOST_SECONDS", 0.2)

    async def work(client: Client) -> None:
        for _ in range(4):
            await asyncio.sleep(0.1)
            assert client.gateway.objection() is None

    with SmscPeer() as peer:
        with_client(peer.url, work)
