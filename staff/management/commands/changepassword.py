"""``manage.py changepassword``: Django's own, recorded in the trail."""

from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.db import transaction

from staff.models import AccountChange, User
from staff.services import audit


class Command(changepassword.Command):
    """Gives a password, and records that the command line did."""

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> str | None:
        """Give the password."""
        said = super().handle(*args, **options)
        account = User.objects.filter(username=options["username"]).first()
        if account:
            AccountChange.note(account=account, what=AccountChange.What.PASSWORD, by=None)
            audit.record(action="account.password_given", by=None, subject=account)
        return said
