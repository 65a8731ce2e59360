"""A field for several days, typed as people write them."""

import datetime as dt
import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

_FORMS = ("%d/%m/%Y", "%Y-%m-%d")


class DayListField(forms.CharField):
    """``16/05/2022, 18/05/2022`` as a tuple of dates, sorted, each once."""

    default_error_messages = {
        "invalid_day": _("« %(found)s » n'est pas une date ; écrivez 16/05/2022, 18/05/2022.")
    }

    def __init__(self, **options: Any) -> None:
        options.setdefault("help_text", _("Par exemple : 16/05/2022, 18/05/2022"))
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        """Write dates out again."""
        if isinstance(value, list | tuple):
            return ", ".join(f"{day:%d/%m/%Y}" for day in value)
        return value

    def to_python(self, value: Any) -> Any:
        """Return the dates.

        Raises:
            ValidationError: a word is no date.
        """
        words = re.split(r"[\s,;]+", super().to_python(value) or "")
        return tuple(sorted({self._day(word) for word in words if word}))

    def _day(self, word: str) -> dt.date:
        for form in _FORMS:
            try:
                return dt.datetime.strptime(word, form).date()  # noqa: DTZ007 (a local date)
            except ValueError:
                continue
        raise forms.ValidationError(
            self.error_messages["invalid_day"], code="invalid_day", params={"found": word[:20]}
        )
