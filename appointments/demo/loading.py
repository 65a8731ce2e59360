"""Write the demo hospital into an empty database."""

from collections.abc import Callable

from django.db import transaction

from appointments.demo.accounts import make_accounts
from appointments.demo.hospital import EXPORTED_AT, SEED, DemoHospital, build
from appointments.feeds.completeness import Declared
from appointments.feeds.importing.services import LoadResult, Terms, load_records
from appointments.models import AgeFrom, Feed
from appointments.vocabulary import Extent
from staff.errors import Refusal
from staff.models import Practitioner, Site, Unit
from staff.services import audit

FEED = "agenda"
TERMS = Terms(exported_at=EXPORTED_AT, age_from=AgeFrom.PERSON, declared=Declared(Extent.SOURCE))


def load_demo(*, seed: int = SEED, report: Callable[[str], None] = lambda line: None) -> LoadResult:
    """Make the hospital of a seed: reference data, sign-ins, four weeks of appointments.

    Args:
        seed: the same seed, the same hospital.
        report: is given one French sentence per step.

    Raises:
        Refusal: the database already holds a hospital.
    """
    report("Création de l'hôpital de démonstration…")
    hospital = build(seed)
    load_reference_data(hospital)
    report(
        f"{len(hospital.sites)} sites, {len(hospital.units)} unités, "
        f"{len(hospital.practitioners)} praticiens. Chargement des rendez-vous…"
    )
    result = load_records(feed_name=FEED, records=hospital.records, terms=TERMS)
    report(f"{result.created} rendez-vous de {len(hospital.patients)} patients chargés.")
    return result


@transaction.atomic
def load_reference_data(hospital: DemoHospital) -> None:
    """Write sites, units, doctors, sign-ins and the feed, without any appointment.

    Raises:
        Refusal: the database already holds a hospital.
    """
    if Site.objects.exists():
        raise Refusal(
            "La base contient déjà un hôpital : la démonstration ne se charge que dans une base "
            "vide. Choisissez un autre DATA_DIR."
        )
    sites = Site.objects.bulk_create(
        Site(code=site.code, name=site.name, callback_number=site.callback_number)
        for site in hospital.sites
    )
    by_code = {site.code: site for site in sites}
    Unit.objects.bulk_create(
        Unit(site=by_code[unit.site], code=unit.code, name=unit.name, kind=unit.kind)
        for unit in hospital.units
    )
    Practitioner.objects.bulk_create(
        Practitioner(code=doctor.code, family_name=doctor.family_name, given_name=doctor.given_name)
        for doctor in hospital.practitioners
    )
    Feed.objects.get_or_create(name=FEED)
    make_accounts(hospital)
    audit.record(action="demo.loaded", by=None, sites=len(hospital.sites))
