"""The columns of a schedule file: what they are called, which must be there, what goes in.

The reader, the template to download and docs/schedule-files.md all follow this one list.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        key: name of the field of ``ScheduleRecord`` that it fills (or helps to fill).
        title: heading of the template, French.
        others: other headings understood, French, Dutch and English, with bars between; case,
            accents and spaces do not matter.
        example: a value as it may stand in the file.
        longest: most characters that the database holds; None for what is not kept as text.
        required: a file without this column is refused.
        repeats: several columns of a file may carry it.
    """

    key: str
    title: str
    others: str
    example: str
    what: Promise | str
    longest: int | None = None
    required: bool = False
    repeats: bool = False

    @property
    def headings(self) -> tuple[str, ...]:
        """Every heading understood, ours first."""
        return (self.title, *self.others.split(" | "))


COLUMNS: tuple[Column, ...] = (
    Column(
        "source_id",
        "Numéro de rendez-vous",
        "n° rdv | numéro rdv | no rdv | id rdv | rdv id | identifiant rdv | n° rendez-vous "
        "| id rendez-vous | afspraaknummer | nummer afspraak | afspraaknr | afspraak id | "
        "appointment number | appointment id | appointment no | source id",
        "RDV-2022-000123",
        _("le même d'un export à l'autre"),
        longest=80,
        required=True,
    ),
    Column(
        "patient_id",
        "Numéro de dossier",
        "n° dossier | no dossier | dossier | numéro patient | n° patient | id patient | "
        "patient id | dossiernummer | dossiernr | patiëntnummer | patiëntnr | record number "
        "| medical record number | mrn | patient number",
        "D004711",
        _("le numéro par lequel la source connaît le patient"),
        longest=80,
        required=True,
    ),
    Column(
        "family_name",
        "Nom",
        "nom de famille | nom patient | nom du patient | naam | familienaam | achternaam | "
        "naam patiënt | family name | last name | surname",
        "Dupont",
        _("nom de famille du patient"),
        longest=80,
        required=True,
    ),
    Column(
        "given_name",
        "Prénom",
        "prénom patient | prénom du patient | prénoms | voornaam | voornaam patiënt | first "
        "name | given name | forename",
        "Anne",
        _("prénom du patient"),
        longest=80,
    ),
    Column(
        "birth_date",
        "Date de naissance",
        "naissance | né le | né(e) le | ddn | geboortedatum | geboren op | birth date | "
        "date of birth | dob",
        "03/11/1958",
        _("jour/mois/année ou année-mois-jour"),
    ),
    Column(
        "language",
        "Langue",
        "langue patient | langue du patient | taal | taal patiënt | language",
        "fr",
        _("fr, nl, de ou en ; ou le mot entier"),
    ),
    Column(
        "national_number",
        "Numéro national",
        "n° national | niss | registre national | numéro de registre national | nrn | inss "
        "| rijksregisternummer | rijksregisternr | insz | ssin | national number | national "
        "register number",
        "58.11.03-002.39",
        _("NISS ou BIS ; un numéro faux est signalé, jamais refusé"),
        longest=20,
    ),
    Column(
        "phones",
        "GSM",
        "mobile | portable | téléphone mobile | n° gsm | numéro gsm | gsm patient | gsm- "
        "nummer | gsmnr | mobiel | mobiele telefoon | mobile phone | cell phone | téléphone "
        "| tél | téléphone fixe | fixe | téléphone privé | téléphone 1 | téléphone 2 | "
        "autre téléphone | tel 1 | tel 2 | telefoon | telefoonnummer | vaste lijn | "
        "telefoon 1 | telefoon 2 | phone | phone number | telephone | landline | home phone "
        "| phone 1 | phone 2",
        "0460 00 00 00",
        _(
            "autant de colonnes qu'il y en a, sous tout titre qui dit « tél. », « GSM » ou "
            "« contact » ; une cellule peut contenir plusieurs numéros ; GSM et fixe sont "
            "distingués d'eux-mêmes"
        ),
        repeats=True,
    ),
    Column(
        "site",
        "Site",
        "hôpital | campus | code site | ziekenhuis | vestiging | hospital | site code",
        "arlon",
        _("code ou nom du site ; vide : celui de l'unité"),
        longest=80,
    ),
    Column(
        "unit",
        "Unité",
        "code unité | unité de soins | lieu | eenheid | afdeling | afdelingscode | "
        "eenheidscode | unit | unit code | ward | department | location",
        "arlon-cardiologie",
        _("code ou nom de l'unité, comme dans les données de référence"),
        longest=80,
        required=True,
    ),
    Column(
        "unit_name",
        "Nom de l'unité",
        "libellé unité | nom unité | naam eenheid | naam afdeling | unit name | department name",
        "Cardiologie",
        _("facultatif ; sert quand le code n'est pas connu"),
        longest=80,
    ),
    Column(
        "service",
        "Activité",
        "service | type d'activité | type de rendez-vous | type rdv | activiteit | dienst | "
        "soort afspraak | type afspraak | activity | service type | appointment type",
        "consultation",
        _(
            "consultation, opération, radiologie, médecine nucléaire, prise de sang, centre "
            "Covid, urgences, hôpital de jour, dialyse ou autre"
        ),
        required=True,
    ),
    Column(
        "practitioner_code",
        "Code praticien",
        "code médecin | id médecin | inami | n° inami | artscode | code arts | riziv | "
        "rizivnummer | practitioner code | doctor code | doctor id",
        "10203040",
        _("facultatif ; un praticien inconnu est créé"),
        longest=40,
    ),
    Column(
        "practitioner_name",
        "Praticien",
        "médecin | nom du médecin | nom du praticien | nom praticien | docteur | "
        "prestataire | arts | naam arts | zorgverlener | practitioner | doctor | doctor "
        "name | practitioner name | physician",
        "Dr Martin, Claire",
        _("facultatif ; « Nom, Prénom » de préférence"),
        longest=160,
    ),
    Column(
        "starts_at",
        "Date et heure",
        "date heure | date/heure | début | date et heure du rendez-vous | date de début | "
        "datum en uur | datum/uur | datum en tijd | tijdstip | begin | aanvang | date and "
        "time | datetime | date time | start | starts at | start time",
        "16/05/2022 09:10",
        _("ou deux colonnes, Date et Heure"),
    ),
    Column(
        "date",
        "Date",
        "date rdv | date du rendez-vous | datum | datum afspraak | appointment date",
        "16/05/2022",
        _("avec la colonne Heure, à la place de Date et heure"),
    ),
    Column(
        "time",
        "Heure",
        "heure rdv | heure du rendez-vous | heure de début | heure début | plage horaire | "
        "plage | tranche horaire | créneau | horaire | uur | tijd | uur afspraak | beginuur "
        "| starttijd | tijdslot | time | appointment time | time slot | timeslot",
        "09:10",
        _("avec la colonne Date ; une plage (09:10-09:30) donne le début et la durée"),
    ),
    Column(
        "ends_at",
        "Fin",
        "heure de fin | heure fin | date de fin | date et heure de fin | einde | einduur | "
        "eindtijd | datum einde | end | end time | ends at | end date",
        "09:30",
        _("facultatif ; moment ou heure de la fin, donne la durée"),
        repeats=True,
    ),
    Column(
        "weekday",
        "Jour",
        "jour de la semaine | dag | weekdag | day | weekday",
        "lundi",
        _("facultatif ; à côté de la date, il la contrôle ; sans colonne Date, c'est la date"),
    ),
    Column(
        "minutes",
        "Durée",
        "durée (min) | durée en minutes | minutes | duur | duur (min) | minuten | duration "
        "| duration (min)",
        "20",
        _("en minutes"),
    ),
    Column(
        "act",
        "Acte",
        "libellé | prestation | motif | description | examen | intervention | handeling | "
        "omschrijving | prestatie | onderzoek | act | procedure | reason",
        "Échographie cardiaque",
        _("n'entre jamais dans un SMS"),
        longest=200,
    ),
    Column(
        "status",
        "Statut",
        "état | statut rdv | status | toestand | appointment status | state",
        "prévu",
        _("prévu, arrivé, vu, annulé, absent ou erreur ; vide : prévu"),
    ),
    Column(
        "priority",
        "Urgence",
        "priorité | degré d'urgence | urgentie | prioriteit | urgency | priority",
        "normale",
        _("normale, urgente, dès que possible ou immédiate ; vide : normale"),
    ),
    Column(
        "changed_at",
        "Modifié le",
        "dernière modification | date de modification | dernier changement | mis à jour le | "
        "gewijzigd op | laatste wijziging | laatst gewijzigd | last modified | last change | "
        "modified at | changed at | updated at",
        "13/05/2022 17:42",
        _("facultatif ; le plus récent dit l'âge de l'export"),
    ),
    Column(
        "protected_groups",
        "Groupes protégés",
        "groupe protégé | groupe | beschermde groepen | beschermde groep | protected groups "
        "| protected group",
        "grossesse",
        _("grossesse, chimiothérapie, oncologie, diabète, plâtre ; plusieurs séparés par « + »"),
    ),
)

BY_KEY = {column.key: column for column in COLUMNS}
# The template asks for the moment in one column, and for the landline beside the mobile.
TEMPLATE_HEADINGS: tuple[tuple[str, str], ...] = tuple(
    pair
    for column in COLUMNS
    if column.key not in {"date", "time", "ends_at", "weekday", "changed_at"}
    for pair in (
        [(column.title, column.example), ("Téléphone", "063 00 00 00")]
        if column.key == "phones"
        else [(column.title, column.example)]
    )
)
