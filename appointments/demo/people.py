"""The demo's hospitals with their units and doctors, and nine thousand invented patients.

Patients live in households that share landlines and mobiles. The names are common in the province
of Luxembourg and around it.

As far as we know, nobody has these numbers. In any case, the demo's gateway never sends.

- **Germany** reserves numbers for films; of those, the mobiles here are 0171 39200 00 to 99
  (Bundesnetzagentur, "Rufnummern für Medienproduktionen", Mitteilung 148/2021).
- **France** does too (ARCEP: 03 53 01 and 06 39 98, four free digits each). libphonenumber does
  not take 06 39 98 for a mobile, so the French here have the landline range only.
- **Belgium** has no such range. +32 459 is a mobile range by its form (libphonenumber:
  ``4[5-9]\\d{7}``) that no operator holds in libphonenumber's table of carriers
  (resources/carrier/en/32.txt). For landlines the number after the area code starts with 0,
  which no number did while 0 alone led out of the area; whether such blocks were given out
  since is not known to us.
- **Luxembourg** has none either. +352 679 is a mobile range by its form that no operator holds
  in the table of carriers (resources/carrier/en/352.txt).
- **National number**: six digits of birth date, three of a daily counter, two check digits (97
  minus the rest of the first nine divided by 97, with a 2 in front for those born from 2000 on).
  The counter runs from 001 to 998, odd for men and even for women; the demo uses 999 and 000, so
  that the check digits are right and the number is nobody's.
"""

import datetime as dt
from dataclasses import dataclass, field
from random import Random

from appointments.vocabulary import ProtectedGroup, Service

_FAMILY_NAMES = {
    "fr": (
        "Adam Antoine Arnould Baijot Balthazar Barthélemy Bastin Baudoin Bernard Bertrand Bodart "
        "Bodson Bosquée Bouillon Bourguignon Bradfer Brasseur Calay Cara Charlier Clarinval "
        "Claude Clausse Collard Collignon Collin Conrard Copine Cornet Culot Dassy Davreux "
        "Debatty Defoy Dehard Delacroix Delaisse Delvaux Demoulin Denis Détaille Devillet "
        "Didier Docquier Dominique Dropsy Dumont Dury Éloy Englebert Évrard Fagny Fontaine "
        "Fourny François Frognet Gaspard Gatin Gavroy Georges Gérard Gerouville Gillet Gilson "
        "Godfroid Goffinet Grandjean Graisse Gribaumont Guillaume Guiot Habran Hainaut Halleux "
        "Hardy Hautot Henrotte Henry Herbeuval Hubert Hubermont Incoul Istace Jacob Jacoby "
        "Jacquemart Jacques Jadot Jamotte Jeanty Joris Kinard Laboulle Lambert Lamotte "
        "Lannoy Laurent Lecomte Ledent Lefèvre Lejeune Léonard Lequeux Libert Louppe Magnette "
        "Maillen Maréchal Marenne Martin Massard Mathieu Mathurin Maury Mernier Michaux Michel "
        "Minet Molitor Moreau Mouzon Nannan Nicolas Nizet Noël Nollevaux Octave Otjacques "
        "Paquay Paquet Pêcheur Penoy Perpète Petitjean Pierrard Pierret Piette Pigeon Pirard "
        "Poncelet Poncin Quirin Rausch Ravet Rémy Renauld Renson Richard Rion Robinet Rogier "
        "Rolin Rossignon Rouard Saudmont Schmitz Servais Simon Sosson Spoiden Stévenin Thiry "
        "Thomas Thiltges Tinant Toussaint Urbain Valet Vannérus Verlaine Vincent Voz Warnimont "
        "Wauthier Wavreille Wiame Yernaux Zacharie Zune"
    ),
    "de": (
        "Becker Bock Dahm Faber Feller Fisch Goebel Heinen Jost Keiser Kirsch Klein Lentz "
        "Leyens Maraite Mertens Müller Neumann Peters Pint Reuter Schaus Scholl Theis Wagner Weber"
    ),
    "nl": (
        "Aerts Claes Cools De_Backer De_Clercq De_Smet Goossens Hendrickx Janssens Lemmens "
        "Maes Mertens Peeters Van_Damme Van_den_Broeck Vermeulen Wouters Willems"
    ),
    "en": "Baker Carter Hughes Kelly Murphy O'Brien Turner Walsh",
}
_WOMEN = {
    "fr": (
        "Adèle Agnès Alice Aline Amélie Andrée Anne Annick Aurélie Béatrice Bernadette Camille "
        "Caroline Cécile Céline Chantal Chloé Christiane Claire Clémence Colette Danielle Élise "
        "Émilie Emma Estelle Eugénie Fabienne Florence Françoise Geneviève Georgette Ginette "
        "Hélène Inès Isabelle Jacqueline Jeanne Joëlle Julie Juliette Justine Laurence Léa Lina "
        "Louise Lucie Madeleine Manon Marcelle Marguerite Marie Marie-Thérèse Martine Mathilde "
        "Michèle Monique Nathalie Nicole Noémie Odette Paulette Pauline Renée Rosa Sabine Sarah "
        "Simone Solange Sophie Stéphanie Sylvie Thérèse Valérie Véronique Yvette Yvonne Zoé"
    ),
    "de": "Anna Elke Gisela Hannah Ingrid Karin Lena Monika Petra Ursula",
    "nl": "Ann Els Femke Greet Katrien Lotte Marijke Nele Sofie Veerle",
    "en": "Alison Emily Helen Margaret Rachel Susan",
}
_MEN = {
    "fr": (
        "Achille Adrien Albert Alexandre Alfred André Antoine Arnaud Arthur Augustin Baptiste "
        "Benoît Bernard Bruno Cédric Charles Christian Christophe Claude Clément Damien Daniel "
        "David Denis Dominique Edgard Émile Éric Étienne Fabrice Fernand Firmin Francis François "
        "Frédéric Gaston Georges Gérard Ghislain Gilbert Grégory Guillaume Guy Henri Hubert Hugo "
        "Jacques Jean Jean-Marie Jérôme Joseph Jules Julien Laurent Léon Louis Lucas Luc Marcel "
        "Marc Mathieu Maurice Michel Nathan Nicolas Noé Olivier Pascal Paul Philippe Pierre "
        "Quentin Raymond René Robert Roger Romain Sébastien Serge Simon Théo Thierry Thomas "
        "Vincent Xavier Yves"
    ),
    "de": "Bernd Dieter Günter Heinz Jürgen Karl Lukas Manfred Rolf Stefan",
    "nl": "Bart Dirk Geert Jan Koen Luc Pieter Stijn Tom Wim",
    "en": "Andrew Daniel Edward James Patrick Robert",
}


def _words(text: str) -> list[str]:
    return [word.replace("_", " ") for word in text.split()]


# By language; a name of two words is written with an underscore above.
FAMILY_NAMES = {language: _words(names) for language, names in _FAMILY_NAMES.items()}
WOMEN = {language: _words(names) for language, names in _WOMEN.items()}
MEN = {language: _words(names) for language, names in _MEN.items()}


@dataclass(frozen=True)
class DemoSite:
    """One hospital. ``weight``: its share of the population, in percent."""

    code: str
    name: str
    callback_number: str
    weight: int


@dataclass(frozen=True)
class DemoUnit:
    """One unit; ``kind`` is a value of ``staff.models.UnitKind``, ``speciality`` a key of ACTS."""

    site: str
    code: str
    name: str
    kind: str
    service: Service
    speciality: str
    staff: int


@dataclass(frozen=True)
class DemoPractitioner:
    """One doctor, working in one unit."""

    code: str
    family_name: str
    given_name: str
    unit: str

    @property
    def full_name(self) -> str:
        """The name as in a schedule."""
        return f"Dr {self.given_name} {self.family_name}"


# The call-back numbers are of the same unused kind as the patients' landlines (numbers.py).
SITES = (
    DemoSite("arlon", "Arlon", "+3263000010", 26),
    DemoSite("bastogne", "Bastogne", "+3261000020", 13),
    DemoSite("bertrix", "Bertrix", "+3261000030", 8),
    DemoSite("libramont", "Libramont", "+3261000040", 24),
    DemoSite("marche", "Marche-en-Famenne", "+3284000050", 18),
    DemoSite("virton", "Virton", "+3263000060", 11),
)

# speciality: name of the unit, kind of unit, service
_KINDS = {
    "cardio": ("Cardiologie", "clinic", Service.CONSULTATION),
    "gyneco": ("Gynécologie-obstétrique", "clinic", Service.CONSULTATION),
    "ortho": ("Orthopédie", "clinic", Service.CONSULTATION),
    "ophtalmo": ("Ophtalmologie", "clinic", Service.CONSULTATION),
    "pneumo": ("Pneumologie", "clinic", Service.CONSULTATION),
    "onco": ("Oncologie", "clinic", Service.CONSULTATION),
    "gastro": ("Gastro-entérologie", "clinic", Service.CONSULTATION),
    "neuro": ("Neurologie", "clinic", Service.CONSULTATION),
    "orl": ("ORL", "clinic", Service.CONSULTATION),
    "diabeto": ("Diabétologie-endocrinologie", "clinic", Service.CONSULTATION),
    "pediatrie": ("Pédiatrie", "clinic", Service.CONSULTATION),
    "dermato": ("Dermatologie", "clinic", Service.CONSULTATION),
    "psy": ("Psychiatrie", "clinic", Service.CONSULTATION),
    "physique": ("Médecine physique", "clinic", Service.CONSULTATION),
    "dietetique": ("Diététique", "clinic", Service.OTHER),
    "bloc": ("Bloc opératoire", "operating_theatre", Service.SURGERY),
    "radio": ("Radiologie", "imaging_room", Service.RADIOLOGY),
    "nucleaire": ("Médecine nucléaire", "imaging_room", Service.NUCLEAR_MEDICINE),
    "prelevements": ("Centre de prélèvements", "sampling_centre", Service.BLOOD_SAMPLING),
    "covid": ("Centre Covid", "covid_centre", Service.COVID_CENTRE),
    "urgences": ("Urgences", "emergency", Service.EMERGENCY),
    "hopital-jour": ("Hôpital de jour", "ward", Service.DAY_HOSPITAL),
    "dialyse": ("Dialyse", "ward", Service.DIALYSIS),
}

# site: speciality and number of doctors; 61 units, 250 doctors in all
_STAFF = {
    "arlon": "cardio 6, gyneco 6, ortho 6, ophtalmo 6, pneumo 5, onco 6, diabeto 4, bloc 10, "
    "radio 7, nucleaire 3, prelevements 0, covid 0, urgences 4, hopital-jour 3, dialyse 3",
    "bastogne": "cardio 5, ophtalmo 5, pediatrie 5, ortho 5, bloc 6, radio 4, prelevements 0, "
    "covid 0, urgences 3, dietetique 2",
    "bertrix": "psy 6, physique 5, pediatrie 4, radio 2, prelevements 0",
    "libramont": "cardio 6, gyneco 6, ortho 6, gastro 6, neuro 6, onco 6, bloc 10, radio 7, "
    "nucleaire 3, prelevements 0, covid 0, urgences 4, hopital-jour 3, dialyse 3",
    "marche": "cardio 6, gyneco 5, orl 5, diabeto 4, ortho 5, bloc 8, radio 5, prelevements 0, "
    "covid 0, urgences 3, dialyse 2, hopital-jour 2",
    "virton": "gyneco 5, dermato 5, diabeto 5, radio 3, prelevements 0",
}


def make_units() -> tuple[DemoUnit, ...]:
    """Return the units, site by site; their codes read like ``arlon-cardio``."""
    units = []
    for site, staff in _STAFF.items():
        for entry in staff.split(", "):
            speciality, number = entry.split()
            name, kind, service = _KINDS[speciality]
            code = f"{site}-{speciality}"
            units.append(DemoUnit(site, code, name, kind, service, speciality, int(number)))
    return tuple(units)


def make_practitioners(units: tuple[DemoUnit, ...], rng: Random) -> tuple[DemoPractitioner, ...]:
    """Return the doctors; no two bear the same name."""
    practitioners: list[DemoPractitioner] = []
    names: set[tuple[str, str]] = set()
    for unit in units:
        for _ in range(unit.staff):
            while True:
                language = rng.choice(["fr"] * 12 + ["de", "nl"])
                given = rng.choice((WOMEN if rng.random() < 0.5 else MEN)[language])
                name = (rng.choice(FAMILY_NAMES[language]), given)
                if name not in names:
                    break
            names.add(name)
            code = f"MED{len(practitioners) + 1:03}"
            practitioners.append(DemoPractitioner(code, *name, unit.code))
    return tuple(practitioners)


AREA_CODES = {
    "arlon": "63",
    "bastogne": "61",
    "bertrix": "61",
    "libramont": "61",
    "marche": "84",
    "virton": "63",
}
CENTURY = 2000
TODAY = dt.date(2022, 5, 14)
WITHOUT_MOBILE = 0.08
WITHOUT_ANY_NUMBER = 0.005
MAJORITY, HAS_OWN_MOBILE, SENIOR = 18, 14, 70
_LANGUAGES = {"fr": 88, "de": 5, "nl": 4, "en": 3}
_COUNTRIES = {"fr": {"be": 90, "lu": 7, "fr": 3}, "de": {"be": 55, "lu": 25, "de": 20}}


class Numbers:
    """Assigns telephone numbers, each once."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._given: set[str] = set()

    def mobile(self, country: str) -> str:
        """Return a mobile of ``be``, ``lu`` or ``de``, as E.164."""
        if country == "lu":
            return self._new("+352679", 6)
        # Germany has a hundred; half of them are left.
        if country == "de" and sum(given.startswith("+49") for given in self._given) < 50:
            return self._new("+4917139200", 2)
        return self._new("+32459", 6)

    def landline(self, country: str, site: str) -> str:
        """Return a landline of ``be`` (in the area of a site) or ``fr``, as E.164."""
        if country == "fr":
            return self._new("+3335301", 4)
        return self._new(f"+32{AREA_CODES[site]}0", 5)

    def _new(self, prefix: str, digits: int) -> str:
        while True:
            number = f"{prefix}{self._rng.randrange(10**digits):0{digits}}"
            if number not in self._given:
                self._given.add(number)
                return number


def national_number(birth_date: dt.date, *, is_female: bool) -> str:
    """Return eleven digits with right check digits and a counter that is never assigned."""
    first_nine = f"{birth_date:%y%m%d}{'000' if is_female else '999'}"
    divided = f"2{first_nine}" if birth_date.year >= CENTURY else first_nine
    return f"{first_nine}{97 - int(divided) % 97:02}"


def wrong_national_number(right: str) -> str:
    """Return the number with its last digit mistyped."""
    return right[:-1] + str((int(right[-1]) + 1) % 10)


@dataclass
class DemoPatient:
    """One invented person; ``groups`` are their protected groups."""

    number: str
    family_name: str
    given_name: str
    is_female: bool
    birth_date: dt.date
    language: str
    site: str
    national_number: str = ""
    mobile: str = ""
    landline: str = ""
    groups: frozenset[ProtectedGroup] = frozenset()

    @property
    def age(self) -> int:
        """Full years on the day of the demo."""
        had_birthday = (TODAY.month, TODAY.day) >= (self.birth_date.month, self.birth_date.day)
        return TODAY.year - self.birth_date.year - (not had_birthday)

    @property
    def phones(self) -> tuple[str, ...]:
        """The numbers as in a file, mobile first."""
        return tuple(filter(None, (self.mobile, self.landline)))


@dataclass
class _Maker:
    rng: Random
    numbers: Numbers
    patients: list[DemoPatient] = field(default_factory=list)
    born: set[tuple[dt.date, bool]] = field(default_factory=set)

    def pick(self, weights: dict[str, int]) -> str:
        return self.rng.choices(list(weights), list(weights.values()))[0]

    def household(self) -> None:
        """Add one to five people of one name; children carry a parent's mobile."""
        rng = self.rng
        language = self.pick(_LANGUAGES)
        country = self.pick(_COUNTRIES.get(language, {"be": 100}))
        site = self.pick({site.code: site.weight for site in SITES})
        has_landline = country in {"be", "fr"} and rng.random() < 0.45
        landline = self.numbers.landline(country, site) if has_landline else ""
        family_name = rng.choice(FAMILY_NAMES[language])
        parent_age = rng.choices((30, 45, 60, 75, 86), (19, 22, 25, 24, 10))[0]
        adults = 1 if rng.random() < 0.45 else 2
        children = rng.choice((0, 0, 1, 2, 3)) if parent_age <= 45 else 0
        mobile = ""
        for place in range(adults + children):
            age = parent_age + rng.randrange(-7, 8)
            if place >= adults:
                age = rng.randrange(max(1, min(MAJORITY, parent_age - 20)))
            patient = self.person(family_name, language, site, age)
            shares = mobile and (age < HAS_OWN_MOBILE or (age > SENIOR and rng.random() < 0.4))
            patient.mobile = mobile if shares else self.numbers.mobile(country)
            patient.landline = landline
            mobile = mobile or patient.mobile

    def person(self, family_name: str, language: str, site: str, age: int) -> DemoPatient:
        """Add one person; no two of one sex share a birth date, for the national number."""
        rng = self.rng
        while True:
            is_female = rng.random() < 0.53
            days = age * 365.25 + rng.randrange(365)
            birth_date = TODAY - dt.timedelta(days=int(days) + 1)
            if (birth_date, is_female) not in self.born:
                break
            age += rng.choice((-1, 1)) if age > 1 else 1
        self.born.add((birth_date, is_female))
        patient = DemoPatient(
            number=f"D{len(self.patients) + 1:06}",
            family_name=family_name,
            given_name=rng.choice((WOMEN if is_female else MEN)[language]),
            is_female=is_female,
            birth_date=birth_date,
            language=language,
            site=site,
        )
        patient.national_number = self.national_number(patient)
        patient.groups = self.groups(patient)
        self.patients.append(patient)
        return patient

    def national_number(self, patient: DemoPatient) -> str:
        """Return a right number, none for three in a hundred, a mistyped one for one in 80."""
        right = national_number(patient.birth_date, is_female=patient.is_female)
        chance = self.rng.random()
        if chance < 0.03:
            return ""
        return wrong_national_number(right) if chance < 0.0425 else right

    def groups(self, patient: DemoPatient) -> frozenset[ProtectedGroup]:
        """Return the protected groups of a person, as likely as their age makes them."""
        rng, age = self.rng, patient.age
        groups = set()
        if patient.is_female and 19 <= age <= 42 and rng.random() < 0.16:
            groups.add(ProtectedGroup.PREGNANCY)
        if age >= 30 and rng.random() < 0.05:
            groups.add(ProtectedGroup.ONCOLOGY)
            if rng.random() < 0.5:
                groups.add(ProtectedGroup.CHEMOTHERAPY)
        if rng.random() < (0.14 if age >= 50 else 0.02):
            groups.add(ProtectedGroup.DIABETES)
        if rng.random() < 0.02:
            groups.add(ProtectedGroup.CAST)
        return frozenset(groups)


def make_patients(count: int, rng: Random) -> list[DemoPatient]:
    """Return ``count`` patients."""
    maker = _Maker(rng, Numbers(rng))
    while len(maker.patients) < count:
        maker.household()
    patients = maker.patients[:count]
    _take_phones_away(patients, maker.numbers, rng)
    return patients


def _take_phones_away(patients: list[DemoPatient], numbers: Numbers, rng: Random) -> None:
    """Leave 8 % without a mobile, mostly old people; a few of them without any number."""
    old = [patient for patient in patients if patient.age > SENIOR]
    young = [patient for patient in patients if patient.age <= SENIOR]
    wanted = round(len(patients) * WITHOUT_MOBILE)
    from_old = min(round(wanted * 0.75), len(old))
    chosen = rng.sample(old, from_old) + rng.sample(young, wanted - from_old)
    without_any = round(len(patients) * WITHOUT_ANY_NUMBER)
    rng.shuffle(chosen)
    for place, patient in enumerate(chosen):
        patient.mobile = ""
        if place < without_any:
            patient.landline = ""
        elif not patient.landline:
            patient.landline = numbers.landline("be", patient.site)
