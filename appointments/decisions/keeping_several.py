"""Keep or let go several patients with one tap: each by itself, so that one refusal stops none."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from django.utils.translation import gettext as _

from appointments.decisions import keeping
from staff.errors import Refusal
from staff.models import User

MOST = 30  # as many as a page of the doctor's day lists
UNKNOWN: Mapping[int, int | None] = MappingProxyType({})


@dataclass(frozen=True)
class Done:
    """What became of one of them; ``refusal`` says why nothing did."""

    appointment_id: int
    refusal: str = ""


def keep_several(
    *,
    appointment_ids: Iterable[int],
    by: User,
    reason: str = "",
    seen: Mapping[int, int | None] = UNKNOWN,
) -> list[Done]:
    """Keep each of these appointments, as ``keeping.keep`` does.

    Args:
        appointment_ids: at most ``MOST`` of them; one that comes twice counts once.
        by: who keeps them.
        reason: the same for all.
        seen: by appointment, the version of the decision that the person had before their eyes.

    Returns:
        One entry for each, in the order of their ids.

    Raises:
        Refusal: more than ``MOST``.
    """
    return _each(keeping.keep, appointment_ids, by=by, reason=reason, seen=seen)


def let_go_several(
    *,
    appointment_ids: Iterable[int],
    by: User,
    reason: str = "",
    seen: Mapping[int, int | None] = UNKNOWN,
) -> list[Done]:
    """Confirm the cancellation of each; arguments and answer as for ``keep_several``."""
    return _each(keeping.let_go, appointment_ids, by=by, reason=reason, seen=seen)


def _each(
    decide: Callable[..., object],
    appointment_ids: Iterable[int],
    *,
    by: User,
    reason: str,
    seen: Mapping[int, int | None],
) -> list[Done]:
    """Decide about one after the other, each in a transaction of its own: no lock waits for two."""
    wanted = sorted(set(appointment_ids))
    if len(wanted) > MOST:
        raise Refusal(
            _("Choisissez au plus %(most)d patients à la fois ; vous en avez choisi %(number)d.")
            % {"most": MOST, "number": len(wanted)}
        )
    done = []
    for appointment_id in wanted:
        try:
            decide(
                appointment_id=appointment_id, by=by, reason=reason, seen=seen.get(appointment_id)
            )
        except Refusal as why:
            done.append(Done(appointment_id, str(why)))
        else:
            done.append(Done(appointment_id))
    return done
