"""``manage.py unlock USER``: let somebody try again to sign in."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from staff import clock
from staff.models import User
from staff.sign_in import tries


class Command(BaseCommand):
    """Forgets the failed tries of an account; the password stays as it is."""

    help = "Débloque la connexion d'un compte après trop d'essais ; sans nom, liste les bloqués."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("user", nargs="?", default="", help="nom d'utilisateur")

    def handle(self, *args: Any, user: str, **options: Any) -> None:
        """Unlock, or list who is locked out."""
        if not user:
            found = tries.locked_out()
            for one in found:
                until = one.until.astimezone(clock.BRUSSELS)
                self.stdout.write(f"{one.user.username}  {one.user}  {until:%d/%m %H:%M}")
            if not found:
                self.stdout.write("Aucun compte n'est bloqué.")
            return
        account = User.objects.filter(username=user).first()
        if account is None:
            raise CommandError(
                f"Personne ne s'appelle « {user} » ici : donnez un nom d'utilisateur.", returncode=2
            )
        forgotten = tries.unlock(user=account, by=None)
        self.stdout.write(f"{account} peut essayer à nouveau ({forgotten} essais oubliés).")
