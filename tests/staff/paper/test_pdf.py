"""A page becomes a PDF without a look at anything else."""

import io
import socket
import sys

import pytest
from pypdf import PdfReader

from staff.paper.pdf import PdfUnavailable, draw

try:
    draw("<p>Essai</p>")
except PdfUnavailable as error:
    pytest.skip(f"no PDF on this machine: {error}", allow_module_level=True)


def test_drawing_never_touches_the_network_nor_a_file(monkeypatch, tmp_path):
    def refuse(*args, **kwargs):
        raise AssertionError("drawing opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    secret = tmp_path / "secret.css"
    secret.write_text("p::before { content: 'LU' }", encoding="utf-8")
    page = (
        f'<link rel="stylesheet" href="{secret.as_uri()}">'
        '<link rel="stylesheet" href="http://example.invalid/a.css">'
        '<img src="https://example.invalid/a.png" alt="image"><p>Texte</p>'
    )
    (drawn,) = PdfReader(io.BytesIO(draw(page).body)).pages
    text = drawn.extract_text()
    assert "Texte" in text
    assert "LU" not in text


def test_without_the_library_it_says_so_with_one_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(PdfUnavailable):
        draw("<p>Essai</p>")


def test_a_missing_pango_prints_no_banner_of_the_library(monkeypatch, tmp_path, capfd):
    (tmp_path / "weasyprint.py").write_text(
        "print('WeasyPrint could not import some external libraries.')\nraise OSError('no Pango')"
    )
    for name in [name for name in sys.modules if name.partition(".")[0] == "weasyprint"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    for _sheet in range(2):
        with pytest.raises(PdfUnavailable, match="no Pango"):
            draw("<p>Essai</p>")
    assert capfd.readouterr().out == ""
