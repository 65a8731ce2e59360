"""Fields and constraints that many models have."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from staff.models.user import User


def person_field(label: "_StrPromise", **options: Any) -> "models.ForeignKey[User, User]":
    """Return a field for the account that did something; that account cannot be deleted."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        verbose_name=label,
        **options,
    )


def person_or_none_field(
    label: "_StrPromise", **options: Any
) -> "models.ForeignKey[User | None, User | None]":
    """Return ``person_field`` that is empty if nobody did it yet, or the system did."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=label,
        **options,
    )


def known_value(name: str, **allowed: Any) -> models.CheckConstraint:
    """Return the constraint that a field holds one of some values: ``name, field=values``."""
    ((field, values),) = allowed.items()
    return models.CheckConstraint(name=name, condition=Q(**{f"{field}__in": values}))


def both_or_neither(first: str, second: str) -> Q:
    """Return the condition that two fields are filled together, or empty together."""
    return Q(**{f"{first}__isnull": True, f"{second}__isnull": True}) | Q(
        **{f"{first}__isnull": False, f"{second}__isnull": False}
    )
