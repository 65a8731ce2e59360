"""The errors shown to people."""

from staff.sentences import Stored


class Refusal(Exception):
    """A request that cannot be done; the sentence says why and what to do.

    Args:
        sentence: one, free of jargon, in the reader's language; a ``Sentence`` where it is
            stored for later readers.
        field: name of the form field or column at fault, if any.
    """

    def __init__(self, sentence: Stored, *, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field

    def __str__(self) -> str:
        return self.message

    @property
    def message(self) -> str:
        """The sentence in the current reader's language."""
        return str(self.sentence)


class AccessRefused(Refusal):
    """The person's roles do not allow it; pages answer 403."""
