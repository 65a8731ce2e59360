"""Who works here, where, and what they did."""

from staff.models.audit import AuditEvent, AuditHead
from staff.models.place import Site, Unit, UnitKind
from staff.models.practitioner import Delegation, Practitioner
from staff.models.sign_in import AccountChange, SignInTry
from staff.models.user import Role, RoleAssignment, User

__all__ = [
    "AccountChange",
    "AuditEvent",
    "AuditHead",
    "Delegation",
    "Practitioner",
    "Role",
    "RoleAssignment",
    "SignInTry",
    "Site",
    "Unit",
    "UnitKind",
    "User",
]
