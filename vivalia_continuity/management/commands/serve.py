"""``manage.py serve``: the whole application on one machine, in one command."""

import os
import signal
import sys
from argparse import ArgumentParser
from threading import Event
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from staff.errors import Refusal
from staff.models import User
from vivalia_continuity import embedded
from vivalia_continuity.processes import ManagedProcess, Supervisor

CELERY = (sys.executable, "-m", "celery", "--quiet", "--app", "vivalia_continuity")


def parts(port: int) -> list[ManagedProcess]:
    """Return the processes of the embedded mode."""
    web = (sys.executable, "-m", "vivalia_continuity.web_server", embedded.HOST, str(port))
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    worker = (*CELERY, "worker", "--loglevel", "warning", *quiet)
    papers = ("--queues", "celery", "--concurrency", "2", "--hostname", "worker@%h")
    sender = ("--queues", "sms", "--concurrency", "1", "--hostname", "sms@%h")
    return [
        ManagedProcess("Serveur web 1", web),
        ManagedProcess("Serveur web 2", web),
        ManagedProcess("Worker", (*worker, *papers)),
        ManagedProcess("Envoi des SMS", (*worker, *sender)),
        ManagedProcess("Beat", (*CELERY, "beat", "--loglevel", "warning", "--pidfile", "")),
    ]


class Command(BaseCommand):
    """Web server, Celery worker and beat together, without Redis or PostgreSQL."""

    help = "Démarre tout sur cette machine : serveur web, worker et beat. Ctrl-C arrête tout."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--port", type=int, default=8000, help="port local (8000)")
        parser.add_argument(
            "--demo", action="store_true", help="charge l'hôpital de démonstration (14 mai 2022)"
        )

    def handle(self, *args: Any, port: int, demo: bool, **options: Any) -> None:
        """Make everything ready, then run until Ctrl-C or SIGTERM."""
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            self._serve(port, demo)
        except Refusal as refusal:
            raise CommandError(str(refusal), returncode=2) from refusal
        except KeyboardInterrupt:
            sys.exit(130)

    def _serve(self, port: int, demo: bool) -> None:
        if settings.SERVER_MODE:
            raise Refusal(
                "DATABASE_URL choisit le mode serveur, où chaque processus démarre à part (voir "
                "docker-compose.yml). Retirez DATABASE_URL pour tout démarrer ici."
            )
        embedded.check_port(port)
        embedded.make_folders()
        with embedded.take_data_dir():
            embedded.make_database()
            if demo and embedded.mark_as_drill():
                self._start_again()
            self._say("Préparation des pages…")
            embedded.gather_static_files()
            if demo:
                embedded.load_demo_once(self._say)
            has_accounts = User.objects.exists()
            connections.close_all()
            supervisor = Supervisor(
                parts(port), folder=settings.BASE_DIR, environment=os.environ, say=self._say
            )
            supervisor.run(lambda stop: self._greet(port, stop, has_accounts))
        self._say("Tout est arrêté.")

    def _start_again(self) -> None:
        """Read the settings anew: from now on the date is that of the drill."""
        connections.close_all()
        self.stdout.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606

    def _greet(self, port: int, stop: Event, has_accounts: bool) -> None:
        if not embedded.wait_until_open(port, stop):
            return
        self._say(f"\nVivalia Continuity : http://localhost:{port}/   (Ctrl-C pour arrêter)")
        if settings.DEMO_TODAY:
            self._list_demo_accounts()
        elif not has_accounts:
            self._say("Aucun compte encore. Créez le premier : manage.py createsuperuser")

    def _list_demo_accounts(self) -> None:
        from appointments.demo.accounts import ACCOUNTS, DEMO_PASSWORD

        self._say(f"Exercice du {settings.DEMO_TODAY}. Mot de passe de tous : {DEMO_PASSWORD}")
        for account in ACCOUNTS:
            self._say(f"  {account.username:<13} {account.job}")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
