"""The words of the rules, as plain strings, for pure code and for the models' choices.

FHIR R4 gives the statuses (Appointment.status) and the priorities (RequestPriority); the rest
are the design's own words (DESIGN.md section 3).
"""

from enum import StrEnum


class Service(StrEnum):
    """What kind of act is planned."""

    CONSULTATION = "consultation"
    SURGERY = "surgery"
    RADIOLOGY = "radiology"
    NUCLEAR_MEDICINE = "nuclear_medicine"
    BLOOD_SAMPLING = "blood_sampling"
    COVID_CENTRE = "covid_centre"
    EMERGENCY = "emergency"
    DAY_HOSPITAL = "day_hospital"
    DIALYSIS = "dialysis"
    OTHER = "other"


class ProtectedGroup(StrEnum):
    """Patients a bulletin may treat apart."""

    PREGNANCY = "pregnancy"
    CHEMOTHERAPY = "chemotherapy"
    ONCOLOGY = "oncology"
    DIABETES = "diabetes"
    CAST = "cast"


class Ruling(StrEnum):
    """What a clause orders."""

    CANCEL = "cancel"
    MAINTAIN = "maintain"
    CASE_BY_CASE = "case_by_case"


class Tell(StrEnum):
    """Which outcomes a clause orders to be told."""

    CANCELLED = "cancelled"
    MAINTAINED = "maintained"
    BOTH = "both"
    NOBODY = "nobody"


class KeptBy(StrEnum):
    """Who may decide otherwise than the clause."""

    NOBODY = "nobody"
    DOCTOR = "doctor"
    MEDICAL_DIRECTOR = "medical_director"


class Outcome(StrEnum):
    """What holds for an appointment; the empty string means that nothing was decided."""

    CANCELLED = "cancelled"
    MAINTAINED = "maintained"
    UNDER_REVIEW = "under_review"


class Basis(StrEnum):
    """On what a decision rests."""

    CLAUSE = "clause"
    PERSON = "person"
    LAPSE = "lapse"  # the bulletin that ruled it no longer does: as planned again


class Channel(StrEnum):
    """Over what a clause orders to tell."""

    SMS = "sms"
    PHONE = "phone"


class Attended(StrEnum):
    """What happened to one appointment on the day, as the unit saw it."""

    ARRIVED = "arrived"
    DONE = "done"
    ABSENT = "absent"
    LEFT = "left"  # came, and went away without having been seen
    CLEARED = "cleared"  # what was noted before was a mistake


class Extent(StrEnum):
    """What a file is complete for, on its days: only there can something have disappeared."""

    NOTHING = "nothing"
    CHOSEN = "chosen"  # those that somebody names, one by one
    UNITS = "units"  # those that it names
    SITES = "sites"  # every unit of those that it names
    SOURCE = "source"  # everything that the source plans


class AgeRule(StrEnum):
    """Where a source's loads take their export's moment from, when nobody says it."""

    FILE = "file"  # what the file itself says: title line, name, newest change
    FILE_DATE = "file_date"  # else the date at which the file was written
    LOADING = "loading"  # the export is made right before it is loaded


class AgeFrom(StrEnum):
    """Where the moment of an export was found."""

    UNKNOWN = ""
    PERSON = "person"
    TITLE = "title"
    FILE_NAME = "file_name"
    NEWEST_CHANGE = "change"
    FILE_DATE = "file_date"
    LOADING = "loading"
