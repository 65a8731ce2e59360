"""One sound day of the crisis to break, and what is then said of it."""

import time_machine

from appointments.decisions import keeping
from appointments.models import Appointment
from appointments.operations import services as operations
from notifications.gateways import gateway_from_url
from notifications.models import Delivery, Notice
from notifications.sending import dispatch
from tests.appointments.bulletins.builders import RELEASE, in_force
from tests.builders import a_patient, a_practitioner, a_user, an_appointment
from vivalia_continuity.promises import PROMISES


def a_day() -> dict[str, Appointment]:
    """Return appointments of which one is told, one kept, one ruled on and one still to call."""
    doctor = a_user("docteur", "doctor")
    director = a_user("directeur", "medical_director")
    practitioner = a_practitioner(user=doctor)
    appointments = {
        "told": an_appointment(practitioner=practitioner),
        "kept": an_appointment(practitioner=practitioner, starts="2022-05-16 09:30"),
        "operation": an_appointment(service="surgery"),
        "emergency": an_appointment(service="emergency"),
        "sample": an_appointment(service="blood_sampling"),
        "landline": an_appointment(patient=a_patient(mobile="", landline="+3263012345")),
        "dialysis": an_appointment(service="dialysis"),
    }
    in_force()
    keeping.keep(appointment_id=appointments["kept"].pk, by=doctor)
    operations.rule(appointment_id=appointments["operation"].pk, by=director, outcome="maintained")
    with time_machine.travel(RELEASE, tick=False):
        dispatch.run(worker="essai", gateways=[gateway_from_url("console://")])
    for appointment in appointments.values():
        appointment.refresh_from_db()
    return appointments


def faults(number: int) -> list[str]:
    """Return what is said of one promise."""
    return PROMISES[number - 1].faults()


def notice_of(appointment: Appointment) -> Notice:
    """Return the notice that stands about an appointment."""
    return Notice.objects.filter(items__subject_id=appointment.pk).exclude(state="withdrawn").get()


def delivery_of(appointment: Appointment) -> Delivery:
    """Return its only try."""
    return Delivery.objects.get(notice=notice_of(appointment))
