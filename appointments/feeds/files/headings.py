"""The columns of a schedule file, and the headings by which files name them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from patients.names import fold
from staff.errors import Refusal
from staff.sentences import Stored
from staff.sentences import gettext_stored as _

_TELLING = ("source_id", "patient_id", "service")
_FEWEST = 4  # headings that a second line of headings has at least
_FIGURE = re.compile(r"[0-9]")
SEARCHED_LINES = 10  # exports often begin with a title and the date of printing
_TELEPHONE = {
    "TEL", "TELS", "TELEPHONE", "TELEPHONES", "TELEPHONIQUE", "TELEFOON", "TELEFOONNUMMER",
    "TELEFOONNR", "TELEFON", "TELNR", "GSM", "GSMNR", "GSMNUMMER", "MOBILE", "MOBIEL", "MOBIELE",
    "PORTABLE", "PHONE", "CELL", "CELLPHONE", "HANDY",
}  # fmt: skip
_CONTACT, _BESIDE_CONTACT = {"CONTACT", "CONTACTS", "CONTACTNUMMER"}, {
    "PATIENT", "DU", "DE", "N", "NO", "NR", "NUMERO", "NUMEROS", "NUMMER", "NUMBER",
}  # fmt: skip
_RELATIVES = {
    "FILLE": "fille", "FILS": "fils", "CONJOINT": "conjoint", "EPOUX": "époux",
    "EPOUSE": "épouse", "FAMILLE": "famille", "FAMILIE": "famille", "PARENT": "parent",
    "PARENTS": "parents", "OUDERS": "parents", "MERE": "mère", "MOEDER": "mère", "PERE": "père",
    "VADER": "père", "PARTNER": "conjoint", "TUTEUR": "tuteur", "VOISIN": "voisin",
    "PROCHE": "proche", "PERSONNE": "proche", "CONTACTPERSOON": "proche", "URGENCE": "proche",
    "NOODGEVAL": "proche", "EMERGENCY": "proche", "KIN": "proche", "RELATIVE": "proche",
}  # fmt: skip
# Words for telephones of other people, and for columns without telephones.
_NOT_THE_PATIENTS = {
    "MEDECIN", "DOCTEUR", "DR", "ARTS", "HUISARTS", "GENERALISTE", "TRAITANT", "PRATICIEN",
    "PRESTATAIRE", "DOCTOR", "PHYSICIAN", "PRACTITIONER", "SERVICE", "DIENST", "UNITE", "UNIT",
    "SITE", "HOPITAL", "ZIEKENHUIS", "HOSPITAL", "SECRETARIAT", "SECRETARIAAT", "MUTUELLE",
    "MUTUALITE", "PHARMACIE", "APOTHEEK", "EMPLOYEUR", "WERKGEVER", "FAX", "NOM", "NAAM", "NAME",
    "DATE", "DATUM", "HEURE", "TYPE", "MAIL", "EMAIL", "LIEN", "RELATION", "REMARQUE",
    "COMMENTAIRE",
}  # fmt: skip


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
    what: Stored
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
TEMPLATE_HEADINGS = tuple(
    title
    for column in COLUMNS
    if column.key not in {"date", "time", "ends_at", "weekday", "changed_at"}
    for title in (column.title, *(["Téléphone"] if column.key == "phones" else []))
)


def _same(text: str) -> str:
    return fold(text).replace(" ", "")


_KEYS = {_same(heading): column.key for column in COLUMNS for heading in column.headings}


def key_of(title: str) -> str | None:
    """Return the column that a heading names; None when it means nothing to us.

    Telephones are called in too many ways to be listed: any heading with a word for them is one,
    unless it says that they are somebody else's ("Tél. médecin traitant").
    """
    if key := _KEYS.get(_same(title)):
        return key
    words = set(re.sub(r"\d+", " ", fold(title)).split())
    if words & _CONTACT and words <= _CONTACT | _BESIDE_CONTACT:
        return "phones"
    return "phones" if words & _TELEPHONE and not words & _NOT_THE_PATIENTS else None


def relative_in(title: str) -> str:
    """Return the relative whose telephones a column holds; empty for the patient's own."""
    return next((_RELATIVES[word] for word in fold(title).split() if word in _RELATIVES), "")


@dataclass(frozen=True)
class Headings:
    """The columns of one file.

    Attributes:
        line: where the headings stand.
        width: number of cells up to the last heading; a separator behind it adds none.
        places: for each key of a column, the positions that carry it, in the file's order.
        titles: for each position, the heading as the file writes it.
        unused: headings that mean nothing to us, as the file writes them.
    """

    line: int
    width: int
    places: dict[str, tuple[int, ...]]
    titles: tuple[str, ...]
    unused: tuple[str, ...]

    def title_of(self, key: str) -> str:
        """Return the file's heading for a key, or ours when the file has none."""
        for alternative in (key, *(("date", "time") if key == "starts_at" else ())):
            if alternative in self.places:
                return self.titles[self.places[alternative][0]]
        return BY_KEY[key].title

    def are_repeated(self, cells: Sequence[object]) -> bool:
        """Whether a row is a line of headings once more, in this order or another."""
        for key in _TELLING:
            place = self.places.get(key, (len(cells),))[0]
            cell = cells[place] if place < len(cells) else ""
            # No heading of these has a figure in it, and nearly every number has.
            if isinstance(cell, str) and not _FIGURE.search(cell) and key_of(cell):
                return known(cells) >= max(_FEWEST, sum(map(bool, cells)) // 2)
        return False


def known(cells: Iterable[object]) -> int:
    """Return how many different columns of ours a row names."""
    return len({key for cell in cells if (key := key_of(str(cell)))})


def find(rows: Sequence[tuple[int, Sequence[object]]]) -> Headings:
    """Return the headings among the first rows of a file.

    Args:
        rows: line number and cells of the first rows.

    Raises:
        Refusal: no headings, a required column missing, or a column there twice.
    """
    candidates = rows[:SEARCHED_LINES]
    best = max(candidates, key=lambda row: known(row[1]), default=None)
    if best is None or known(best[1]) == 0:
        found = (
            ", ".join(str(cell) for cell in candidates[0][1] if cell != "") if candidates else ""
        )
        raise Refusal(
            _(
                "Aucun titre de colonne connu dans les premières lignes (trouvé : %(found)s). "
                "Mettez les titres du modèle sur la première ligne."
            )
            % {"found": shortened(found)}
        )
    return read(*best)


def read(line: int, cells: Sequence[object]) -> Headings:
    """Return the headings that a row holds.

    Raises:
        Refusal: a required column is missing, or there twice.
    """
    headings = _read(line, [str(cell).strip() for cell in cells])
    _check(headings)
    return headings


def _read(line: int, titles: list[str]) -> Headings:
    places: dict[str, tuple[int, ...]] = {}
    unused = []
    for position, title in enumerate(titles):
        key = key_of(title)
        if key is not None:
            places[key] = (*places.get(key, ()), position)
        elif title:
            unused.append(title)
    if "weekday" in places and "date" not in places:
        places["date"] = places["weekday"]  # a column "Jour" may hold the date itself
    if "phones" in places:  # the patient's own numbers before those of relatives
        own_first = sorted(places["phones"], key=lambda at: bool(relative_in(titles[at])))
        places["phones"] = tuple(own_first)
    width = max((at + 1 for at, title in enumerate(titles) if title), default=0)
    return Headings(line, width, places, tuple(titles), tuple(unused))


def _check(headings: Headings) -> None:
    for key, positions in headings.places.items():
        if len(positions) > 1 and not BY_KEY[key].repeats:
            raise Refusal(
                _("Les colonnes %(titles)s disent la même chose : n'en gardez qu'une.")
                % {"titles": " et ".join(f"« {headings.titles[at]} »" for at in positions)}
            )
    missing = [c.title for c in COLUMNS if c.required and c.key not in headings.places]
    if not {"starts_at", "date"} & headings.places.keys():
        missing.append(BY_KEY["starts_at"].title)
    if missing:
        raise Refusal(
            _(
                "Colonne obligatoire absente : %(missing)s. Titres trouvés à la ligne %(line)s : "
                "%(found)s."
            )
            % {
                "missing": ", ".join(missing),
                "line": headings.line,
                "found": shortened(", ".join(filter(None, headings.titles))),
            },
            field=missing[0],
        )


def shortened(text: str, longest: int = 160) -> str:
    """Return a text cut to fit into a sentence."""
    return text if len(text) <= longest else text[: longest - 1] + "…"
