"""No word reaches a person that the catalogues do not know."""

from pathlib import Path

import pytest

from tests import unmarked

ROOT = Path(__file__).resolve().parents[1]
APPS = ("staff", "patients", "notifications", "appointments", "vivalia_continuity")
# Shown when nothing works any more, the catalogues included: in two languages, by hand.
BY_HAND = {"500.html"}
NAMES = {"PDF"}
# Said on the terminal of whoever starts the application, which speaks French.
ON_THE_TERMINAL = {"embedded.py", "serve.py", "loading.py"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<p>Bonjour {{ name }}</p>", ["Bonjour"]),
        ('<p title="Fermer">{% translate "Bonjour" %}</p>', ["Fermer"]),
        ("<p>{% blocktranslate %}Bonjour <b>vous</b>{% endblocktranslate %} – 12 h</p>", []),
        ("{# Bonjour #}{% comment %}<p>non</p>{% endcomment %}<script>var ab;</script>", []),
    ],
)
def test_what_is_read_in_a_template_is_found(text, found):
    assert unmarked.in_template(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('say("Pas de réseau");', ['"Pas de réseau"']),
        ("say('Nothing was saved');", ["'Nothing was saved'"]),
        ('// "Pas de réseau"\nfind("button[type=submit] .btn");', []),
    ],
)
def test_what_is_read_in_a_script_is_found(text, found):
    assert unmarked.in_script(text) == found


def test_what_a_service_refuses_with_is_found(tmp_path):
    module = tmp_path / "service.py"
    module.write_text('raise Refusal("Trop tard.", field="x")\nraise Refusal(_("Trop tôt."))\n')
    assert unmarked.in_code(module) == ["Trop tard."]


def test_templates_say_nothing_that_cannot_be_translated():
    found = {
        f"{path.relative_to(ROOT)}: {words}"
        for path in (ROOT / "templates").rglob("*.html")
        if path.name not in BY_HAND
        for words in unmarked.in_template(path.read_text(encoding="utf-8"))
        if words not in NAMES
    }
    assert found == set()


def test_scripts_say_nothing_of_their_own():
    """They show what the page gives them in ``data-`` attributes."""
    scripts = (ROOT / "static" / "continuity").glob("*.js")
    found = {
        f"{path.name}: {literal}"
        for path in scripts
        for literal in unmarked.in_script(path.read_text())
    }
    assert found == set()


def test_code_says_nothing_that_cannot_be_translated():
    found = {
        f"{path.relative_to(ROOT)}: {words}"
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        if path.name not in ON_THE_TERMINAL
        for words in unmarked.in_code(path)
    }
    assert found == set()
