"""Open a schedule file whatever it is, CSV or XLSX, and refuse what is neither.

The kind is told by the content, never by the name: files are renamed more often than converted.
"""

import re
from pathlib import Path

from appointments.feeds.files import delimited, spreadsheet
from appointments.feeds.files.limits import LARGEST_FILE
from appointments.feeds.files.tables import ScheduleFile
from staff.errors import Refusal
from staff.sentences import gettext_stored as _

FORMATS = ("auto", "csv", "xlsx")
_ZIP, _OLE, _PDF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"%PDF"

# How web pages begin that agendas export as .xls, and Excel's XML of 2003; behind marks and spaces.
_WEB_PAGE = re.compile(
    rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff|[\s\x00])*<\x00?(?:[?!]|/?\x00?(?:html|head|body|table|meta|div|style"
    rb"|h\x00?t\x00?m\x00?l|w|MIME))|MIME-Version:",
    re.IGNORECASE,
)


def open_schedule(path: Path, *, file_format: str = "auto") -> ScheduleFile:
    """Open a file and find its headings.

    Args:
        path: the file; its name is not looked at.
        file_format: ``auto``, ``csv`` or ``xlsx``; the last two refuse the other kind.

    Raises:
        Refusal: it cannot be read at all: absent, empty, too large, of another kind, encrypted,
            or without the headings it must have.
    """
    found = _kind(path)
    if file_format not in {"auto", found}:
        raise Refusal(
            _("Ce fichier est au format %(found)s, pas %(asked)s.")
            % {"found": found.upper(), "asked": file_format.upper()}
        )
    return spreadsheet.open_file(path) if found == "xlsx" else delimited.open_file(path)


def _kind(path: Path) -> str:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            beginning = file.read(1024)
    except OSError as error:
        raise Refusal(
            _("Fichier introuvable ou illisible : vérifiez le chemin et les droits de lecture.")
        ) from error
    if size == 0:
        raise Refusal(_("Le fichier est vide (0 octet) : refaites l'export."))
    if size > LARGEST_FILE:
        raise Refusal(
            _("Le fichier dépasse %(limit)s Mo : exportez moins de jours à la fois.")
            % {"limit": LARGEST_FILE // 1024 // 1024}
        )
    if beginning.startswith(_OLE):
        raise Refusal(
            _(
                "Ancien fichier Excel (.xls) ou fichier protégé par un mot de passe : "
                "enregistrez-le au format .xlsx sans mot de passe."
            )
        )
    if beginning.startswith(_PDF):
        raise Refusal(_("Ceci est un PDF : exportez l'agenda en CSV ou en XLSX."))
    if _WEB_PAGE.match(beginning):
        raise Refusal(
            _(
                "Ceci est une page web ou du XML enregistré sous un nom d'Excel : ouvrez-le dans "
                "Excel ou LibreOffice et enregistrez-le au format .xlsx, ou exportez en CSV."
            )
        )
    return "xlsx" if beginning.startswith(_ZIP) else "csv"
