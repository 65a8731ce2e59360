"""What the environment may say, and what the server mode refuses to start with.

Pure functions over a mapping, so that each refusal is tested without starting Django.
"""

import datetime as dt
import os
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from notifications.rules import QuietHours

SECRETS = ("SECRET_KEY", "TRAIL_KEY", "DATABASE_URL", "REDIS_URL", "SMS_GATEWAY_URL")
SHORTEST_SECRET_KEY = 32
FEWEST_DIFFERENT_CHARACTERS = 8
# Words of keys that documents show and people copy.
_PLACEHOLDERS = ("changeme", "change-me", "change_me", "insecure", "secret_key", "your-", "example")
_CLEAR_TEXT = ("http", "smpp")
DRILL_MARKER = "demo_today"


def with_secret_files(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with each ``NAME_FILE`` of a secret read into ``NAME``.

    Raises:
        ImproperlyConfigured: the named file cannot be read.
    """
    result = dict(environment)
    for name in SECRETS:
        path = environment.get(f"{name}_FILE")
        if not path or name in environment:
            continue
        try:
            result[name] = Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(
                f"{name}_FILE désigne « {path} », qui ne peut être lu ({error.strerror}). "
                f"Indiquez un fichier lisible qui contient la valeur de {name}."
            ) from error
    return result


def is_server_mode(environment: Mapping[str, str]) -> bool:
    """Server mode is chosen by naming a database; without one the app runs embedded."""
    return bool(environment.get("DATABASE_URL"))


def check_server_mode(environment: Mapping[str, str]) -> None:
    """Refuse to start a server with a missing or unsafe setting.

    Raises:
        ImproperlyConfigured: one sentence per fault, each saying what to set.
    """
    faults = _key_faults(environment)
    hosts = [host.strip() for host in environment.get("ALLOWED_HOSTS", "").split(",")]
    if not any(hosts):
        faults.append(
            "ALLOWED_HOSTS manque : donnez les noms du serveur, séparés par des virgules."
        )
    if "*" in hosts:
        faults.append("ALLOWED_HOSTS vaut « * » : nommez les serveurs un par un.")
    if not environment.get("REDIS_URL"):
        faults.append("REDIS_URL manque : donnez par exemple redis://redis:6379/0.")
    faults += _gateway_faults(environment)
    if _is_true(environment.get("DEBUG", "")):
        faults.append("DEBUG est actif : retirez-le, un serveur ne montre jamais ses entrailles.")
    if faults:
        raise ImproperlyConfigured(" ".join(faults))


def _key_faults(environment: Mapping[str, str]) -> list[str]:
    faults = []
    for name in ("SECRET_KEY", "TRAIL_KEY"):
        key = environment.get(name, "")
        if len(key) < SHORTEST_SECRET_KEY:
            faults.append(
                f"{name} manque ou compte moins de 32 caractères : donnez une longue valeur "
                f"aléatoire (ou {name}_FILE), par exemple celle de « openssl rand -hex 32 »."
            )
        elif is_weak(key):
            faults.append(
                f"{name} se devine : donnez une valeur aléatoire, par exemple celle de "
                "« openssl rand -hex 32 »."
            )
    if environment.get("TRAIL_KEY") and environment["TRAIL_KEY"] == environment.get("SECRET_KEY"):
        faults.append(
            "TRAIL_KEY est la même que SECRET_KEY : donnez-lui une valeur à elle, qui reste quand "
            "SECRET_KEY change."
        )
    return faults


def _gateway_faults(environment: Mapping[str, str]) -> list[str]:
    urls = environment.get("SMS_GATEWAY_URL", "")
    if not urls:
        missing = (
            "SMS_GATEWAY_URL manque : donnez l'adresse de la passerelle SMS, ou console:// pour "
            "un exercice où rien ne part."
        )
        return [missing]
    if _is_true(environment.get("ALLOW_CLEARTEXT_GATEWAY", "")):
        return []
    return [
        f"SMS_GATEWAY_URL : « {where} » serait joint en clair, numéros et textes des patients "
        "compris. Prenez sa forme chiffrée (https, smpps), ou dites que le réseau est sûr : "
        "ALLOW_CLEARTEXT_GATEWAY=true."
        for where in clear_text_gateways(urls)
    ]


def is_weak(key: str) -> bool:
    """Whether a key of sufficient length was typed or copied rather than drawn by lot.

    A drawn key of 32 hexadecimal digits has 14 different ones on average, and fewer than 8 once
    in 100,000 (our own count); a repeated word or a row of one letter has fewer.
    """
    repeated = (key + key).find(key, 1) < len(key)
    told = any(word in key.lower() for word in _PLACEHOLDERS)
    return len(set(key)) < FEWEST_DIFFERENT_CHARACTERS or repeated or told


def clear_text_gateways(urls: str) -> list[str]:
    """Return the gateways that are reached over a network without encryption, as scheme://host.

    Args:
        urls: as in ``SMS_GATEWAY_URL``, separated by spaces. A gateway on this machine is none.
    """
    found = []
    for url in map(urlsplit, urls.split()):
        scheme = url.scheme.rpartition("+")[2]
        host = url.hostname or ""
        if scheme in _CLEAR_TEXT and host and not _is_this_machine(host):
            found.append(f"{url.scheme}://{host}")
    return found


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _is_true(value: str) -> bool:
    return value.lower() in {"1", "true", "yes", "on"}


def checked_quiet_hours(text: str) -> str:
    """Return quiet hours as they were written, once they can be read.

    Raises:
        ImproperlyConfigured: they cannot; says what to write.
    """
    try:
        QuietHours.parse(text)
    except ValueError as error:
        raise ImproperlyConfigured(f"SMS_QUIET_HOURS : {error}") from None
    return text


def checked_hour(name: str, text: str) -> dt.time:
    """Return the hour of a setting, written 18:00.

    Raises:
        ImproperlyConfigured: it is none; says what to write.
    """
    try:
        return dt.datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007  # no day, no zone
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} : « {text} » n'est pas une heure. Écrivez par exemple 18:00."
        ) from None


def networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Return the networks of a list separated by commas; a lone address is one too.

    Raises:
        ImproperlyConfigured: one of them is no network; says which.
    """
    found = []
    for one in filter(None, (part.strip() for part in text.split(","))):
        try:
            found.append(ip_network(one))
        except ValueError as error:
            raise ImproperlyConfigured(
                f"TRUSTED_PROXIES : « {one} » n'est pas une adresse ni un réseau. Donnez par "
                "exemple 172.18.0.0/16, ou rien."
            ) from error
    return tuple(found)


def embedded_key(data_dir: Path, name: str) -> str:
    """Return a key kept beside the embedded database, made on first use (mode 0600).

    Args:
        data_dir: the data directory, made when it is missing.
        name: the file: ``secret_key`` or ``trail_key``.
    """
    path = data_dir / name
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        # Written aside, then linked: of two processes that start at once, both read one key.
        with tempfile.NamedTemporaryFile("w", dir=data_dir, encoding="utf-8") as made:
            made.write(secrets.token_urlsafe(50))
            made.flush()
            with suppress(FileExistsError):
                os.link(made.name, path)
    return path.read_text(encoding="utf-8").strip()


def drill_day(data_dir: Path) -> str:
    """Return the day that a data directory replays, as ISO text; empty for a real one.

    The demo hospital leaves this marker beside its database, so that the directory says it is
    a drill whoever starts it, however.
    """
    try:
        return (data_dir / DRILL_MARKER).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
