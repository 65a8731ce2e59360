"""As what a colleague may speak about an operation."""

from appointments.models import OpinionRole
from staff.models import Role, User

SPEAKS_AS = {
    Role.SURGEON: (OpinionRole.SURGEON, OpinionRole.ANAESTHETIST),
    Role.NURSE: (OpinionRole.NURSE,),
    Role.MEDICAL_DIRECTOR: (OpinionRole.SURGEON, OpinionRole.ANAESTHETIST),
}


def opinion_roles(user: User) -> list[OpinionRole]:
    """Return as what the user may speak, by the roles they hold (one query)."""
    roles = user.role_assignments.values_list("role", flat=True).distinct()
    spoken = {as_role for role in roles for as_role in SPEAKS_AS.get(Role(role), ())}
    return [role for role in OpinionRole if role in spoken]
