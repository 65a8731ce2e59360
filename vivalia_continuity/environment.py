"""What the environment may say, and what the server mode refuses to start with.

Pure functions over a mapping, so that each refusal is tested without starting Django.
"""

import datetime as dt
import secrets
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from notifications.quiet_hours import QuietHours

SECRETS = ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "SMS_GATEWAY_URL")
SHORTEST_SECRET_KEY = 32
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
    faults = []
    if len(environment.get("SECRET_KEY", "")) < SHORTEST_SECRET_KEY:
        faults.append(
            "SECRET_KEY manque ou compte moins de 32 caractères : donnez une longue valeur "
            "aléatoire (ou SECRET_KEY_FILE)."
        )
    hosts = [host.strip() for host in environment.get("ALLOWED_HOSTS", "").split(",")]
    if not any(hosts):
        faults.append(
            "ALLOWED_HOSTS manque : donnez les noms du serveur, séparés par des virgules."
        )
    if "*" in hosts:
        faults.append("ALLOWED_HOSTS vaut « * » : nommez les serveurs un par un.")
    if not environment.get("REDIS_URL"):
        faults.append("REDIS_URL manque : donnez par exemple redis://redis:6379/0.")
    if not environment.get("SMS_GATEWAY_URL"):
        faults.append(
            "SMS_GATEWAY_URL manque : donnez l'adresse de la passerelle SMS, ou console:// pour "
            "un exercice où rien ne part."
        )
    if environment.get("DEBUG", "").lower() in {"1", "true", "yes", "on"}:
        faults.append("DEBUG est actif : retirez-le, un serveur ne montre jamais ses entrailles.")
    if faults:
        raise ImproperlyConfigured(" ".join(faults))


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


def embedded_secret_key(data_dir: Path) -> str:
    """Return the key kept beside the embedded database, made on first use (mode 0600)."""
    path = data_dir / "secret_key"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50), encoding="utf-8")
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
