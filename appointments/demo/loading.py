"""Write the demo hospital into an empty database, or as the file that a hospital exports."""

import csv
from collections.abc import Callable
from pathlib import Path

from django.db import transaction

from appointments.demo.accounts import make_accounts
from appointments.demo.hospital import EXPORTED_AT, SEED, DemoHospital, build
from appointments.feeds.importing.results import LoadResult, Terms
from appointments.feeds.importing.services import load_records
from appointments.feeds.records import Declared, ScheduleRecord
from appointments.models import AgeFrom, Extent, Feed
from patients import phones
from staff.errors import Refusal
from staff.models import Practitioner, Site, Unit
from staff.services import audit

HEADINGS = (
    "N° rendez-vous",
    "N° dossier",
    "Nom",
    "Prénom",
    "Date de naissance",
    "Langue",
    "Numéro national",
    "GSM",
    "Téléphone",
    "Site",
    "Code unité",
    "Nom unité",
    "Activité",
    "Code praticien",
    "Praticien",
    "Date et heure",
    "Durée (min)",
    "Acte",
    "Statut",
    "Urgence",
    "Groupes protégés",
)
# Typing errors: source number, unit, kind of act, moment. Each row is refused by itself.
BAD_ROWS = (
    ("RV900001", "arlon-cardiologi", "consultation", "16/05/2022 09:10"),
    ("RV900002", "libramont-ortho", "consultation", "31/02/2022 10:00"),
    ("RV900003", "marche-radio", "radiologgie", "16/05/2022 11:30"),
    ("RV900004", "virton-gyneco", "consultation", "16/05/2022 25:40"),
)
FEED = "agenda"
TERMS = Terms(exported_at=EXPORTED_AT, age_from=AgeFrom.PERSON, declared=Declared(Extent.SOURCE))


def write_csv(hospital: DemoHospital, path: Path, *, with_bad_rows: bool = True) -> None:
    """Write the records of a hospital: semicolons, UTF-8 with BOM, day first.

    Args:
        hospital: the hospital to export.
        path: the file to write.
        with_bad_rows: add the rows of ``BAD_ROWS`` at the end.
    """
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file, delimiter=";")
        rows.writerow(HEADINGS)
        rows.writerows(map(_row, hospital.records))
        if with_bad_rows:
            rows.writerows(map(_bad_row, BAD_ROWS))


def _row(record: ScheduleRecord) -> tuple[str, ...]:
    read = [phone for phone in map(phones.read, record.phones) if phone]
    mobile = next((phone.number for phone in read if phone.is_mobile), "")
    landline = next((phone.number for phone in read if not phone.is_mobile), "")
    return (
        record.source_id,
        record.patient_id,
        record.family_name,
        record.given_name,
        f"{record.birth_date:%d/%m/%Y}" if record.birth_date else "",
        record.language,
        _as_printed(record.national_number),
        phones.display(mobile),
        phones.display(landline),
        record.site,
        record.unit,
        record.unit_name,
        record.service,
        record.practitioner_code,
        record.practitioner_name,
        f"{record.starts_at:%d/%m/%Y %H:%M}",
        str(record.minutes or ""),
        record.act,
        record.status,
        record.priority,
        "+".join(sorted(record.protected_groups)),
    )


def _as_printed(number: str) -> str:
    """Return a national number in the form of the identity card."""
    if not number:
        return ""
    return f"{number[:2]}.{number[2:4]}.{number[4:6]}-{number[6:9]}.{number[9:]}"


def _bad_row(bad: tuple[str, str, str, str]) -> tuple[str, ...]:
    source_id, unit, service, moment = bad
    blank = dict.fromkeys(HEADINGS, "")
    blank |= {"N° rendez-vous": source_id, "N° dossier": "D999999", "Nom": "Essai"}
    blank |= {"Code unité": unit, "Activité": service, "Date et heure": moment}
    return tuple(blank.values())


def load_demo(*, seed: int = SEED, report: Callable[[str], None] = lambda line: None) -> LoadResult:
    """Make the hospital of a seed: reference data, sign-ins, four weeks of appointments.

    Args:
        seed: the same seed gives the same hospital.
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
