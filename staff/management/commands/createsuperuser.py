"""``manage.py createsuperuser``: Django's own, recorded in the trail."""

from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.db import transaction

from staff.models import AccountChange, User
from staff.services import audit


class Command(createsuperuser.Command):
    """Makes the account, and records that the command line did."""

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Make the account."""
        before = set(User.objects.values_list("pk", flat=True))
        super().handle(*args, **options)
        for made in User.objects.exclude(pk__in=before):
            AccountChange.note(account=made, what=AccountChange.What.MADE, by=None)
            audit.record(action="account.made", by=None, subject=made, superuser=True)
