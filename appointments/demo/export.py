"""The demo's schedule as a file of the kind a Belgian hospital exports, with a few bad rows."""

import csv
from pathlib import Path

from appointments.demo.hospital import DemoHospital
from appointments.feeds.records import ScheduleRecord
from patients import phones

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
# What people mistype: source number, unit, kind of act, moment. Each is refused by itself.
BAD_ROWS = (
    ("RV900001", "arlon-cardiologi", "consultation", "16/05/2022 09:10"),
    ("RV900002", "libramont-ortho", "consultation", "31/02/2022 10:00"),
    ("RV900003", "marche-radio", "radiologgie", "16/05/2022 11:30"),
    ("RV900004", "virton-gyneco", "consultation", "16/05/2022 25:40"),
)


def write_csv(hospital: DemoHospital, path: Path, *, with_bad_rows: bool = True) -> None:
    """Write the records of a hospital: semicolons, UTF-8 with BOM, day first.

    Args:
        hospital: what is exported.
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
    """Return a national number as it stands on the identity card."""
    if not number:
        return ""
    return f"{number[:2]}.{number[2:4]}.{number[4:6]}-{number[6:9]}.{number[9:]}"


def _bad_row(bad: tuple[str, str, str, str]) -> tuple[str, ...]:
    source_id, unit, service, moment = bad
    blank = dict.fromkeys(HEADINGS, "")
    blank |= {"N° rendez-vous": source_id, "N° dossier": "D999999", "Nom": "Essai"}
    blank |= {"Code unité": unit, "Activité": service, "Date et heure": moment}
    return tuple(blank.values())
