"""The words of the rules and of the models: each choice once, with its French label.

FHIR R4 gives the statuses (Appointment.status) and the priorities (RequestPriority); the rest
are the design's own words (DESIGN.md section 3).

The pure rules import this module, hence it imports no more of Django than the base class and the
lazy labels.
"""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Service(TextChoices):
    """What kind of act is planned."""

    CONSULTATION = "consultation", _("Consultation")
    SURGERY = "surgery", _("Opération")
    RADIOLOGY = "radiology", _("Radiologie")
    NUCLEAR_MEDICINE = "nuclear_medicine", _("Médecine nucléaire")
    BLOOD_SAMPLING = "blood_sampling", _("Prise de sang")
    COVID_CENTRE = "covid_centre", _("Centre Covid")
    EMERGENCY = "emergency", _("Urgences")
    DAY_HOSPITAL = "day_hospital", _("Hôpital de jour")
    DIALYSIS = "dialysis", _("Dialyse")
    OTHER = "other", _("Autre")


class Status(TextChoices):
    """What the source says: FHIR R4 Appointment.status, as far as schedules use it."""

    BOOKED = "booked", _("prévu")
    ARRIVED = "arrived", _("arrivé")
    FULFILLED = "fulfilled", _("vu")
    CANCELLED = "cancelled", _("annulé à la source")
    NOSHOW = "noshow", _("absent")
    ENTERED_IN_ERROR = "entered-in-error", _("encodé par erreur")


# What the source still plans: bulletins and people rule on this and on nothing else.
RULED = (Status.BOOKED, Status.ARRIVED)
CALLED_OFF = (Status.CANCELLED, Status.ENTERED_IN_ERROR)  # by the source: nobody comes


class Priority(TextChoices):
    """How soon the act is needed: FHIR R4 RequestPriority."""

    ROUTINE = "routine", _("normale")
    URGENT = "urgent", _("urgente")
    ASAP = "asap", _("dès que possible")
    STAT = "stat", _("immédiate")


class ProtectedGroup(TextChoices):
    """Patients a bulletin may treat apart."""

    PREGNANCY = "pregnancy", _("grossesse")
    CHEMOTHERAPY = "chemotherapy", _("chimiothérapie")
    ONCOLOGY = "oncology", _("oncologie")
    DIABETES = "diabetes", _("diabète")
    CAST = "cast", _("plâtre")


class Ruling(TextChoices):
    """What a clause orders."""

    CANCEL = "cancel", _("annuler")
    MAINTAIN = "maintain", _("maintenir")
    CASE_BY_CASE = "case_by_case", _("au cas par cas")


class Tell(TextChoices):
    """Which outcomes a clause orders to be told."""

    CANCELLED = "cancelled", _("les annulés")
    MAINTAINED = "maintained", _("les maintenus")
    BOTH = "both", _("tous")
    NOBODY = "nobody", _("personne")


class KeptBy(TextChoices):
    """Who may decide otherwise than the clause."""

    NOBODY = "nobody", _("personne")
    DOCTOR = "doctor", _("le médecin concerné")
    MEDICAL_DIRECTOR = "medical_director", _("le Directeur médical")


class Outcome(TextChoices):
    """What holds for an appointment; the empty string means that nothing was decided."""

    CANCELLED = "cancelled", _("annulé")
    MAINTAINED = "maintained", _("maintenu")
    UNDER_REVIEW = "under_review", _("à examiner")


class Basis(TextChoices):
    """On what a decision rests."""

    CLAUSE = "clause", _("bulletin")
    PERSON = "person", _("une personne")
    LAPSE = "lapse", _("bulletin levé")  # the bulletin that ruled it no longer does


class Attended(TextChoices):
    """What happened to one appointment on the day, as the unit saw it."""

    ARRIVED = "arrived", _("arrivé")
    DONE = "done", _("fait")
    ABSENT = "absent", _("pas venu")
    LEFT = "left", _("parti sans être vu")
    CLEARED = "cleared", _("note effacée")  # what was noted before was a mistake


class Extent(TextChoices):
    """What a file is complete for, on its days: only there can something have disappeared."""

    NOTHING = "nothing", _("rien (ce qui n'y figure pas ne dit rien)")
    CHOSEN = "chosen", _("les unités cochées")
    UNITS = "units", _("les unités qu'il nomme")
    SITES = "sites", _("toutes les unités des sites qu'il nomme")
    SOURCE = "source", _("tout ce que la source prévoit")


class AgeRule(TextChoices):
    """Where a source's loads take their export's moment from, when nobody says it."""

    FILE = "file", _("ce que le fichier dit lui-même, sinon inconnu")
    FILE_DATE = "file_date", _("sinon la date d'écriture du fichier")
    LOADING = "loading", _("sinon l'heure du chargement (export immédiat)")


class AgeFrom(TextChoices):
    """Where the moment of an export was found; what is unknown is no choice of a field."""

    UNKNOWN = "", ""
    PERSON = "person", _("indiqué par une personne")
    TITLE = "title", _("lu dans le titre du fichier")
    FILE_NAME = "file_name", _("lu dans le nom du fichier")
    NEWEST_CHANGE = "change", _("dernier changement du fichier")
    FILE_DATE = "file_date", _("date d'écriture du fichier")
    LOADING = "loading", _("heure du chargement")
