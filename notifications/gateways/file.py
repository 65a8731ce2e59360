"""``file:///directory``: one file for each message, for a program on this host that sends them.

``file:///var/spool/sms?format=gammu&keeps=1``. The directory must exist; its path is absolute.

``format=json`` (default) writes ``<reference>.json`` with ``reference``, ``to``, ``text``,
``parts`` and ``sender``, for a bridge of your own. ``format=gammu`` writes what the FILES backend
of gammu-smsd takes from its outbox: ``OUTC…_<number>_<reference>.txt``, whose text is UTF-16 with
a byte order mark (gammu-smsd-files(7); smsd/services/files.c: the number stands between the third
and the fourth underscore, and a file whose name begins with a dot is passed over).

A file appears whole or not at all: it is written under a name with a dot, synced to the disk and
renamed. Accepted means that it is there. There are no receipts, so the notice counts as told. A
directory that is missing, full or not writable accepted nothing.

``keeps=1`` is the operator's promise that the reader moves what it took to ``done/`` or
``failed/`` below the directory, under the same name, and removes nothing there. Only then a
reference that was written before is found again.
"""

import asyncio
import errno
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from notifications.gateways.base import (
    Accepted,
    Checked,
    Gateway,
    GatewayUrl,
    Message,
    NotSent,
    Refused,
    Result,
    Unknown,
    invalid_url,
    parse_url,
)
from notifications.models import Failure

SCHEMES = ("file",)
KEPT_IN = ("done", "failed")
FORMATS = ("json", "gammu")
_LEAST_FREE = 50 * 1024 * 1024
_REASONS = {
    errno.ENOENT: "répertoire introuvable",
    errno.ENOTDIR: "ce n'est pas un répertoire",
    errno.EACCES: "écriture interdite",
    errno.EPERM: "écriture interdite",
    errno.EROFS: "disque en lecture seule",
    errno.ENOSPC: "disque plein",
    errno.EDQUOT: "quota épuisé",
}


class FileGateway(Gateway):
    """Writes in a thread: a disk that hangs must not block the event loop."""

    batch = 50

    def __init__(self, given: GatewayUrl) -> None:
        directory = Path(unquote(given.parts.path))
        if given.parts.netloc or not given.parts.path.startswith("/") or directory == Path("/"):
            raise invalid_url(
                "file:// attend un répertoire par son chemin complet, avec trois barres, comme "
                "file:///var/spool/sms"
            )
        if given.own["format"] not in FORMATS:
            raise invalid_url(f"format est l'un de {', '.join(FORMATS)} pour file://")
        name = f"file {directory}"
        name = name if len(name) <= 40 else f"file …{str(directory)[-34:]}"
        super().__init__(name=name, options=given.options)
        self._directory = directory
        self._is_gammu = given.own["format"] == "gammu"
        self.honours_reference = given.own["keeps"] == "1"

    async def submit(self, messages: Sequence[Message]) -> Sequence[Result]:
        return await asyncio.to_thread(self._write_all, messages)

    def _write_all(self, messages: Sequence[Message]) -> Sequence[Result]:
        results = [self._write(message) for message in messages]
        try:
            self._sync_directory()
        except OSError as error:
            lost = Unknown(f"fichier peut-être perdu : {_reason(error)}")
            return [lost if isinstance(one, Accepted) else one for one in results]
        return results

    def _write(self, message: Message) -> Result:
        reference = message.reference  # part of a file's name: no dot, no slash
        if not (reference.isascii() and reference.isalnum() and len(reference) <= 32):
            return NotSent("référence impossible : elle doit être faite de chiffres et de lettres")
        digits = message.to.removeprefix("+")
        if not (digits.isascii() and digits.isdigit()):
            return Refused(Failure.INVALID_NUMBER, remark="numéro qui n'en est pas un")
        name, content = self._file_of(message)
        try:
            if not self._is_there(name):
                self._publish(name, content)
        except OSError as error:
            return NotSent(f"fichier non écrit : {_reason(error)}")
        return Accepted(name[:100])

    def _is_there(self, name: str) -> bool:
        """Whether it was written before. The outbox is checked first: files move one way."""
        places = ("", *KEPT_IN) if self.honours_reference else ("",)
        return any((self._directory / place / name).exists() for place in places)

    def _publish(self, name: str, content: bytes) -> None:
        hidden = self._directory / f".{name}"
        try:
            with hidden.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            hidden.replace(self._directory / name)
        except OSError:
            hidden.unlink(missing_ok=True)
            raise

    def _sync_directory(self) -> None:
        """Sync the directory: only then does a renamed file survive a power failure."""
        directory = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _file_of(self, message: Message) -> tuple[str, bytes]:
        """Return name and content."""
        if self._is_gammu:
            # No time in the name: the same reference always has the same name.
            name = f"OUTC0_0_0_{message.to}_{message.reference}.txt"
            return name, message.text.encode("utf-16", "replace")
        said = {
            "reference": message.reference,
            "to": message.to,
            "text": message.text,
            "parts": message.parts,
            "sender": message.sender or self.options.sender,
        }
        return f"{message.reference}.json", json.dumps(said, ensure_ascii=False).encode()

    async def check(self) -> Checked:
        """Check that files can be written; show how many wait and how much space is left."""
        return await asyncio.to_thread(self._look)

    def _look(self) -> Checked:
        facts = [("répertoire", str(self._directory))]
        try:
            self._publish(".essai", b"")
            (self._directory / ".essai").unlink()
            waiting = sum(1 for one in self._directory.iterdir() if one.suffix in (".json", ".txt"))
            free = shutil.disk_usage(self._directory).free
        except OSError as error:
            complaint = f"Rien ne peut être écrit dans {self._directory} : {_reason(error)}."
        else:
            complaint = self._complaint(free)
            facts += [("fichiers en attente", str(waiting)), ("place libre", f"{free // 2**20} Mo")]
        return Checked(usable=not complaint, facts=facts, complaint=complaint)

    def _complaint(self, free: int) -> str:
        if free < _LEAST_FREE:
            return f"Le disque est presque plein : {free // 2**20} Mo libres."
        lacking = [place for place in KEPT_IN if not (self._directory / place).is_dir()]
        if self.honours_reference and lacking:
            return (
                f"keeps=1 promet que le lecteur garde ses fichiers dans {' et '.join(KEPT_IN)} "
                f"sous {self._directory} ; il manque {' et '.join(lacking)}."
            )
        return ""


def from_url(url: str) -> FileGateway:
    """Return the gateway that the URL describes.

    Raises:
        ImproperlyConfigured: no absolute path, an unknown format or option.
    """
    return FileGateway(parse_url(url, own={"format": "json", "keeps": "0"}))


def _reason(error: OSError) -> str:
    """Name an error, in French where an operator can do something about it."""
    number = error.errno or 0
    return _REASONS.get(number) or errno.errorcode.get(number, type(error).__name__)
