"""What is read out to somebody who rings in about an appointment of which no notice speaks.

In the patient's language, as the notices are; nothing medical.
"""

from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments.models import Appointment, Outcome, Status
from staff import clock


def of_appointment(appointment: Appointment, language: str) -> str:
    """Return the sentence about one appointment.

    Args:
        appointment: with its standing outcome.
        language: the patient's.
    """
    starts_at = appointment.starts_at.astimezone(clock.BRUSSELS)
    with translation.override(language):
        return _sentence(appointment) % {
            "day": date_format(starts_at, "l j F"),
            "time": clock.told_hour(starts_at),
            "new_day": date_format(appointment.postponed_to, "l j F")
            if appointment.postponed_to
            else "",
        }


def of_nothing(language: str) -> str:
    """Return the sentence for somebody of whom nothing is planned."""
    with translation.override(language):
        return _("Nous ne trouvons pas de rendez-vous à venir à votre nom.")


def _sentence(appointment: Appointment) -> str:
    if appointment.status == Status.CANCELLED:
        return _("Votre rendez-vous du %(day)s à %(time)s avait déjà été annulé : ne venez pas.")
    if appointment.outcome == Outcome.MAINTAINED:
        return _("Votre rendez-vous du %(day)s à %(time)s est maintenu : venez comme prévu.")
    if appointment.postponed_to:
        return _(
            "Votre rendez-vous du %(day)s à %(time)s est reporté au %(new_day)s : ne venez pas "
            "avant ce jour. Nous vous dirons l'heure."
        )
    if appointment.outcome == Outcome.CANCELLED:
        return _(
            "Votre rendez-vous du %(day)s à %(time)s est annulé : ne venez pas. Nous vous "
            "recontacterons pour fixer une nouvelle date."
        )
    if appointment.outcome == Outcome.UNDER_REVIEW:
        return _(
            "Pour votre rendez-vous du %(day)s à %(time)s, la décision n'est pas encore prise : "
            "nous vous préviendrons dès qu'elle l'est."
        )
    return _(
        "Votre rendez-vous du %(day)s à %(time)s est toujours prévu : venez, sauf si nous vous "
        "prévenons du contraire."
    )
