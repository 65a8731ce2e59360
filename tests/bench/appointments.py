"""A large schedule, written by the database itself."""

import datetime as dt

from django.db import connection

from appointments.models import Feed
from staff.database import is_postgresql
from tests.builders import MONDAY, a_practitioner, a_unit, at

SERIES = {
    True: "generate_series(1, {n}) AS g(i)",
    False: "(WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {n})"
    " SELECT i FROM c) AS g",
}
SERVICES = ("consultation", "consultation", "radiology", "nuclear_medicine", "covid_centre")


def fill_days(*, per_day: int, days: int) -> list[dt.date]:
    """Write ``per_day`` patients with one appointment on each of ``days`` days, all cancellable.

    Sixty units, one patient in twelve without a mobile.
    """
    units = [a_unit(f"unit-{n}", site=f"site-{n % 6}") for n in range(60)]
    feed = Feed.objects.create(name="bench", heard_at=at("2022-05-14 12:00"))
    doctor = a_practitioner()
    series = SERIES[is_postgresql()].format(n=per_day)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO patients_patient (family_name, given_name, birth_date, language,
                    national_number, national_number_valid, mobile, landline, search_name)
                SELECT 'NOM', 'Prénom', '1960-01-01', 'fr', '', {_true()},
                    CASE WHEN i %% 12 = 0 THEN '' ELSE '+3246' || (1000000 + i) END, '', 'NOM'
                FROM {series}""",
            [],
        )
        cursor.execute("SELECT MIN(id) - 1 FROM patients_patient")
        (offset,) = cursor.fetchone()
        window = [MONDAY + dt.timedelta(days=n) for n in range(days)]
        for day in window:
            cursor.execute(
                f"""INSERT INTO appointments_appointment (feed_id, source_id, patient_id, unit_id,
                        practitioner_id, service, status, starts_at, day, minutes, act, priority,
                        protected_groups, row_digest, loaded_at, outcome, outcome_basis,
                        decision_version)
                    SELECT %s, '{day}-' || i, i + %s, %s + i %% 60, %s, {_pick(SERVICES)}, 'booked',
                        '{day} 07:10:00+00:00', '{day}', 20, 'Acte', 'routine', '', '',
                        '2022-05-14 10:00:00+00:00', '', '', 0
                    FROM {series}""",
                [feed.pk, offset, units[0].pk, doctor.pk],
            )
        cursor.execute("ANALYZE")
    return window


def _true() -> str:
    return "TRUE" if is_postgresql() else "1"


def _pick(values: tuple[str, ...]) -> str:
    cases = " ".join(f"WHEN {n} THEN '{value}'" for n, value in enumerate(values))
    return f"CASE i %% {len(values)} {cases} END"
