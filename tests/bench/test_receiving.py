"""Taking receipts: what each costs our own process, and all of it in seconds.

``BENCH_RECEIPTS`` receipts (default 20,000) of messages that wait, in reports of 1,000, nine of
ten saying "delivered"; then the same again, which must change nothing.
"""

import datetime as dt
import os
import time
from collections.abc import Sequence

import pytest
from django.db import connection
from django.utils import timezone

from notifications.gateways import ReceiptReport
from notifications.models import Delivery, Notice, ReceiptState
from notifications.receipts import receive as receiving
from patients.models import Patient
from staff.database import is_postgresql
from tests.builders import a_site, at

pytestmark = [pytest.mark.bench, pytest.mark.django_db]
NUMBER = int(os.environ.get("BENCH_RECEIPTS", "20000"))
AT_ONCE = 1000
GATEWAY = "smpp bench"


def waiting_messages() -> list[ReceiptReport]:
    """Make messages that wait for their receipt, and return the receipts."""
    site, moment = a_site(), at("2022-05-16 09:10")
    patients = Patient.objects.bulk_create(
        Patient(family_name="Essai", mobile=f"+3247{n:07d}", search_name="ESSAI")
        for n in range(NUMBER)
    )
    notices = Notice.objects.bulk_create(
        Notice(
            patient=patient,
            day=moment.date(),
            version=1,
            site=site,
            first_at=moment,
            created_at=moment - dt.timedelta(days=2),
            handed_over_at=moment - dt.timedelta(days=1),
        )
        for patient in patients
    )
    Delivery.objects.bulk_create(
        Delivery(
            notice=notice,
            channel="sms",
            state="accepted",
            address=notice.patient.mobile,
            not_before=notice.created_at,
            gateway=GATEWAY,
            client_reference=f"{n:032x}",
            provider_id=f"{n:x}",
            submitted_at=notice.handed_over_at,
            lease_until=timezone.now() + dt.timedelta(hours=1),
        )
        for n, notice in enumerate(notices)
    )
    if is_postgresql():
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return [a_receipt(n, notice) for n, notice in enumerate(notices)]


def a_receipt(n: int, notice: Notice) -> ReceiptReport:
    """Return a receipt as an SMSC gives it: by its own number, in two forms."""
    return ReceiptReport(
        state=ReceiptState.FAILED if n % 10 == 9 else ReceiptState.DELIVERED,
        provider_ids=(str(n), f"{n:x}"),
        phone=notice.patient.mobile,
        happened_at=notice.created_at,
        remark="stat:DELIVRD err:000",
    )


def take(receipts: Sequence[ReceiptReport]) -> tuple[float, float, int]:
    """Return seconds, seconds of this process, and how many were matched."""
    began, worked = time.perf_counter(), time.process_time()
    matched = sum(
        receiving.receive(gateway=GATEWAY, reports=receipts[n : n + AT_ONCE]).matched
        for n in range(0, len(receipts), AT_ONCE)
    )
    return time.perf_counter() - began, time.process_time() - worked, matched


def test_receipts() -> None:
    receipts = waiting_messages()
    for what, expected in (("new", NUMBER), ("again", 0)):
        seconds, own, matched = take(receipts)
        print(
            f"\n{connection.vendor}, {NUMBER} receipts {what}: {seconds:.2f} s"
            f" = {NUMBER / seconds:,.0f}/s, of which this process {own / NUMBER * 1e6:.0f} µs each"
        )
        assert matched == expected
