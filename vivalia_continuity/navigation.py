"""The menu: the pages that a person may open, and the one on which their work starts."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from appointments.decisions.in_force import keeper_of
from staff.access import Capability, may
from staff.models import User

C = Capability
# A person starts on the first of these pages that they may open. With several jobs, it is the one
# with the most decisions.
FIRST_PAGES = (
    *("board", "doctor_day", "operations", "call_list"),
    *("wards", "rosters", "imports", "bulletins"),
)
# So many pages fit into the menu bar of a screen of 1280 px, in German too. The seldom needed
# pages beyond that number are behind one entry.
MOST_IN_LINE = 7
SELDOM = frozenset({"message_texts", "rosters", "imports", "trail"})


@dataclass(frozen=True)
class Page:
    """One entry: the URL name, the label, and the capabilities of which any one opens it."""

    name: str
    label: str | Promise
    capabilities: tuple[Capability, ...]

    def opens_for(self, user: User) -> bool:
        """Whether the user may open the page; a delegate's page only while a delegation exists."""
        if any(may(user, capability) for capability in self.capabilities):
            return True
        as_delegate = self.name == "doctor_day" and may(user, C.KEEP_AS_DELEGATE)
        return as_delegate and bool(keeper_of(user).practitioner_ids)

    @property
    def address(self) -> str:
        """The path of the page."""
        return reverse(self.name)


PAGES = (
    Page("board", _("Tableau de bord"), (C.SEE_BOARD,)),
    Page("doctor_day", _("Mes consultations"), (C.KEEP,)),
    Page("operations", _("Opérations"), (C.GIVE_OPINION, C.RULE_ON_OPERATIONS)),
    Page("wards", _("Accueil"), (C.RECORD_ARRIVALS,)),
    Page("schedule", _("Rendez-vous"), (C.SEE_SCHEDULE,)),
    Page("bulletins", _("Bulletins"), (C.SEE_BULLETINS,)),
    Page("telling", _("Envois"), (C.SEE_OUTBOX, C.SEE_BOARD)),
    Page("message_texts", _("Textes"), (C.EDIT_TEXTS,)),
    Page("call_list", _("Appels"), (C.WORK_CALL_LIST,)),
    Page("replies", _("Réponses"), (C.WORK_CALL_LIST,)),
    Page("rosters", _("Feuilles de service"), (C.PRINT_ROSTERS,)),
    Page("imports", _("Chargements"), (C.LOAD_FEEDS,)),
    Page("trail", _("Journal"), (C.SEE_TRAIL,)),
)


@dataclass(frozen=True)
class Menu:
    """The pages of a person: those in the menu bar, and those behind "more"."""

    in_line: list[Page]
    more: list[Page]


def menu(user: User) -> Menu:
    """Return the pages that the user may open, in the order of the menu."""
    pages = opened_by(user)
    if len(pages) <= MOST_IN_LINE:
        return Menu(pages, [])
    return Menu(
        in_line=[page for page in pages if page.name not in SELDOM],
        more=[page for page in pages if page.name in SELDOM],
    )


def opened_by(user: User) -> list[Page]:
    """Return the pages that the user may open."""
    return [page for page in PAGES if page.opens_for(user)]


def first_page(user: User) -> Page | None:
    """Return the page on which the user's work starts; None without any role."""
    opened = {page.name: page for page in opened_by(user)}
    return next((opened[name] for name in FIRST_PAGES if name in opened), None)
