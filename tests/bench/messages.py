"""Many SMS that are due, written by the database itself."""

import datetime as dt

from django.db import connection
from django.utils import timezone

from notifications.models import Delivery, DeliveryPart, Notice, NoticeItem, Receipt
from staff import clock
from tests.bench.appointments import SERIES
from tests.builders import a_site


def fill_queue(number: int) -> None:
    """Write ``number`` patients with one notice each about the day after tomorrow, all due."""
    site = a_site()
    series = SERIES[connection.vendor == "postgresql"].format(n=number)
    day = clock.today() + dt.timedelta(days=2)
    now = timezone.now() - dt.timedelta(hours=1)
    values = {"site": site.pk, "day": f"'{day}'", "now": f"'{now:%Y-%m-%d %H:%M:%S}+00:00'"}
    starts_at = f"'{day} 08:10:00+00:00'"
    true = "TRUE" if connection.vendor == "postgresql" else "1"
    false = "FALSE" if connection.vendor == "postgresql" else "0"
    with connection.cursor() as cursor:
        for statement in (
            f"""INSERT INTO patients_patient (family_name, given_name, birth_date, language,
                    national_number, national_number_valid, mobile, landline, search_name)
                SELECT 'NOM', 'Prénom', '1960-01-01', 'fr', '', {true},
                    '+3245' || (9000000 + i), '', 'NOM' FROM {series}""",
            """INSERT INTO notifications_notice (patient_id, day, version, state, site_id,
                    first_at, created_at)
                SELECT id, {day}, 1, 'open', {site}, {starts_at}, {now} FROM patients_patient
                WHERE mobile LIKE '+3245%%'""",
            """INSERT INTO notifications_noticeitem (notice_id, subject_id, starts_at, site_id,
                    word)
                SELECT id, id, {starts_at}, {site}, 'cancelled' FROM notifications_notice""",
            """INSERT INTO notifications_delivery (notice_id, channel, number, state, address,
                    not_before, urgency, ignores_quiet_hours, body, parts, gateway,
                    client_reference, provider_id, claimed_by, failure, remark)
                SELECT n.id, 'sms', 1, 'queued', p.mobile, {now}, 99990, {false}, '', 0, '', '', '',
                    '', '', ''
                FROM notifications_notice n JOIN patients_patient p ON p.id = n.patient_id""",
        ):
            cursor.execute(statement.format(**values, starts_at=starts_at, false=false), [])
        cursor.execute("ANALYZE")


def everyone_is_told() -> bool:
    """Whether no notice is open any more."""
    return not Notice.objects.filter(state="open").exists()


def texts_of_queue(number: int) -> list[tuple[str, str]]:
    """Return (phone, text) as they will leave, for the client that knows no database."""
    text = "Vivalia: votre rendez-vous du mer. 25/11 at 09:10 est ANNULE. Ne venez pas. "
    text += "Nous vous rappellerons. Infos +32 63 00 00 00. Ref. 223K-7QF"
    addresses = Delivery.objects.order_by("id").values_list("address", flat=True)[:number]
    return [(address, text) for address in addresses]


def empty_queue() -> None:
    """Forget all messages, and how gateways stood, so that the next round starts alike."""
    tables = [
        model._meta.db_table for model in (Receipt, DeliveryPart, Delivery, NoticeItem, Notice)
    ]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
        else:
            for table in tables:
                cursor.execute(f"DELETE FROM {table}")
        cursor.execute("DELETE FROM notifications_gatewaystate")
        cursor.execute("DELETE FROM patients_patient WHERE mobile LIKE '+3245%%'", [])
