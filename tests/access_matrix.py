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
DELEGATES = {NURSE, CLERK}  # keep in the name of a doctor who named them, besides other doctors
CALLERS = {CRISIS, AGENT}
OUTBOX = {CRISIS, AUDITOR}
PRINTERS = {CRISIS, NURSE, CLERK}
ARRIVALS = {NURSE, CLERK}
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
RECEIPT = "rx-4711"
SECRETS = (PATIENT, UNIT_NAME, DRAFT_TITLE, FILE_NAME, RECEIPT)


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
    _view("waiting_doctors", BOARD),
    # Rendez-vous.
    _list("schedule", SCHEDULE, OF_THE_UNIT, PATIENT, query=MONDAY),
    _view(
        *("appointment", SCHEDULE, "consultation"),
        where=OF_THE_UNIT,
        own=KEEPERS | DELEGATES,
        shows=(PATIENT, UNIT_NAME),
    ),
    _view(
        *("appointment", SCHEDULE | SPEAKERS, "operation"),
        where=OF_THE_UNIT,
        own={DOCTOR} | DELEGATES,
        shows=(PATIENT,),
    ),
    # The doctor's day: only one's own patients, wherever the role is held.
    _view("doctor_day", KEEPERS | DELEGATES),
    _view("doctor_day", KEEPERS | DELEGATES, query={"show": "review"}),
    _act("keep", set(), "consultation", own=KEEPERS | DELEGATES),
    _act("let_go", set(), "consultation", own=KEEPERS | DELEGATES),
    _act("undo_keep", set(), "kept", own=KEEPERS | DELEGATES),
    _act("contacted", set(), "kept", own=KEEPERS | DELEGATES),
    _act("not_contacted", set(), "kept", own=KEEPERS | DELEGATES),
    _act(
        *("several", set()),
        own=KEEPERS | DELEGATES,
        send={"choice": "keep", "appointment": "{consultation}"},
    ),
    # Delegates: everybody's own; an empty form is told what is missing, another's is refused.
    _view("delegates", KEEPERS),
    _act("delegates", KEEPERS, found=422),
    _act("delegate_revoke", KEEPERS, "delegation"),
    # Operations.
    _list("operations", SPEAKERS | BOARD, OF_THE_UNIT, PATIENT, query=MONDAY),
    _list("operations", SPEAKERS | BOARD, OF_THE_UNIT, PATIENT, query={"show": "awaiting"}),
    _list("operation_news", SPEAKERS | BOARD, ANYWHERE, query=MONDAY, whole=False),
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
    _view(
        *("operation_new_day", {DIRECTOR}, "operation"),
        where=OF_THE_UNIT,
        query={"postponed_to": "2022-05-24"},
        whole=False,
    ),
    _act("undo_ruling", {DIRECTOR}, "operation", where=OF_THE_UNIT),
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
    _act(
        *("bulletin_reach", {CRISIS}),
        where=OF_THE_GROUP,
        outside=FORBIDDEN,
        found=200,
        whole=False,
    ),
    # Whoever did not write it is told who must say that it is ready.
    _act(
        *("bulletin_ready", {CRISIS}, "draft"),
        where=OF_THE_GROUP,
        outside=FORBIDDEN,
        found=409,
    ),
    _view(
        *("bulletin_delete", {CRISIS}, "draft"),
        where=OF_THE_GROUP,
        outside=FORBIDDEN,
        shows=(DRAFT_TITLE,),
    ),
    _act("bulletin_delete", {CRISIS}, "draft", where=OF_THE_GROUP, outside=FORBIDDEN),
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
        send={"seen": "{seen}", "shown": "{told}", "told": "{told}"},
    ),
    _view(
        *("bulletin_text", {CRISIS}, "draft", "fr"),
        where=OF_THE_GROUP,
        outside=FORBIDDEN,
        shows=(DRAFT_TITLE,),
    ),
    _act(
        *("bulletin_text", {CRISIS}, "draft", "fr"),
        where=OF_THE_GROUP,
        outside=FORBIDDEN,
        send={"text": "Venez", "seen": "{text_seen}"},
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
    _view("standing_decisions", {CRISIS}, where=OF_THE_GROUP, outside=FORBIDDEN),
    _act(
        *("standing_decisions", {CRISIS}),
        where=OF_THE_GROUP,
        outside=FORBIDDEN,
        send={"reason": "Reprise"},
    ),
    _view("sending_release", {CRISIS}, where=OF_THE_GROUP, outside=FORBIDDEN),
    _act("sending_release", {CRISIS}, where=OF_THE_GROUP, outside=FORBIDDEN),
    _view("telling", BOARD),
    _view("telling_live", BOARD, whole=False),
    _list("notices", OUTBOX, OF_THE_SITE, PATIENT),
    _list("queue_unknown", OUTBOX | {AGENT}, OF_THE_SITE, PATIENT),
    _list("queue_failed", OUTBOX | {AGENT}, OF_THE_SITE, PATIENT),
    _view("gateways", OUTBOX),
    # A receipt without a message belongs to no site.
    _list("unmatched_receipts", OUTBOX, OF_THE_GROUP, RECEIPT),
    _list("replies", CALLERS, OF_THE_SITE, PATIENT),
    _act("reply_handle", CALLERS, "reply", where=OF_THE_SITE, send={"outcome": "seen"}),
    # Whoever has nothing to settle goes back to the list, as after it was done.
    _view(
        *("settle", CALLERS, "unknown_queue", "tell"),
        where=OF_THE_SITE,
        outside=302,
        shows=(PATIENT,),
        query={"all": "1"},
    ),
    _act("settle", CALLERS, "unknown_queue", "tell", send={"ids": "{lost}", "reason": "Vu"}),
    _list("outbox", OUTBOX, OF_THE_SITE, PATIENT),
    _view("message", OUTBOX | {AGENT}, "message", where=OF_THE_SITE, shows=(PATIENT,)),
    _list("call_list", CALLERS, OF_THE_SITE, PATIENT),
    _act("call_take", CALLERS, where=OF_THE_SITE, send={"delivery": "{call}"}),
    _view("call", CALLERS, "call", where=OF_THE_SITE, shows=(PATIENT,)),
    _act("call", CALLERS, "call", where=OF_THE_SITE, send={"result": "reached"}),
    # Whoever does not hold the call goes back to its page, which says so.
    _act("call_give_back", CALLERS, "call", where=OF_THE_SITE),
    # Nothing is kept of a number that is none; the page says so.
    _act("call_number", CALLERS, "call", where=OF_THE_SITE),
    _act("call_print", CALLERS, send={"number": "5"}),
    _view("call_sheet", CALLERS),
    # Who rings in; all patients of the data set were born that day.
    _list("incoming", CALLERS, OF_THE_SITE, PATIENT, query={"q": "01/01/1960"}),
    _act("incoming_unanswered", CALLERS, send={"answer": "not_found", "q": "Dupont"}),
    _view("incoming_patient", CALLERS, "patient", where=OF_THE_SITE, shows=(PATIENT,)),
    # An answer to something else than what holds: who may is told so on the patient's page.
    _act(
        *("incoming_answer", CALLERS, "patient"),
        where=OF_THE_SITE,
        send={**MONDAY, "seen": "something else"},
    ),
    # Textes: what patients read holds for the whole group.
    _view("message_texts", {CRISIS}, where=OF_THE_GROUP, outside=FORBIDDEN),
    _view("message_text", {CRISIS}, "fr", "cancelled", where=OF_THE_GROUP, outside=FORBIDDEN),
    # An empty text: who may is told what is missing.
    _act(
        *("message_text", {CRISIS}, "fr", "cancelled"),
        where=OF_THE_GROUP,
        outside=FORBIDDEN,
        send={"save": "1"},
        found=422,
    ),
    _act(
        *("message_text_preview", {CRISIS}, "fr", "cancelled"),
        where=OF_THE_GROUP,
        outside=FORBIDDEN,
        found=200,
        whole=False,
    ),
    _act(
        *("message_text_reset", {CRISIS}, "fr", "cancelled"),
        where=OF_THE_GROUP,
        outside=FORBIDDEN,
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
    # Accueil: what happened on the day; Monday's sheet takes nothing before Monday.
    _list("wards", ARRIVALS, OF_THE_UNIT, UNIT_NAME, query=MONDAY),
    _view(
        *("ward_day", ARRIVALS, "unit", "monday"),
        where=OF_THE_UNIT,
        shows=(PATIENT, UNIT_NAME),
    ),
    _view(*("ward_counts", ARRIVALS, "unit", "monday"), where=OF_THE_UNIT, whole=False),
    _act(
        *("ward_tick", ARRIVALS, "consultation"),
        where=OF_THE_UNIT,
        send={"what": "arrived", "version": "0"},
    ),
    _view(*("ward_paper", ARRIVALS, "unit", "monday"), where=OF_THE_UNIT, shows=(UNIT_NAME,)),
    # An empty sheet: who may is told what is missing.
    _act("ward_paper", ARRIVALS, "unit", "monday", where=OF_THE_UNIT, found=422),
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
    _view("import_disappeared", LOADERS, "load", where=OF_THE_GROUP, outside=FORBIDDEN),
    _view("import_conflicts", LOADERS, where=OF_THE_GROUP, outside=FORBIDDEN),
    _act("import_conflicts", LOADERS, where=OF_THE_GROUP, outside=FORBIDDEN),
    _view("import_source", LOADERS, "source", where=OF_THE_GROUP, outside=FORBIDDEN),
    _act(
        *("import_source", LOADERS, "source"),
        where=OF_THE_GROUP,
        outside=FORBIDDEN,
        send={"age_rule": "file", "complete_for": ""},
    ),
    _view("import_template", LOADERS, "csv", where=OF_THE_GROUP, outside=FORBIDDEN, whole=False),
    _view("refused_rows", LOADERS, where=OF_THE_GROUP, outside=FORBIDDEN, shows=(PATIENT,)),
    _act("refused_called", LOADERS, "refused", where=OF_THE_GROUP, outside=FORBIDDEN),
    _act(
        "refused_dismiss",
        LOADERS,
        "refused",
        where=OF_THE_GROUP,
        outside=FORBIDDEN,
        send={"note": "essai"},
    ),
    _view("links", LOADERS, where=OF_THE_GROUP, outside=FORBIDDEN, shows=(PATIENT,)),
    _act(
        "link_take_back",
        LOADERS,
        "linked",
        where=OF_THE_GROUP,
        outside=FORBIDDEN,
        send={"reason": "essai"},
    ),
    _act("likeness_put_aside", LOADERS, "alike", where=OF_THE_GROUP, outside=FORBIDDEN),
    # Not everything is equal of these two: refused with its reason.
    _act("likeness_link", LOADERS, "alike", where=OF_THE_GROUP, outside=FORBIDDEN, found=422),
    _view("double_entries", LOADERS, where=OF_THE_GROUP, outside=FORBIDDEN),
    # The trail is read whole or not at all: an event has no place.
    _list("trail", {AUDITOR}, OF_THE_GROUP, "?object_type=bulletin&amp;"),
    _act("trail_verify", {AUDITOR}, found=200),
    _view("trail_export", {AUDITOR}, whole=False),
)

# Open to everybody, signed in or not: name → what a GET answers. A gateway calls with a secret.
OPEN = {"health": 200, "icon": 302, "account_login": 200, "set_language": 405, "hook": 404}
OPEN_ON = {"hook": ["not-the-secret-of-a-gateway"]}
