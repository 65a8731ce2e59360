"""Plain functions that make rows for tests: name what the test is about, the rest has a default."""

import datetime as dt
from itertools import count
from zoneinfo import ZoneInfo

from appointments.models import Appointment, Feed
from patients.models import Patient
from patients.names import search_given_name, search_name, search_sound
from staff.models import Practitioner, RoleAssignment, Site, Unit, User

BRUSSELS = ZoneInfo("Europe/Brussels")
MONDAY = dt.date(2022, 5, 16)
_numbers = count(1)


def at(text: str) -> dt.datetime:
    """Return the Brussels moment written ``2022-05-16 09:10``."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=BRUSSELS)


def a_site(code: str = "arlon", **fields) -> Site:
    """Return the site with this code, made on first use."""
    defaults = {"name": code.replace("-", " ").title(), "callback_number": "+3263000000"}
    return Site.objects.get_or_create(code=code, defaults=defaults | fields)[0]


def a_unit(code: str = "arlon-cardio", *, site: str | Site = "arlon", kind: str = "clinic") -> Unit:
    """Return the unit with this code, made on first use."""
    place = site if isinstance(site, Site) else a_site(site)
    defaults = {"site": place, "name": code, "kind": kind}
    return Unit.objects.get_or_create(code=code, defaults=defaults)[0]


def a_user(
    name: str, *roles: str, site: Site | None = None, unit: Unit | None = None, **fields
) -> User:
    """Return a user with these roles at a place (everywhere by default)."""
    user = User.objects.create_user(username=name, password="motdepasse-de-test", **fields)
    for role in roles:
        RoleAssignment.objects.create(user=user, role=role, site=site, unit=unit)
    return user


def a_practitioner(code: str = "p1", *, user: User | None = None) -> Practitioner:
    """Return the practitioner with this code, made on first use."""
    defaults = {"family_name": code.upper(), "user": user}
    return Practitioner.objects.get_or_create(code=code, defaults=defaults)[0]


def a_patient(**fields) -> Patient:
    """Return a new patient with a mobile, unless told otherwise."""
    number = next(_numbers)
    values = {
        "family_name": f"Essai{number}",
        "given_name": "Anne",
        "birth_date": dt.date(1960, 1, 1),
        "mobile": f"+3246{number:07d}",
    } | fields
    name = values["family_name"], values["given_name"]
    values["search_name"] = search_name(*name)
    values["search_given_name"] = search_given_name(*name)
    values["search_sound"] = search_sound(*name)
    return Patient.objects.create(**values)


def an_appointment(
    *,
    service: str = "consultation",
    starts: str = "2022-05-16 09:10",
    unit: Unit | None = None,
    patient: Patient | None = None,
    **fields,
) -> Appointment:
    """Return a booked appointment on Monday 16 May 2022, unless told otherwise."""
    moment = at(starts)
    feed = Feed.objects.get_or_create(name="essai", defaults={"heard_at": moment})[0]
    values = {
        "feed": feed,
        "source_id": f"E{next(_numbers)}",
        "patient": patient or a_patient(),
        "unit": unit or a_unit(),
        "service": service,
        "starts_at": moment,
        "day": moment.date(),
        "loaded_at": moment,
    }
    return Appointment.objects.create(**(values | fields))
