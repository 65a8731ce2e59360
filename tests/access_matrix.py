"""Who may open which page, and where: the table that ``tests/test_access_matrix.py`` holds true.

Written by hand and on purpose not made from ``staff/access.py``: it says what a layman of the
hospital would say, so that a slip in one of the two shows.

``PAGES`` has one row for each address and method. A row names the roles that may, and what counts
as the right place. Everybody else gets what a row says in ``otherwise`` (403 unless it says more).
"""

from dataclasses import dataclass, field

CRISIS, DOCTOR, SURGEON, NURSE = "crisis_cell", "doctor", "surgeon", "nurse"
DIRECTOR, AGENT, CLERK = "medical_director", "call_agent", "ward_clerk"
OPERATOR, AUDITOR = "feed_operator", "auditor"

ADMINISTRATOR = "administrator"  # of the reference data: no role, and so no patient
EVERYBODY = {CRISIS, DOCTOR, SURGEON, NURSE, DIRECTOR, AGENT, CLERK, OPERATOR, AUDITOR}
SCHEDULE = {CRISIS, NURSE, DIRECTOR, AGENT, CLERK, AUDITOR}
BOARD = {CRISIS, DIRECTOR, AUDITOR}
SPEAKERS = {SURGEON, NURSE, DIRECTOR}
KEEPERS = {DOCTOR, SURGEON}
CALLERS = {CRISIS, AGENT}
OUTBOX = {CRISIS, AUDITOR}
PRINTERS = {CRISIS, NURSE, CLERK}
LOADERS = {CRISIS, OPERATOR}

# Where a role is held, seen from the object of a page.
GROUP, SITE, UNIT = "for the whole group", "at the site", "in the unit"
OTHER_UNIT, OTHER_SITE = "in another unit of the site", "at another site"
PLACES = (GROUP, SITE, UNIT, OTHER_UNIT, OTHER_SITE)

# What counts as the right place for a page.
ANYWHERE = frozenset(PLACES)
OF_THE_GROUP = frozenset({GROUP})
OF_THE_SITE = frozenset({GROUP, SITE, UNIT, OTHER_UNIT})
OF_THE_UNIT = frozenset({GROUP, SITE, UNIT})

FORBIDDEN, NOT_FOUND, NOTHING_SHOWN = 403, 404, 200

# What a page shows only to those in the right place.
PATIENT, UNIT_NAME, DRAFT_TITLE, FILE_NAME = "Zwartkop", "Cardiologie Zeta", "Omega", "zeta.csv"
SECRETS = (PATIENT, UNIT_NAME, DRAFT_TITLE, FILE_NAME)


@dataclass(frozen=True)
class Page:
    """One row.

    Attributes:
        name: the name of the address; ``on`` are the names of its objects in the data set.
        may: the roles that may.
        where: the places in which holding the role is enough.
        outside: what those get who hold the role elsewhere.
        own: the roles that may for their own patients only; for others' they get "not found".
        otherwise: what signed-in people without any such role get.
        found: what those get who may.
        shows: secrets that those who may do see here. Nobody else ever sees one.
        query, send: what is asked or sent; a word in braces is the number of that object.
        upload: what the file holds that goes along.
        whole: a whole page, as against a part of one or a file.
    """

    name: str
    may: set[str]
    on: tuple[str, ...] = ()
    method: str = "GET"
    where: frozenset[str] = ANYWHERE
    outside: int = NOT_FOUND
    own: set[str] = field(default_factory=set)
    otherwise: int = FORBIDDEN
    found: int = 200
    shows: tuple[str, ...] = ()
    query: dict[str, str] = field(default_factory=dict)
    send: dict[str, str] = field(default_factory=dict)
    upload: str = ""
    whole: bool = True

    def __str__(self) -> str:
        return "-".join((self.method, self.name, *self.on))


def _view(name: str, may: set[str], *on: str, **more) -> Page:
    return Page(name, may, on, **more)


def _list(name: str, may: set[str], where: frozenset[str], *shows: str, **more) -> Page:
    """Return the row of a list: it opens everywhere, and shows what is in the right place."""
    return Page(name, may, where=where, outside=NOTHING_SHOWN, shows=shows, **more)


def _act(name: str, may: set[str], *on: str, **more) -> Page:
    return Page(name, may, on, method="POST", **{"found": 302} | more)


MONDAY = {"day": "2022-05-16"}

PAGES = (
    _view("home", EVERYBODY | {ADMINISTRATOR}, found=302),
    # The board counts by site.
    _list("board", BOARD, ANYWHERE, query=MONDAY),
    _list("board_live", BOARD, ANYWHERE, query=MONDAY, whole=False),
    # Rendez-vous.
    _list("schedule", SCHEDULE, OF_THE_UNIT, PATIENT, query=MONDAY),
    _view(
        *("appointment", SCHEDULE, "consultation"),
        where=OF_THE_UNIT,
        own=KEEPERS,
        shows=(PATIENT, UNIT_NAME),
    ),
    _view(
        *("appointment", SCHEDULE | SPEAKERS, "operation"),
        where=OF_THE_UNIT,
        own={DOCTOR},
        shows=(PATIENT,),
    ),
    # The doctor's day: only one's own patients, wherever the role is held.
    _view("doctor_day", KEEPERS),
    _act("keep", set(), "consultation", own=KEEPERS),
    _act("let_go", set(), "consultation", own=KEEPERS),
    _act("undo_keep", set(), "kept", own=KEEPERS),
    _act("contacted", set(), "kept", own=KEEPERS),
    # Operations.
    _list("operations", SPEAKERS | BOARD, OF_THE_UNIT, PATIENT, query=MONDAY),
    _act(
        *("give_opinion", SPEAKERS, "operation"),
        where=OF_THE_UNIT,
        send={"role": "{speaks_as}", "view": "maintain"},
    ),
    _act(
        *("rule_operation", {DIRECTOR}, "operation"),
        where=OF_THE_UNIT,
        send={"outcome": "maintained"},
    ),
    # Bulletins: everybody reads what is ordered; only who answers for the group sees drafts.
    _view("bulletins", EVERYBODY),
    _view("bulletin", EVERYBODY, "bulletin"),
    _view(
        *("bulletin", {CRISIS, AUDITOR}, "draft"),
        where=OF_THE_GROUP,
        otherwise=NOT_FOUND,
        shows=(DRAFT_TITLE,),
    ),
    _view(
        *("bulletin_preview", {CRISIS, AUDITOR}, "draft"),
        where=OF_THE_GROUP,
        shows=(DRAFT_TITLE,),
    ),
    _view("bulletin_preview", {CRISIS, AUDITOR}, "bulletin"),
    _view("bulletin_new", {CRISIS}, where=OF_THE_GROUP, outside=FORBIDDEN),
    _act(
        *("bulletin_new", {CRISIS}),
        where=OF_THE_GROUP,
        outside=FORBIDDEN,
        send={"start": "copy", "original": "{bulletin}"},
    ),
    _view(
        *("bulletin_edit", {CRISIS}, "draft"),
        where=OF_THE_GROUP,
        outside=FORBIDDEN,
        shows=(DRAFT_TITLE,),
    ),
    # An empty form: who may is told what is missing.
    _act("bulletin_edit", {CRISIS}, "draft", where=OF_THE_GROUP, outside=FORBIDDEN, found=422),
    _view(
        *("bulletin_approve", {CRISIS}, "draft"),
        where=OF_THE_GROUP,
        outside=FORBIDDEN,
        shows=(DRAFT_TITLE,),
    ),
    _act(
        *("bulletin_approve", {CRISIS}, "draft"),
        where=OF_THE_GROUP,
        outside=FORBIDDEN,
        send={"seen": "{seen}"},
    ),
    _view("bulletin_withdraw", {CRISIS}, "bulletin", where=OF_THE_GROUP, outside=FORBIDDEN),
    _act(
        *("bulletin_withdraw", {CRISIS}, "bulletin"),
        where=OF_THE_GROUP,
        outside=FORBIDDEN,
        send={"reason": "Serveurs rétablis"},
    ),
    # Telling.
    _act("sending_pause", {CRISIS}, where=OF_THE_GROUP, outside=FORBIDDEN),
    _act("sending_resume", {CRISIS}, where=OF_THE_GROUP, outside=FORBIDDEN),
    _act("sending_release", {CRISIS}, where=OF_THE_GROUP, outside=FORBIDDEN),
    _list("outbox", OUTBOX, OF_THE_SITE, PATIENT),
    _view("message", OUTBOX | {AGENT}, "message", where=OF_THE_SITE, shows=(PATIENT,)),
    _list("call_list", CALLERS, OF_THE_SITE, PATIENT),
    _act("call_take", CALLERS, where=OF_THE_SITE, send={"delivery": "{call}"}),
    _view("call", CALLERS, "call", where=OF_THE_SITE, shows=(PATIENT,)),
    _act("call", CALLERS, "call", where=OF_THE_SITE, send={"result": "reached"}),
    _view("reference_check", CALLERS),
    _list(
        *("reference_check", CALLERS, OF_THE_SITE, PATIENT),
        method="POST",
        send={"reference": "{reference}"},
    ),
    # Feuilles de service.
    _list("rosters", PRINTERS, OF_THE_UNIT, UNIT_NAME, query=MONDAY),
    _list("roster_progress", PRINTERS, OF_THE_UNIT, UNIT_NAME, on=("monday",), whole=False),
    _view(
        *("roster_print", PRINTERS, "unit", "monday"),
        where=OF_THE_UNIT,
        shows=(PATIENT, UNIT_NAME),
    ),
    _view("roster_file", PRINTERS, "roster", where=OF_THE_UNIT, whole=False),
    _act("roster_issue", PRINTERS, where=OF_THE_UNIT, send={**MONDAY, "unit": "{unit}"}),
    # Chargements: a file knows no one site, so loading is for the whole group.
    _view("imports", LOADERS, where=OF_THE_GROUP, outside=FORBIDDEN, shows=(FILE_NAME,)),
    _view("import_new", LOADERS, where=OF_THE_GROUP, outside=FORBIDDEN),
    _act(
        "import_new",
        LOADERS,
        where=OF_THE_GROUP,
        outside=FORBIDDEN,
        send={"source": "agenda"},
        upload="N° dossier;Nom",
    ),
    _view(*("import", LOADERS, "load"), where=OF_THE_GROUP, outside=FORBIDDEN, shows=(FILE_NAME,)),
    _view(
        *("import_progress", LOADERS, "load"), where=OF_THE_GROUP, outside=FORBIDDEN, whole=False
    ),
    _act("import_confirm", LOADERS, "load", where=OF_THE_GROUP, outside=FORBIDDEN),
    _view("import_faults", LOADERS, "load", where=OF_THE_GROUP, outside=FORBIDDEN, whole=False),
    _view("import_template", LOADERS, "csv", where=OF_THE_GROUP, outside=FORBIDDEN, whole=False),
    # The trail is read whole or not at all: an event has no place.
    _list("trail", {AUDITOR}, OF_THE_GROUP, "bulletin.approved"),
)

# Open to everybody, signed in or not: name → what a GET answers.
OPEN = {"health": 200, "account_login": 200, "set_language": 405}
