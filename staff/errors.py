"""The one error a person gets to read."""


class Refusal(Exception):
    """Something was asked that cannot be done; the message says why and what to do.

    Args:
        message: one sentence in the reader's language, free of jargon.
        field: name of the form field or column at fault, when there is one.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def __str__(self) -> str:
        return str(self.message)


class AccessRefused(Refusal):
    """The person's roles do not allow it; pages answer 403."""
