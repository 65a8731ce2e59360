"""What a gateway wrote, as the database can keep it."""

import hashlib

from patients import phones

_LONGEST_KEY = 64


def one_line(text: str, longest: int) -> str:
    """Return text without what no column takes (NUL, half a surrogate pair) or no line holds."""
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    return text[:longest]


def several_lines(text: str) -> str:
    """Return the same of a text that may have line breaks."""
    return "\n".join(one_line(line, len(line)) for line in text.splitlines())


def international(phone: str) -> str:
    """Return a number as E.164 as far as that can be told; gateways like to leave the plus out."""
    if not phone or (phone[0] == "+" and phone[1:].isdecimal()):
        return phone[:20]
    if phone.isdecimal() and phone[0] != "0":
        return f"+{phone}"[:20]
    read = phones.read(phone)
    return read.number if read else one_line(phone, 20)


def key_of(given: str, *content: str) -> str:
    """Return what makes two reports the same one: what the gateway says, or a hash of it all."""
    if given and len(given) <= _LONGEST_KEY and given.isprintable():
        return given
    text = given or "\x1f".join(content)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
