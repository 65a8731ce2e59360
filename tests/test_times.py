"""Times always come with their day: a page left open over night must not look like today's."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("appointments", "notifications", "patients", "staff", "vivalia_continuity")
TEMPLATE_FORMAT = re.compile(r"""\|(?:date|time)(?::(["'])(.*?)\1)?""")
PYTHON_FORMAT = re.compile(r"%[HI]:?%M|[\"'][GHgh]:i(?::s)?[\"']")
# Where a time stands alone on purpose: file → why its reader knows the day.
ALONE = {
    "templates/appointments/paper/_row.html": "each printed page carries the day in its head",
    "notifications/rules.py": "quiet hours: hours of every day",
    "templates/appointments/incoming/_day.html": "under the heading of its day",
    "templates/appointments/doctors/_card.html": "under the heading of its day",
    "staff/clock.py": "told to a patient: an SMS names the day once, a sentence beside the hour",
    "notifications/models/notice.py": "an item of a notice, which is of one day",
    "notifications/management/commands/gateway.py": "a line for each second, while one watches",
    "appointments/wards/services.py": "two hours of one row, on the sheet of one day",
}


def is_time(form: str) -> bool:
    return bool(re.search(r"[GHghfPi]", form))


def has_day(form: str) -> bool:
    return bool(re.search(r"[djDlczU]", form))


def lonely_in_template(text: str) -> Iterator[int]:
    """Yield the lines of a template in which a time has no day beside it."""
    for number, line in enumerate(text.splitlines(), start=1):
        forms = [match[2] or "" for match in TEMPLATE_FORMAT.finditer(line)]
        if any(is_time(form) for form in forms) and not any(has_day(form) for form in forms):
            yield number


def lonely_in_python(text: str) -> Iterator[int]:
    """Yield the lines of a module that write a time and no day, on that line or one beside it."""
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        around = " ".join(lines[max(number - 3, 0) : number + 2])
        if PYTHON_FORMAT.search(line) and not re.search(r"%[dY]|\"[^\"]*[dj] ?[mF]|day", around):
            yield number


def lonely_in_script(text: str) -> Iterator[int]:
    """Yield the lines of a script that write a time and no day."""
    for number, line in enumerate(text.splitlines(), start=1):
        if "toLocaleTimeString" in line or "timeStyle" in line:
            yield number


def sources() -> Iterator[tuple[str, Iterator[int]]]:
    readers = {".html": lonely_in_template, ".txt": lonely_in_template}
    for path in (ROOT / "templates").rglob("*.*"):
        yield str(path.relative_to(ROOT)), readers[path.suffix](path.read_text())
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            yield str(path.relative_to(ROOT)), lonely_in_python(path.read_text())
    for path in (ROOT / "static").rglob("*.js"):
        yield str(path.relative_to(ROOT)), lonely_in_script(path.read_text())


# What asks a host for the time does not know of a drill, nor of a host whose clock is wrong.
OWN_CLOCK = re.compile(
    r"timezone\.now\(|localtime\(\)|localdate\(\)|datetime\.(?:now|utcnow|today)\(|date\.today\("
    r"|\{% now |\|time(?:since|until)(?!:)|\bCURRENT_(?:DATE|TIMESTAMP)|functions import .*\bNow\b"
    r"|auto_now|default=timezone"
)
ASKS_ITSELF = {
    "staff/clock.py": "the one place that asks",
    "vivalia_continuity/celery.py": "beat counts seconds from when it began",
}


def own_clocks() -> Iterator[str]:
    for folder in (*APPS, "templates"):
        for path in (ROOT / folder).rglob("*.*"):
            if path.suffix in {".py", ".html", ".txt"} and "migrations" not in path.parts:
                name = str(path.relative_to(ROOT))
                for number, line in enumerate(path.read_text().splitlines(), start=1):
                    if OWN_CLOCK.search(line):
                        yield f"{name}:{number}"


def test_every_time_comes_from_the_clock_of_the_hospital() -> None:
    found = list(own_clocks())
    assert [one for one in found if one.split(":")[0] not in ASKS_ITSELF] == []
    assert {one.split(":")[0] for one in found} == set(ASKS_ITSELF)


def test_no_time_is_shown_without_its_day() -> None:
    found = [f"{name}:{line}" for name, lines in sources() if name not in ALONE for line in lines]
    assert found == []


@pytest.mark.parametrize("name", ALONE)
def test_what_may_stand_alone_still_does(name: str) -> None:
    assert list(dict(sources())[name])


@pytest.mark.parametrize(
    ("reader", "text", "is_found"),
    [
        (lonely_in_template, '{{ now|date:"H:i" }}', True),
        (lonely_in_template, "{{ now|time }}{{ now|date:'H:i:s' }}", True),
        (lonely_in_template, '{{ now|date:"D j/m H:i" }}', False),
        (lonely_in_template, '{% x with day=now|date:"l j F" time=now|date:"H:i" %}', False),
        (lonely_in_template, '{{ now|date:"j F Y" }}', False),
        (lonely_in_python, 'f"{moment:%H:%M}"', True),
        (lonely_in_python, 'date_format(moment, "H:i")', True),
        (lonely_in_python, 'f"{moment:%d/%m %H:%M}"', False),
        (lonely_in_script, "moment.toLocaleTimeString()", True),
        (lonely_in_script, "moment.toLocaleString()", False),
    ],
)
def test_a_time_alone_is_seen(reader, text: str, is_found: bool) -> None:
    assert bool(list(reader(text))) is is_found
