"""The steps of the day in order, each with a French line on its result."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from appointments.bulletins import playbooks
from appointments.bulletins import services as bulletins
from appointments.demo.hospital import BULLETIN_DAY, build
from appointments.demo.loading import FEED, TERMS, load_reference_data, write_csv
from appointments.feeds.importing.services import load_file
from appointments.models import Bulletin
from staff.errors import Refusal
from staff.services import audit
from vivalia_continuity.demonstration import figures, people

_COMMAND = (
    *(sys.executable, "-m", "celery", "--quiet", "--app", "vivalia_continuity", "worker"),
    *("--beat", "--concurrency", "2", "--loglevel", "warning"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
)
_PATIENCE_TO_END = 15.0
PLAYBOOK = Path("docs") / "playbooks" / "2022-05-16.toml"
PATIENCE = 90.0  # seconds that the worker has to send everything


@contextmanager
def running_worker(log: Path) -> Iterator[None]:
    """Run a worker with its beat; its output goes to ``log``."""
    with (
        log.open("w") as said,
        subprocess.Popen(  # noqa: S603 - our own command line
            _COMMAND, cwd=settings.BASE_DIR, stdout=said, stderr=said, stdin=subprocess.DEVNULL
        ) as worker,
    ):
        try:
            yield
        finally:
            worker.terminate()
            try:
                worker.wait(_PATIENCE_TO_END)
            except subprocess.TimeoutExpired:
                worker.kill()


def wait_for(is_done: Callable[[], bool], *, patience: float, what: str) -> float:
    """Wait until something is done and return how many seconds that took.

    Raises:
        Refusal: it was not done within ``patience`` seconds.
    """
    started = time.monotonic()
    while not is_done():
        if time.monotonic() - started > patience:
            raise Refusal(f"{what} n'est pas terminé après {patience:.0f} secondes.")
        time.sleep(0.2)
    return time.monotonic() - started


class DemonstrationDay:
    """One run of the day.

    Args:
        out: the folder for the schedule, the messages and the rosters.
        say: called with each line of text.
        style_title: makes a line stand out.
    """

    def __init__(
        self,
        out: Path,
        *,
        say: Callable[[str], None],
        style_title: Callable[[str], str] = lambda text: text,
    ) -> None:
        self._out = out
        self._say = say
        self._style_title = style_title
        self._step = 0
        self._started = time.monotonic()

    def run(self) -> bool:
        """Go through the day; return whether every promise is kept at its end."""
        self._schedule_comes_in()
        bulletin = self._bulletin_is_drafted()
        self._somebody_else_approves(bulletin)
        self._people_decide()
        self._sms_leave()
        self._agent_calls()
        self._where_it_stands()
        self._rosters_are_printed()
        is_kept = self._promises_are_checked()
        self._say(f"\nFini en {time.monotonic() - self._started:.0f} secondes.")
        return is_kept

    def _title(self, text: str) -> None:
        self._step += 1
        self._say(self._style_title(f"\n{self._step}. {text}"))

    def _lines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._say(line)

    def _schedule_comes_in(self) -> None:
        self._title("L'agenda arrive, exporté la veille de l'attaque")
        hospital = build()
        load_reference_data(hospital)
        path = self._out / "agenda.csv"
        write_csv(hospital, path)
        self._say(
            f"   {len(hospital.sites)} sites, {len(hospital.units)} unités, "
            f"{len(hospital.practitioners)} praticiens, {len(hospital.patients)} patients. "
            f"Fichier : {path}"
        )
        result = load_file(path=path, feed_name=FEED, terms=TERMS, by=people.user("flux")).result
        self._say(
            f"   {result.rows} lignes lues : {result.created} rendez-vous entrés, "
            f"{result.rows_rejected} lignes rejetées, {len(result.remarks)} remarques (numéros "
            "nationaux faux, gardés et signalés)."
        )
        for fault in sorted(result.rejected, key=lambda fault: fault.line):
            self._say(f"   ligne {fault.line}, {fault.column} « {fault.value} » : {fault.why}")

    def _bulletin_is_drafted(self) -> Bulletin:
        self._title("La cellule de crise rédige le bulletin et regarde ce qu'il ferait")
        text = (settings.BASE_DIR / PLAYBOOK).read_text(encoding="utf-8")
        bulletin = bulletins.draft(by=people.user("crise1"), **vars(playbooks.read(text)))
        self._say(f"   Brouillon {bulletin.pk} tiré de {PLAYBOOK} : {bulletin.title}")
        self._command("bulletin", "preview", str(bulletin.pk))
        return bulletins.ready(bulletin_id=bulletin.pk, by=people.user("crise1"))

    def _somebody_else_approves(self, bulletin: Bulletin) -> None:
        self._title("Un second membre approuve")
        try:
            bulletins.approve(bulletin_id=bulletin.pk, by=people.user("crise1"))
        except Refusal as refusal:
            self._say(f"   crise1 essaie d'approuver son propre texte : « {refusal} »")
        second = people.user("crise2")
        bulletins.approve(bulletin_id=bulletin.pk, by=second)
        self._say(f"   {second} approuve : le bulletin {bulletin.pk} est en vigueur.")
        self._lines(figures.notices())

    def _people_decide(self) -> None:
        self._title("Les médecins gardent des patients, le Directeur médical décide")
        for doctor, number in people.doctors_keep().items():
            self._say(f"   {doctor} garde {number} patients et a joint le premier.")
        ruled = people.operations_are_ruled_on()
        self._say(
            f"   Opérations : {ruled['maintained']} maintenues, {ruled['cancelled']} annulées, "
            "chacune après avis."
        )

    def _sms_leave(self) -> None:
        self._title("Les SMS partent par un worker Celery (passerelle de démonstration)")
        with running_worker(settings.DATA_DIR / "worker.log"):
            released = bulletins.release_now(by=people.user("crise2"))
            self._say(
                f"   {released.messages} SMS et {released.calls} appels libérés avant l'heure par "
                "la cellule de crise."
            )
            seconds = wait_for(
                lambda: not figures.sms_left(), patience=PATIENCE, what="L'envoi des SMS"
            )
        self._say(f"   Tous remis en {seconds:.0f} secondes, démarrage du worker compris.")
        path = self._out / "messages.csv"
        number = figures.write_messages(path)
        self._say(f"   {number} messages dans {path} ; par exemple :")
        self._lines(figures.one_message_per_language())

    def _agent_calls(self) -> None:
        self._title("Un agent commence la liste d'appels")
        results = people.agent_calls()
        self._say(f"   {results['reached']} patients joints, {results['no_answer']} à rappeler.")

    def _where_it_stands(self) -> None:
        self._title(f"Où l'on en est pour le {BULLETIN_DAY:%d/%m/%Y}")
        self._lines(figures.decisions())
        self._lines(figures.notices())

    def _rosters_are_printed(self) -> None:
        self._title("Chaque unité reçoit sa feuille de service")
        folder = self._out / "feuilles"
        self._command("print_rosters", day=BULLETIN_DAY, out=folder, stdout=StringIO())
        papers = [path.suffix for path in folder.iterdir()]
        self._say(
            f"   {papers.count('.pdf')} PDF et {papers.count('.html')} pages HTML dans {folder}"
        )

    def _promises_are_checked(self) -> bool:
        self._title("Les promesses sont contrôlées sur les données")
        audit.anchor()  # as beat does each minute
        return self._command("verify") == 0

    def _command(self, name: str, *args: str, **options: object) -> int:
        """Run a management command as a script would; return its exit code."""
        try:
            call_command(name, *args, **options)
        except SystemExit as end:
            return int(end.code or 0)
        return 0
