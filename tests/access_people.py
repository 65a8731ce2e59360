"""The data set and the people of the access matrix: a small hospital, everybody in every place."""

from dataclasses import dataclass

from django.core.files.base import ContentFile

from appointments.bulletins.preview import preview
from appointments.bulletins.public_text import PublicText, public_texts
from appointments.bulletins.queries import days_ruled, fingerprint, places
from appointments.decisions import keeping
from appointments.decisions.rulings import clauses_of
from appointments.models import (
    Appointment,
    Bulletin,
    ImportState,
    RefusedRow,
    Roster,
    ScheduleImport,
)
from notifications.models import Delivery, Receipt, Reply
from patients.models import LinkProposal, PatientIdentifier
from staff.models import Delegation, Practitioner, Role, RoleAssignment, Unit, User
from tests import access_matrix as matrix
from tests.appointments.bulletins.builders import SATURDAY_NOON, THE_DAY, a_draft, approved
from tests.builders import (
    MONDAY,
    a_patient,
    a_practitioner,
    a_site,
    a_unit,
    a_user,
    an_appointment,
)
from tests.notifications.builders import a_call, a_notice, an_sms


@dataclass(frozen=True)
class Person:
    """Somebody who asks: the user (None: nobody is signed in), their role, and where it holds."""

    user: User | None
    role: str = ""
    place: str = matrix.GROUP
    is_own: bool = False

    def __str__(self) -> str:
        if self.user is None:
            return "a stranger"
        if self.role not in matrix.EVERYBODY:
            return self.user.username
        return f"the patient's own {self.role}" if self.is_own else f"{self.role} {self.place}"


@dataclass(frozen=True)
class House:
    """The objects that the rows of the matrix name, and everybody who asks for them."""

    objects: dict[str, object]
    people: list[Person]


def a_house() -> House:
    """Return the hospital at Saturday noon: a bulletin in force, one drafted, all else once."""
    unit = a_unit("arlon-cardio")
    Unit.objects.filter(pk=unit.pk).update(name=matrix.UNIT_NAME)
    theatre = a_unit("arlon-bloc", kind="operating_theatre")
    owner = a_user("owner", Role.DOCTOR, Role.SURGEON)
    doctor = a_practitioner("dr-owner", user=owner)
    consultation, kept = (_with_patient(unit=unit, practitioner=doctor) for _ in range(2))
    operation = _with_patient(unit=theatre, practitioner=doctor, service="surgery")
    bulletin, draft = _bulletins()
    keeping.keep(appointment_id=kept.pk, by=owner)
    call = a_call(a_notice(patient=a_patient(family_name=matrix.PATIENT)), not_before=SATURDAY_NOON)
    an_sms(call.notice, state="failed", failure="invalid_number", finished_at=SATURDAY_NOON)
    lost = an_sms(a_notice(patient=a_patient(family_name=matrix.PATIENT)), state="unknown")
    message = Delivery.objects.get(channel="sms", notice__patient=consultation.patient)
    objects = {
        "consultation": consultation.pk,
        "kept": kept.pk,
        "operation": operation.pk,
        "delegation": _a_delegation().pk,
        "bulletin": bulletin.pk,
        "draft": draft.pk,
        "seen": fingerprint(draft, clauses_of(draft)),
        "text_seen": _text_of(draft).seen,
        "told": preview(draft.pk).patients_to_tell,
        "message": message.pk,
        "call": call.pk,
        "reply": _what_came_back(call).pk,
        "lost": lost.pk,
        "unknown_queue": "unknown",
        "tell": "told",
        "patient": consultation.patient_id,
        "unit": unit.pk,
        "monday": MONDAY,
        "roster": _a_roster(unit).pk,
        "load": _a_load(owner).pk,
        "refused": _a_refused_row().pk,
        "source": "essai",
        "linked": _a_linked_record().pk,
        "alike": _a_likeness().pk,
        "csv": "csv",
        "fr": "fr",
        "cancelled": "cancelled",
    }
    return House(objects, _people([unit, theatre], doctor, owner))


def _text_of(draft: Bulletin) -> PublicText:
    names, days = places().names, days_ruled(draft)
    return public_texts(draft, clauses_of(draft), names, days)[0]


def _a_delegation() -> Delegation:
    """Return a delegation between two who ask for nothing."""
    delegate = a_user("the colleague of another doctor", Role.DOCTOR)
    return Delegation.objects.create(
        practitioner=a_practitioner("dr-other"), delegate=delegate, given_at=SATURDAY_NOON
    )


def _what_came_back(call: Delivery) -> Reply:
    told = {"gateway": "essai", "received_at": SATURDAY_NOON}
    Receipt.objects.create(key="1", state="delivered", provider_id=matrix.RECEIPT, **told)
    return Reply.objects.create(
        key="2",
        phone=call.notice.patient.mobile,
        text="STOP",
        meaning="stop",
        patient=call.notice.patient,
        notice=call.notice,
        **told,
    )


def _with_patient(**fields) -> Appointment:
    return an_appointment(patient=a_patient(family_name=matrix.PATIENT), **fields)


def _bulletins() -> tuple[Bulletin, Bulletin]:
    ruling = approved(a_draft())
    Bulletin.objects.filter(pk=ruling.pk).update(title="Bulletin du jour")
    draft = a_draft(*THE_DAY[:3])
    Bulletin.objects.filter(pk=draft.pk).update(title=matrix.DRAFT_TITLE)
    draft.refresh_from_db()
    return ruling, draft


def _a_roster(unit: Unit) -> Roster:
    roster = Roster(unit=unit, day=MONDAY, version=1, state="ready", made_at=SATURDAY_NOON)
    roster.file.save("essai.pdf", ContentFile(b"%PDF-1.7"), save=False)
    roster.save()
    return roster


def _a_refused_row() -> RefusedRow:
    feed = Appointment.objects.select_related("feed")[0].feed
    return RefusedRow.objects.create(
        feed=feed, key="R9", line=9, name=matrix.PATIENT, why="essai", refused_at=SATURDAY_NOON
    )


def _a_linked_record() -> PatientIdentifier:
    says = {"family_name": matrix.PATIENT, "given_name": "", "birth_date": "", "language": "fr"}
    return PatientIdentifier.objects.create(
        patient=a_patient(family_name=matrix.PATIENT),
        system="essai",
        value="D-linked",
        linked_at=SATURDAY_NOON,
        linked_says=says | {"national_number": "", "phones": []},
    )


def _a_likeness() -> LinkProposal:
    record = PatientIdentifier.objects.create(
        patient=a_patient(family_name=matrix.PATIENT), system="essai", value="D-alike"
    )
    return LinkProposal.objects.create(
        record=record,
        other=a_patient(family_name=matrix.PATIENT),
        likeness="names",
        proposed_at=SATURDAY_NOON,
    )


def _a_load(by: User) -> ScheduleImport:
    feed = Appointment.objects.select_related("feed")[0].feed
    load = ScheduleImport.objects.create(
        feed=feed,
        state=ImportState.CHECKED,
        file_name=matrix.FILE_NAME,
        is_dry_run=True,
        started_at=SATURDAY_NOON,
        finished_at=SATURDAY_NOON,
        started_by=by,
    )
    load.rejected_rows.create(line=3, column="Date", value="31/02/2022", why="N'existe pas.")
    return load


def _people(units: list[Unit], doctor: Practitioner, owner: User) -> list[Person]:
    """Return a stranger, people without a role, and each role in each place.

    "In the unit" means in the unit of the object, so that role is held in both units of the data
    set; the other unit of the site and the other site hold none of its objects.
    """
    places: dict[str, list[dict]] = {
        matrix.GROUP: [{}],
        matrix.SITE: [{"site": a_site("arlon")}],
        matrix.UNIT: [{"unit": unit} for unit in units],
        matrix.OTHER_UNIT: [{"unit": a_unit("arlon-ortho")}],
        matrix.OTHER_SITE: [{"site": a_site("virton")}],
    }
    roles = [(role, place) for role in Role.values for place in places]
    users = User.objects.bulk_create(
        User(username=f"{role} {place}", password="!") for role, place in roles
    )
    people = [Person(user, role, place) for user, (role, place) in zip(users, roles, strict=True)]
    RoleAssignment.objects.bulk_create(
        RoleAssignment(user=person.user, role=person.role, **held)
        for person in people
        for held in places[person.place]
    )
    nobody = a_user("somebody without a role")
    administrator = User.objects.create_superuser(
        "an administrator", password="cheval vert sous la table"
    )
    delegates = [
        Person(
            a_user(f"the doctor's delegate, a {role}", role, site=a_site("virton")),
            role,
            matrix.OTHER_SITE,
            is_own=True,
        )
        for role in (Role.DOCTOR, Role.NURSE, Role.WARD_CLERK)
    ]
    Delegation.objects.bulk_create(
        Delegation(practitioner=doctor, delegate=person.user, given_at=SATURDAY_NOON)
        for person in delegates
    )
    return [
        Person(None),
        Person(nobody),
        Person(administrator, matrix.ADMINISTRATOR),
        Person(owner, Role.SURGEON, is_own=True),
        *delegates,
        *people,
    ]
