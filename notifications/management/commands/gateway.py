"""``manage.py gateway``: check gateways, and send one message through one of them."""

from argparse import ArgumentTypeError
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications.gateways import Checked, Gateway, configured, gateway_from_url
from notifications.sending import trial as gateway_trials
from notifications.telling.health import ways_lost_by
from patients import phones
from staff import clock
from staff.errors import Refusal
from staff.services import command_line

UNUSABLE, MISUSED = 1, 2
_YES = ("o", "oui")
_LONGEST_TEXT = 600


class Command(BaseCommand):
    """Say whether gateways may be used; try one with a message that is not for a patient."""

    help = "Contrôle les passerelles SMS, ou envoie un SMS d'essai et montre ce qu'il devient."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verb = verbs.add_parser("check", help="Se connecte sans rien envoyer ; 1 si inutilisable.")
        verb.add_argument("url", nargs="?", metavar="URL", help="sinon celles de SMS_GATEWAY_URL")
        verb.add_argument(
            "--show-hook", action="store_true", help="Montre le secret de l'adresse des accusés."
        )
        verbs.add_parser("host", help="Dit si cette machine atteint les passerelles ; 1 sinon.")
        verb = verbs.add_parser("test", help="Envoie un SMS d'essai et montre ce qu'il devient.")
        verb.add_argument("number", metavar="+32…")
        verb.add_argument("--gateway", default="", metavar="NAME", help="sinon la première")
        verb.add_argument("--text", type=_text, help="sinon une phrase qui dit que c'est un test")
        verb.add_argument("--wait", type=_seconds, default=60.0, metavar="SECONDS")
        verb.add_argument("--yes", action="store_true", help="Ne demande pas de confirmation.")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        """Run one verb; what cannot be done becomes a sentence."""
        try:
            getattr(self, f"_{verb}")(**options)
        except ImproperlyConfigured as error:
            raise CommandError(str(error), returncode=MISUSED) from None
        except Refusal as refusal:
            raise CommandError(refusal.message, returncode=MISUSED) from None

    def _check(self, *, url: str | None, show_hook: bool, **_options: Any) -> None:
        gateways = [gateway_from_url(url)] if url else configured()
        unusable = []
        for gateway in gateways:
            checked = gateway_trials.check(gateway)
            self._show(gateway, checked, show_hook=show_hook)
            if not checked.usable:
                unusable.append(gateway.name)
        if unusable:
            raise CommandError(_("Inutilisable : %s.") % ", ".join(unusable), returncode=UNUSABLE)

    def _host(self, **_options: Any) -> None:
        """Say what the workers of this host found: their health check asks."""
        lost = ways_lost_by(settings.HOST_NAME)
        for way in lost:
            self.stdout.write(f"{way.host} → {way.gateway} : {way.complaint}")
        if lost:
            words = _("%s n'atteint pas toutes les passerelles.") % settings.HOST_NAME
            raise CommandError(words, returncode=UNUSABLE)
        self.stdout.write(_("%s : aucune passerelle hors d'atteinte.") % settings.HOST_NAME)

    def _show(self, gateway: Gateway, checked: Checked, *, show_hook: bool) -> None:
        verdict = _("utilisable") if checked.usable else _("INUTILISABLE")
        self.stdout.write(f"{gateway.name} : {verdict}")
        if checked.complaint:
            self.stdout.write(f"  ! {checked.complaint}")
        found = {name for name, _value in checked.facts}
        set_to = _facts(gateway, show_hook=show_hook)
        facts = [*(one for one in set_to if one[0] not in found), *checked.facts]
        width = max(len(name) for name, _value in facts)
        for name, value in facts:
            self.stdout.write(f"  {name.ljust(width)}  {value}")

    def _test(
        self, *, number: str, gateway: str, text: str | None, wait: float, yes: bool, **_o: Any
    ) -> None:
        through = _named(gateway)
        to = gateway_trials.recipient(number)
        body = text or _("%s : SMS de test. Rien à faire, merci de ne pas y répondre.") % (
            settings.HOSPITAL_NAME
        )
        self.stdout.write(_("Texte : %s") % body)
        if not yes and not _confirmed(to, through):
            raise Refusal(_("Rien n'a été envoyé."))
        steps: list[gateway_trials.Step] = []

        def tell(step: gateway_trials.Step) -> None:
            steps.append(step)
            moment = timezone.localtime(clock.real())
            self.stdout.write(f"{moment:%H:%M:%S}  {step.words}")
            self.stdout.flush()

        gateway_trials.send_one(
            gateway=through, to=to, text=body, wait=wait, by=command_line.user(), tell=tell
        )
        if not steps or not steps[-1].is_good:
            raise CommandError(_("L'essai n'a pas abouti."), returncode=UNUSABLE)
        self.stdout.write(_("L'essai a abouti."))


def _facts(gateway: Gateway, *, show_hook: bool) -> list[tuple[str, str]]:
    options = gateway.options
    none = _("non limité")
    rates = [
        _("%g parties par seconde") % options.parts_per_second if options.parts_per_second else "",
        _("%g SMS par seconde") % options.messages_per_second
        if options.messages_per_second
        else "",
    ]
    return [
        (_("fenêtre"), str(options.window)),
        (_("débit"), ", ".join(filter(None, rates)) or none),
        (_("plafond du jour"), str(options.parts_per_day or none)),
        (_("expéditeur"), options.sender or _("celui de la passerelle")),
        (_("connexions"), str(options.sessions or none)),
        (_("accusés"), _yes_no(gateway.has_receipts)),
        (_("répond aux questions"), _yes_no(gateway.can_query)),
        (_("une référence part une fois"), _yes_no(gateway.honours_reference)),
        (_("adresse des accusés"), _hook_address(gateway, show=show_hook)),
    ]


def _yes_no(value: bool) -> str:
    return _("oui") if value else _("non")


def _hook_address(gateway: Gateway, *, show: bool) -> str:
    """Return the address to give to the provider; its secret only where it is asked for."""
    secret = gateway.options.hook
    if not secret:
        return _("inutile : ils viennent par la connexion") if gateway.listens else _("aucune")
    host = next(iter(settings.ALLOWED_HOSTS), "localhost")
    origin = next(iter(settings.CSRF_TRUSTED_ORIGINS), "") or f"https://{host}"
    path = reverse("hook", args=["secret"])
    return str(origin) + path.replace(
        "secret", quote(secret, safe="") if show else f"{secret[:2]}…"
    )


def _named(name: str) -> Gateway:
    """Return the first configured gateway, or the one whose name holds some words."""
    gateways = configured()
    if not name:
        return gateways[0]
    fitting = [one for one in gateways if one.name == name] or [
        one for one in gateways if name.lower() in one.name.lower()
    ]
    if len(fitting) != 1:
        raise Refusal(
            _("« %(name)s » ne désigne pas une seule passerelle. Configurées : %(names)s.")
            % {"name": name, "names": ", ".join(one.name for one in gateways)}
        )
    return fitting[0]


def _confirmed(to: str, gateway: Gateway) -> bool:
    question = _("Envoyer ce SMS au %(number)s par %(gateway)s ? [o/N] ") % {
        "number": phones.display(to),
        "gateway": gateway.name,
    }
    try:
        return input(question).strip().lower() in _YES
    except EOFError:
        return False


def _text(text: str) -> str:
    if not text.strip() or len(text) > _LONGEST_TEXT:
        raise ArgumentTypeError(_("attendu : un texte d'au plus %s caractères") % _LONGEST_TEXT)
    return text


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 3600:
        raise ArgumentTypeError(_("attendu : un nombre de secondes de 1 à 3600"))
    return seconds
