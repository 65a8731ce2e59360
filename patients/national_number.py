"""The Belgian national number (NISS): the national register's or a BIS number."""

from functools import lru_cache

from stdnum.be import ssn


# A load checks each number twice: once for its row, once to write its patient.
@lru_cache(maxsize=4096)
def is_valid(number: str) -> bool:
    """Whether a number passes every check: length, date of birth and check digits.

    The checks are python-stdnum's ``be.ssn``. A number that fails is stored and shown as wrong; the
    patient is never refused for it.
    """
    return bool(ssn.is_valid(number))


def digits(number: str) -> str:
    """Return a valid number without its separators."""
    return str(ssn.compact(number))
