"""Find the unit that a record names among the reference data, or say which one comes closest."""

import difflib
from collections import defaultdict
from dataclasses import dataclass

from appointments.feeds.records import ScheduleRecord
from patients.names import fold
from staff.models import Site, Unit
from staff.sentences import Stored, joined
from staff.sentences import gettext_stored as _

_UNKNOWN = 0


@dataclass(frozen=True, slots=True)
class Place:
    """A unit and its site, by id."""

    unit_id: int
    site_id: int


@dataclass(frozen=True, slots=True)
class NoPlace:
    """Why there is no such unit: ``column`` is ``site`` or ``unit``."""

    column: str
    value: str
    why: Stored


class Places:
    """Sites and units by code and by name, read once per load (two queries)."""

    def __init__(self) -> None:
        self._sites: dict[str, int] = {}
        self._site_codes: list[str] = []
        self._unit_codes: dict[str, str] = {}
        self._by_code: dict[str, Place] = {}
        self._by_name: dict[str, list[Place]] = defaultdict(list)
        self._answers: dict[tuple[str, str, str], Place | NoPlace] = {}
        for site_id, code, name in Site.objects.values_list("id", "code", "name"):
            self._sites |= {fold(code): site_id, fold(name): site_id}
            self._site_codes.append(code)
        units = Unit.objects.values_list("id", "site_id", "code", "name")
        for unit_id, site_id, code, name in units:
            place = Place(unit_id, site_id)
            self._unit_codes[fold(code)] = code
            self._by_code[fold(code)] = place
            self._by_name[fold(name)].append(place)

    def find(self, record: ScheduleRecord) -> Place | NoPlace:
        """Return where a record takes place, or what is wrong with its site or unit."""
        asked = (record.site, record.unit, record.unit_name)
        if asked not in self._answers:  # a file names few places, thousands of times
            self._answers[asked] = self._find(*asked)
        return self._answers[asked]

    def _find(self, site: str, unit: str, unit_name: str) -> Place | NoPlace:
        site_id = self._sites.get(fold(site), _UNKNOWN) if site else None
        if site_id == _UNKNOWN:
            unknown = _("Site inconnu. Sites connus : %(sites)s.")
            return NoPlace("site", site, unknown % {"sites": ", ".join(sorted(self._site_codes))})
        known = self._known(unit, unit_name)
        here = [place for place in known if site_id in {None, place.site_id}]
        if len(here) == 1:
            return here[0]
        why: Stored
        if here:
            why = _(
                "Plusieurs sites ont une unité de ce nom : donnez le code de l'unité ou le site."
            )
        elif known:
            why = _("Cette unité existe, mais pas sur le site « %(site)s ».") % {"site": site}
        else:
            why = self._closest(unit)
        return NoPlace("unit", unit, why)

    def _known(self, unit: str, unit_name: str) -> list[Place]:
        if fold(unit) in self._by_code:
            return [self._by_code[fold(unit)]]
        return self._by_name.get(fold(unit)) or self._by_name.get(fold(unit_name)) or []

    def _closest(self, unit: str) -> Stored:
        why = _(
            "Unité inconnue : corrigez le code, ou créez l'unité dans les données de référence."
        )
        close = difflib.get_close_matches(fold(unit), self._unit_codes, n=1, cutoff=0.6)
        if not close:
            return why
        hint = _("La plus proche est « %(code)s ».") % {"code": self._unit_codes[close[0]]}
        return joined([why, hint])
