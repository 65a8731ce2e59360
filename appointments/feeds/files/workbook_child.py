"""Read an untrusted workbook: a program of its own, which may die without anybody else noticing.

``python -I workbook_child.py FILE LIMITS``, with LIMITS a JSON object. The rows go to standard
output, one JSON array a line, then an index of the sheets, then the place of the index in twenty
figures. What cannot be read ends with one of the exit codes below and no index.

calamine reserves memory for the whole rectangle between the first and the last cell, and every
shared string at once: one stray value in ``XFD1048576``, or a reference such as ``AAAAAAAAA3``
(https://github.com/tafia/calamine/issues/709), asks for hundreds of gigabytes and aborts the
process. So the archive is measured first, and the process limits itself before that.

It imports nothing of the project: it must start in a few hundredths of a second.
"""

import datetime as dt
import json
import posixpath
import re
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.etree import ElementTree

TOO_LARGE, DAMAGED, PROTECTED, NO_WORKBOOK, OPEN_DOCUMENT, BINARY = range(10, 16)
_BLOCK = 1 << 20
_INDEX_WIDTH = 20
_LONGEST_CELL = 1 << 16  # bytes; a spreadsheet keeps 32,767 characters
_LAST_COLUMN, _LAST_ROW = 16_384, 1_048_576  # XFD1048576, the corner of every sheet
_LARGEST_BOOK = 4 << 20  # bytes of the list of sheets
_SHEETS, _STRINGS = "xl/worksheets/", "xl/sharedstrings.xml"
# A row, or a cell that is not empty; calamine passes over cells without content.
_PLACE = re.compile(
    rb"""<(?:\w{1,20}:)?(?:
        row(?=[\s/>]) (?P<row_attributes> [^<>]{0,4096} )
      | c(?=[\s/>]) (?P<attributes> [^<>]{0,4096} ) (?<!/)>
    )""",
    re.VERBOSE,
)
_ROW = re.compile(rb"""\sr\s{0,9}=\s{0,9}["'](\d{1,20})["']""")
_REFERENCE = re.compile(rb"""\sr\s{0,9}=\s{0,9}["']([A-Za-z]{1,20})(\d{1,20})["']""")
_HAS_REFERENCE = re.compile(rb"\sr\s{0,9}=")
_IS_ERROR = re.compile(rb"""\st\s{0,9}=\s{0,9}["']e["']""")
_IS_TEXT = re.compile(rb"""\st\s{0,9}=\s{0,9}["']str["']""")
_ERROR = re.compile(rb"<(?:\w{1,20}:)?v>([^<]{1,20})</")
_FORMULA_ALONE = re.compile(
    rb"""\s{0,9}<(?:\w{1,20}:)?f\b[^<>]{0,4096}(?:/>|>([^<]{0,32768})</(?:\w{1,20}:)?f>)\s{0,9}
    (?:</(?:\w{1,20}:)?c>|<(?:\w{1,20}:)?v\s?/>|<(?:\w{1,20}:)?v></)""",
    re.VERBOSE,
)
# What zipfile raises for a broken archive: a wrong length, an unknown or encrypted part, a name
# that is no text (a ValueError), a field out of range.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ElementTree.ParseError,
    EOFError,
    OSError,
    LookupError,
    ValueError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
)
Marks = dict[tuple[int, int], str]  # row and column from 1 → what stands there instead of a value


class Unreadable(Exception):
    """The workbook cannot be read; ``code`` is the exit code that says why."""

    def __init__(self, code: int) -> None:
        """Keep the code."""
        super().__init__(code)
        self.code = code


def main() -> int:
    """Read the file named on the command line; return the exit code."""
    path, limits = sys.argv[1], json.loads(sys.argv[2])
    limit_this_process(limits)
    try:
        marks = measure(path, limits)
        write(path, marks, limits, sys.stdout.buffer)
    except Unreadable as unreadable:
        return unreadable.code
    except MemoryError:
        return TOO_LARGE
    except _DAMAGE:
        return DAMAGED
    return 0


def limit_this_process(limits: dict[str, int]) -> None:
    """Bound the memory and the processor time of this process, where the system can."""
    try:
        import resource
    except ImportError:  # not on this system: the parent's clock is the only limit
        return
    for kind, most in (
        (resource.RLIMIT_CORE, 0),  # a dump would hold patients
        (resource.RLIMIT_CPU, limits["seconds"]),
        (resource.RLIMIT_AS, limits["memory"]),
    ):
        try:
            _soft, hard = resource.getrlimit(kind)
            soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (soft, hard))
        except (OSError, ValueError):  # macOS knows no limit of the address space
            continue


def measure(path: str, limits: dict[str, int]) -> dict[str, Marks]:
    """Refuse what is no workbook or would not fit; return the cells without result of each sheet.

    Returns:
        Name of the part → its marks.
    """
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        names = {part.filename.casefold() for part in parts}
        if "xl/workbook.bin" in names:
            raise Unreadable(BINARY)
        if "xl/workbook.xml" not in names:
            is_open_document = "content.xml" in names and "mimetype" in names
            raise Unreadable(OPEN_DOCUMENT if is_open_document else NO_WORKBOOK)
        strings = sum(part.file_size for part in parts if part.filename.casefold() == _STRINGS)
        whole = sum(part.file_size for part in parts)
        if strings > limits["strings"] or whole > limits["unpacked"]:
            raise Unreadable(TOO_LARGE)
        sheets = {name.casefold() for name in sheet_parts(archive)}
        marks = {}
        for part in parts:
            is_sheet = (
                part.filename.casefold().startswith(_SHEETS) or part.filename.casefold() in sheets
            )
            with archive.open(part) as stream:
                # Read to its end, which checks its length: the directory may lie about it.
                found = _measured(stream, limits, is_sheet)
            if found:
                marks[part.filename.casefold()] = found
        return marks


def _measured(stream: Any, limits: dict[str, int], is_sheet: bool) -> Marks:
    """Read a part to its end; of a sheet, measure the rectangle and mark what has no result."""
    marks: Marks = {}
    row = column = widest = 0
    kept = b""
    while block := stream.read(_BLOCK):
        if not is_sheet:
            continue
        text = kept + block
        end = text.rfind(b"</")
        end = text.find(b">", end) + 1 if end >= 0 else 0
        if len(text) - end > _LONGEST_CELL or not end:
            end = max(text.rfind(b"<"), len(text) - _LONGEST_CELL)
        for place in _PLACE.finditer(text, 0, end):
            attributes = place["attributes"]
            if attributes is None:
                row, column = _row_after(row, place["row_attributes"]), 0
                continue
            column, row = _cell_after(column, row, attributes)
            widest = max(widest, column)
            if row * widest > limits["cells"] or row > limits["rows"] * 2:
                raise Unreadable(TOO_LARGE)
            shown = _without_result(text, place.end(), attributes)
            if shown:
                marks[row, column] = shown
        kept = text[end:]
    return marks


def _row_after(row: int, attributes: bytes) -> int:
    found = _ROW.search(attributes)
    if found is None and _HAS_REFERENCE.search(attributes):
        raise Unreadable(DAMAGED)
    number = int(found[1]) if found else row + 1
    if not 0 < number <= _LAST_ROW:
        raise Unreadable(DAMAGED)
    return number


def _cell_after(column: int, row: int, attributes: bytes) -> tuple[int, int]:
    """Return column and row of a cell; one without reference follows the one before."""
    reference = _REFERENCE.search(attributes)
    if reference is None:
        if _HAS_REFERENCE.search(attributes):
            raise Unreadable(DAMAGED)
        return column + 1, row
    column, own_row = _column(reference[1]), int(reference[2])
    if not (column <= _LAST_COLUMN and 0 < own_row <= _LAST_ROW):
        raise Unreadable(DAMAGED)
    return column, max(row, own_row)


def _without_result(text: bytes, at: int, attributes: bytes) -> str:
    """Return what is shown of a cell with an error or a formula nobody computed; else nothing.

    calamine gives both as an empty cell. A formula whose result is an empty text is computed.
    """
    if b'"e"' in attributes or b"'e'" in attributes:
        found = _ERROR.match(text, at) or _ERROR.search(text, at, at + 400)
        if _IS_ERROR.search(attributes):
            return found[1].decode("ascii", "replace") if found else "#N/A"
    if text[at : at + 3] in {b"<v>", b"<is", b"<v/"} or _IS_TEXT.search(attributes):
        return ""
    alone = _FORMULA_ALONE.match(text, at)
    return "=" + (alone[1] or b"").decode("utf-8", "replace")[:60] if alone else ""


def _column(letters: bytes) -> int:
    """Return the number of a column: A is 1, XFD is 16384."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def write(path: str, marks: dict[str, Marks], limits: dict[str, int], out: BinaryIO) -> None:
    """Write the rows of every visible sheet, then the index of all sheets."""
    import python_calamine

    try:
        with python_calamine.CalamineWorkbook.from_path(path) as workbook:
            parts = _parts_of(path) if marks else []
            sheets, place = [], 0
            for index, about in enumerate(workbook.sheets_metadata):
                kind, visible = str(about.typ), str(about.visible)
                if not kind.endswith("WorkSheet"):
                    continue
                entry: dict[str, Any] = {
                    "name": about.name,
                    "start": place,
                    "end": place,
                    "rows": 0,
                }
                entry["is_hidden"] = not visible.endswith(".Visible")
                sheets.append(entry)
                if entry["is_hidden"]:
                    continue
                of_sheet = marks.get(parts[index], {}) if marks else {}
                for line in _lines(workbook.get_sheet_by_index(index), of_sheet):
                    out.write(line)
                    place += len(line)
                    entry["rows"] += 1
                    if place > limits["output"]:
                        raise Unreadable(TOO_LARGE)
                entry["end"] = place
    except python_calamine.PasswordError as error:
        raise Unreadable(PROTECTED) from error
    except python_calamine.CalamineError as error:
        raise Unreadable(DAMAGED) from error
    out.write(json.dumps(sheets).encode() + b"\n")
    out.write(str(place).encode().rjust(_INDEX_WIDTH))
    out.flush()


def _parts_of(path: str) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return [name.casefold() for name in sheet_parts(archive)]


def _lines(sheet: Any, marks: Marks) -> Iterator[bytes]:
    """Yield the rows of a sheet from its first line and column on, as JSON."""
    start = sheet.start
    if start is None and not marks:
        return
    before = [""] * (start[1] if start else 0)
    by_row: dict[int, dict[int, str]] = {}
    for (row, column), shown in marks.items():
        by_row.setdefault(row, {})[column] = shown
    last = 0
    rows = sheet.iter_rows() if start else iter(())
    for number, cells in enumerate(rows, start=1):
        last = number
        yield _line([*before, *cells], by_row.get(number, {}))
    for number in range(last + 1, max(by_row, default=0) + 1):
        yield _line([], by_row.get(number, {}))


def _line(cells: list[Any], marks: dict[int, str]) -> bytes:
    for column, shown in marks.items():
        cells += [""] * (column - len(cells))
        if cells[column - 1] == "":
            cells[column - 1] = {"e": shown}
    while cells and cells[-1] == "":
        cells.pop()
    return json.dumps(cells, default=_as_json, separators=(",", ":")).encode() + b"\n"


def _as_json(cell: Any) -> dict[str, Any]:
    if isinstance(cell, dt.datetime):
        return {"t": cell.isoformat()}
    if isinstance(cell, dt.date):
        return {"d": cell.isoformat()}
    if isinstance(cell, dt.time):
        return {"h": cell.isoformat()}
    if isinstance(cell, dt.timedelta):
        return {"s": cell.total_seconds()}
    return {"e": str(cell)}


def sheet_parts(archive: zipfile.ZipFile) -> list[str]:
    """Return the part of each sheet, in the order of the workbook."""
    book = _parsed(archive, "xl/workbook.xml")
    relations = _parsed(archive, "xl/_rels/workbook.xml.rels")
    targets = {one.get("Id", ""): one.get("Target", "") for one in relations.iter()}
    parts = []
    for sheet in book.iter():
        if sheet.tag.rpartition("}")[2] != "sheet":
            continue
        (name,) = [value for name, value in sheet.attrib.items() if name.endswith("}id")]
        parts.append(posixpath.normpath(posixpath.join("/xl", targets[name])).lstrip("/"))
    return parts


def _parsed(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    if archive.getinfo(name).file_size > _LARGEST_BOOK:
        raise Unreadable(TOO_LARGE)
    return ElementTree.fromstring(archive.read(name))  # noqa: S314 - in a process of its own


if __name__ == "__main__":
    sys.exit(main())
