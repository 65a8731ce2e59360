"""The user for commands that name none."""

from staff.models import Role, RoleAssignment, User

USERNAME = "ligne-de-commande"


def user() -> User:
    """Return the command line's own member of the crisis cell, made on first use.

    Nobody can sign in as it. It drafts and pauses. Its bulletins are approved by a person, whom
    the command must name.
    """
    account, created = User.objects.get_or_create(
        username=USERNAME,
        defaults={"first_name": "Ligne de commande"},  # a surname is in capitals
    )
    if created:
        account.set_unusable_password()
        account.save()
        RoleAssignment.objects.create(user=account, role=Role.CRISIS_CELL)
    return account
