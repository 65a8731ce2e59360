"""What ``manage.py gateway check`` shows of a phone: is it there, and what should be set right."""

from collections.abc import Mapping, Sequence
from typing import Any

from yarl import URL

from notifications.gateways import wire
from notifications.gateways.http_client import Answer, HttpClient, reach
from notifications.gateways.interface import Checked

RECEIPTS = ("sms:sent", "sms:delivered", "sms:failed")
_HEALTH = {
    "battery:level": ("batterie", "%"),
    "messages:failed": ("SMS échoués depuis une heure", ""),
}


async def look(
    client: HttpClient, url: URL, *, is_local: bool, device: str, sim: int, hook: str
) -> Checked:
    """Ask a phone, or the server in front of it, for what sends nothing.

    Args:
        client: opened.
        url: of its API.
        is_local: whether the phone itself answers.
        device: which phone it should be; empty for any.
        sim: which SIM card, from 1; 0 for any.
        hook: the secret in the address that its webhooks should have; empty for none.
    """
    where = url / ("device" if is_local else "devices")
    checked, answer = await reach(client, "GET", where)
    if not checked.usable or answer is None:
        return checked
    phones = wire.json_of(answer.body)
    if answer.status != 200 or not isinstance(phones, list):
        complaint = (
            f"Ce qui répond à {where} n'est pas android-sms-gateway (réponse {answer.status}) : "
            "l'adresse d'un serveur finit par /3rdparty/v1, celle d'un téléphone par son port."
        )
        return Checked(usable=False, facts=checked.facts, complaint=complaint)
    found = [wire.fields_of(one) for one in phones]
    mine = [one for one in found if not device or one.get("id") == device]
    facts = [*checked.facts, *(_phone(one) for one in mine)]
    facts += await _health(client, url) if is_local else []
    facts += await _webhooks(client, url, hook)
    complaint = _complaint(mine, device=device, sim=sim)
    if not device and len(mine) > 1:
        complaint = (
            "Ce compte a plusieurs téléphones, et le serveur choisit au hasard : un même SMS "
            "pourrait partir deux fois. Choisissez-en un avec device=…"
        )
    return Checked(usable=not complaint, facts=facts, complaint=complaint)


def _complaint(mine: Sequence[Mapping[str, Any]], *, device: str, sim: int) -> str:
    if not mine:
        return f"Pas de téléphone {device or 'à ce compte'}."
    slots = [one.get("simNumber") for phone in mine for one in _sims(phone)]
    if sim and slots and sim not in slots:
        return f"Pas de carte SIM {sim} dans le téléphone."
    return ""


def _phone(phone: Mapping[str, Any]) -> tuple[str, str]:
    """Return name, number and operators; SIM numbers are nobody's business here."""
    name = wire.word(phone.get("name"), 60) or "sans nom"
    number = wire.word(phone.get("id"), 40)
    sims = [
        f"SIM {wire.word(one.get('simNumber'), 3)} {wire.word(one.get('carrierName'), 40)}".strip()
        for one in _sims(phone)
    ]
    return "téléphone", ", ".join([f"{name} ({number})", *sims])


def _sims(phone: Mapping[str, Any]) -> list[dict[str, Any]]:
    cards = phone.get("simCards")
    return [wire.fields_of(one) for one in cards] if isinstance(cards, list) else []


async def _health(client: HttpClient, url: URL) -> list[tuple[str, str]]:
    """Return what the phone says of itself. It also misses the Internet, which we do not."""
    answer = await client.exchange("GET", url / "health")
    said = wire.fields_of(wire.json_of(answer.body)) if isinstance(answer, Answer) else {}
    checks = wire.fields_of(said.get("checks"))
    version = wire.word(said.get("version"), 20)
    facts = [("application", f"android-sms-gateway {version}")] if version else []
    for name, (label, unit) in _HEALTH.items():
        value = wire.word(wire.fields_of(checks.get(name)).get("observedValue"), 10)
        if value:
            facts.append((label, f"{value} {unit}".strip()))
    return facts


async def _webhooks(client: HttpClient, url: URL, hook: str) -> list[tuple[str, str]]:
    """Say which of our webhooks the phone knows."""
    if not hook:
        return [("accusés", "sans hook=… : le téléphone est interrogé, bien plus tard")]
    answer = await client.exchange("GET", url / "webhooks")
    listed = wire.json_of(answer.body) if isinstance(answer, Answer) else None
    if not isinstance(listed, list):
        return [("accusés", "le téléphone ne dit pas quels webhooks il connaît")]
    ours = [one for one in map(wire.fields_of, listed) if f"/{hook}/" in f"{one.get('url')}/"]
    events = {one.get("event") for one in ours}
    lacking = [event for event in RECEIPTS if event not in events]
    if lacking:
        return [("accusés", f"webhooks à enregistrer pour {', '.join(lacking)}")]
    replies = "oui" if "sms:received" in events else "non (webhook sms:received)"
    return [("accusés", "webhooks enregistrés"), ("réponses des patients", replies)]
