"""The sign-ins of the demo, one for each job; all with the same password, shown to everybody."""

from dataclasses import dataclass

from django.contrib.auth.hashers import make_password

from appointments.demo.hospital import DemoHospital
from appointments.vocabulary import Service
from staff.models import Practitioner, Role, RoleAssignment, Site, Unit, User

DEMO_PASSWORD = "vivalia-14-mai-2022"  # noqa: S105 - shown on the sign-in page of the demo


@dataclass(frozen=True)
class DemoAccount:
    """One sign-in.

    Attributes:
        name: first name and family name; empty for an account of a doctor.
        role: empty for the administrator, whose rights are Django's own.
        site, unit: codes; empty if the role is held everywhere.
        acts_as: the doctor of the account: the one of that site with the most acts of that service
            on the day of the bulletin.
        job: its purpose, in French, for the sign-in page and the console.
    """

    username: str
    name: str
    role: str
    job: str
    site: str = ""
    unit: str = ""
    acts_as: tuple[Service, str] | None = None


ACCOUNTS = (
    DemoAccount("crise1", "Claire Rédactrice", Role.CRISIS_CELL, "Cellule de crise : rédige"),
    DemoAccount("crise2", "Marc Approbateur", Role.CRISIS_CELL, "Cellule de crise : approuve"),
    *(
        DemoAccount(
            f"docteur{number}",
            "",
            Role.DOCTOR,
            f"Médecin à {name} : garde ses patients",
            acts_as=(Service.CONSULTATION, site),
        )
        for number, (name, site) in enumerate(
            (("Arlon", "arlon"), ("Libramont", "libramont"), ("Marche", "marche")), start=1
        )
    ),
    DemoAccount(
        "chirurgien",
        "",
        Role.SURGEON,
        "Chirurgien : donne son avis sur les opérations",
        acts_as=(Service.SURGERY, "libramont"),
    ),
    DemoAccount("infirmiere", "Anne Soignante", Role.NURSE, "Infirmière : donne son avis"),
    DemoAccount(
        "directeur",
        "Paul Directeur",
        Role.MEDICAL_DIRECTOR,
        "Directeur médical : décide des opérations",
    ),
    DemoAccount("agent", "Léa Appelle", Role.CALL_AGENT, "Agent : appelle les patients"),
    DemoAccount(
        "secretariat",
        "Luc Accueil",
        Role.WARD_CLERK,
        "Secrétariat du site d'Arlon : imprime les feuilles",
        site="arlon",
    ),
    DemoAccount(
        "secretariat2",
        "Eva Accueil",
        Role.WARD_CLERK,
        "Secrétariat de la cardiologie de Libramont",
        unit="libramont-cardio",
    ),
    DemoAccount("flux", "Tom Fichier", Role.FEED_OPERATOR, "Opérateur : charge les agendas"),
    DemoAccount("audit", "Inès Contrôle", Role.AUDITOR, "Auditeur : lit tout, ne change rien"),
    DemoAccount("admin", "Ada Référence", "", "Administration des données de référence"),
)


def make_accounts(hospital: DemoHospital) -> None:
    """Make the users, their roles and their agendas; sites, units and doctors exist already."""
    password = make_password(DEMO_PASSWORD)  # hashed once: all accounts have the same password
    sites = {site.code: site for site in Site.objects.all()}
    for account in ACCOUNTS:
        doctor = None
        if account.acts_as:
            doctor = Practitioner.objects.get(code=hospital.busiest(*account.acts_as).code)
        is_admin = not account.role
        first_name, _space, last_name = account.name.partition(" ")
        user = User.objects.create(
            username=account.username,
            first_name=doctor.given_name if doctor else first_name,
            last_name=doctor.family_name if doctor else last_name,
            password=password,
            is_staff=is_admin,
            is_superuser=is_admin,
        )
        if doctor:
            doctor.user = user
            doctor.save(update_fields=["user"])
        if account.role:
            unit = Unit.objects.get(code=account.unit) if account.unit else None
            RoleAssignment.objects.create(
                user=user, role=account.role, site=sites.get(account.site), unit=unit
            )
