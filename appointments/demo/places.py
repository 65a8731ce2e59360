"""The six hospitals, their units and who works there; and the names that people there have.

The names are heard in the province of Luxembourg and around it; the people are invented.
"""

from dataclasses import dataclass
from random import Random

from appointments.vocabulary import Service

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
        """As a schedule names them."""
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
