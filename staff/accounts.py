"""How people sign in: accounts are given by an administrator, never taken."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class ClosedAccountAdapter(DefaultAccountAdapter):
    """No sign-up page."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts are made in the reference data by an administrator."""
        return False
