"""What people fill in about those who work here."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from staff.models import User
from staff.queries import may_be_delegates


class _Colleague(forms.ModelChoiceField):  # type: ignore[type-arg]  # no generic at run time
    def label_from_instance(self, obj: User) -> str:
        """Return the name with the sign-in: two doctors may share a name."""
        return f"{obj} ({obj.username})"


class DelegateForm(forms.Form):
    """Whom a practitioner names; only those who may keep patients are offered."""

    delegate = _Colleague(
        label=_("Qui peut garder vos patients en votre nom"),
        queryset=User.objects.none(),
        empty_label=_("Choisissez"),
        error_messages={
            "required": _("Choisissez d'abord un collègue."),
            "invalid_choice": _("Choisissez quelqu'un dont le rôle permet de garder des patients."),
        },
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["delegate"].queryset = may_be_delegates(by)  # type: ignore[attr-defined]
