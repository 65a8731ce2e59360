"""What the environment may say, and what the server mode refuses to start with.

Pure functions over a mapping, so that each refusal is tested without starting Django.
"""

import secrets
from collections.abc import Mapping
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

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
