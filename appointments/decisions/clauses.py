"""The clauses of a bulletin: read, checked against the reference data, and stored."""

import datetime as dt
from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from appointments.models import Bulletin, Clause, KeptBy, ProtectedGroup, Ruling, Service, Tell
from appointments.rules import ClauseTerms
from notifications.vocabulary import Channel
from staff.errors import Refusal
from staff.models import Site, Unit

Clauses = tuple[ClauseTerms, ...]


def terms_of(clause: Clause) -> ClauseTerms:
    """Return a stored clause in the form of the rules."""
    return ClauseTerms(
        ruling=clause.ruling,
        tell=clause.tell,
        channel=clause.channel,
        kept_by=clause.kept_by,
        keep_until=clause.keep_until,
        services=tuple(clause.services),
        sites=tuple(clause.sites),
        units=tuple(clause.units),
        days=tuple(map(dt.date.fromisoformat, clause.days)),
        groups=tuple(clause.groups),
        position=clause.position,
        id=clause.pk,
        bulletin_id=clause.bulletin_id,
    )


def clauses_of(bulletin: Bulletin) -> Clauses:
    """Return what a bulletin orders, in its order; no query where its clauses are loaded."""
    return tuple(map(terms_of, bulletin.clauses.all()))


def check(clauses: Sequence[ClauseTerms], *, first_day: dt.date, last_day: dt.date) -> None:
    """Refuse clauses that name something unknown or that no bulletin may order.

    Raises:
        Refusal: one sentence per fault, each naming its clause.
    """
    if not clauses:
        raise Refusal(_("Le bulletin n'a aucun point : ajoutez-en au moins un."), field="clauses")
    known: dict[str, set[str]] = {
        "services": set(Service),
        "sites": set(Site.objects.values_list("code", flat=True)),
        "units": set(Unit.objects.values_list("code", flat=True)),
        "groups": set(ProtectedGroup.values),
    }
    faults = [
        _("Point %(number)s : %(fault)s") % {"number": number, "fault": fault}
        for number, clause in enumerate(clauses, start=1)
        for fault in _faults(clause, known, first_day, last_day)
    ]
    if faults:
        raise Refusal(" ".join(faults), field="clauses")


def _faults(
    clause: ClauseTerms, known: dict[str, set[str]], first_day: dt.date, last_day: dt.date
) -> Iterator[str]:
    words = {"ruling": Ruling, "tell": Tell, "channel": Channel, "kept_by": KeptBy}
    for name, choices in words.items():
        if getattr(clause, name) not in set(choices):
            yield _("%(name)s vaut « %(value)s » ; choisissez parmi %(choices)s.") % {
                "name": name,
                "value": getattr(clause, name),
                "choices": ", ".join(choices),
            }
    for name, codes in known.items():
        for code in getattr(clause, name):
            if code not in codes:
                yield _("%(name)s : « %(value)s » est inconnu.") % {"name": name, "value": code}
    for day in clause.days:
        if not first_day <= day <= last_day:
            yield _("le jour %(day)s est hors de la période du bulletin.") % {
                "day": f"{day:%d/%m/%Y}"
            }
    yield from _disorders(clause)


def _disorders(clause: ClauseTerms) -> Iterator[str]:
    """Yield what no bulletin may order."""
    if Service.EMERGENCY in clause.services and clause.ruling != Ruling.MAINTAIN:
        yield _("aucun bulletin ne peut annuler les urgences ; maintenez-les.")
    if clause.ruling == Ruling.CASE_BY_CASE and clause.kept_by == KeptBy.NOBODY:
        yield _(
            "« au cas par cas » demande quelqu'un qui tranche ; choisissez qui peut garder : le "
            "médecin concerné ou, pour les opérations, le Directeur médical."
        )
    is_open = clause.ruling != Ruling.MAINTAIN
    if Service.SURGERY in clause.services and is_open and clause.kept_by == KeptBy.DOCTOR:
        yield _(
            "seul le Directeur médical décide des opérations ; choisissez-le sous "
            "« Peut garder », au besoin dans un point à part."
        )


def store(bulletin: Bulletin, clauses: Sequence[ClauseTerms]) -> None:
    """Replace the clauses of a draft, in one statement each way."""
    bulletin.clauses.all().delete()
    Clause.objects.bulk_create(
        Clause(
            bulletin=bulletin,
            position=position,
            services=list(draft.services),
            sites=list(draft.sites),
            units=list(draft.units),
            days=[day.isoformat() for day in draft.days],
            groups=list(draft.groups),
            ruling=draft.ruling,
            tell=draft.tell,
            channel=draft.channel,
            kept_by=draft.kept_by,
            keep_until=draft.keep_until,
        )
        for position, draft in enumerate(clauses, start=1)
    )
