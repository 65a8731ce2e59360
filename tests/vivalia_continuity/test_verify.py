"""``manage.py verify`` is silent about a sound day and names each break of it."""

import datetime as dt
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from appointments.models import Appointment
from staff.services import audit
from tests.appointments.bulletins.builders import in_force
from tests.builders import an_appointment
from tests.vivalia_continuity.promises.day import delivery_of, faults, notice_of
from tests.vivalia_continuity.unguarded import break_by

pytestmark = pytest.mark.django_db
# A handful for each promise; what is owed is reckoned in temporary tables, as when it is opened.
MOST = 160


def verify(**options: str) -> tuple[int, str]:
    """Return the exit code and what was printed."""
    out = StringIO()
    try:
        call_command("verify", stdout=out, stderr=out, **options)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


class TestTheCommand:
    def test_a_sound_day_has_a_line_per_promise_and_exit_0(self, day):
        code, printed = verify()
        assert code == 0
        assert all(f"{number}. " in printed for number in range(1, 14))
        assert "ROMPUE" not in printed
        assert "Tout est tenu." in printed

    def test_the_day_has_really_told_someone(self, day):
        assert notice_of(day["told"]).state == "told"
        assert delivery_of(day["told"]).body

    def test_the_mark_of_a_sheet_is_held_against_the_trail(self, day):
        mark = str(audit.mark())
        code, printed = verify(head=mark)
        assert code == 0
        assert f"Marque {mark} : le journal lui correspond" in printed
        code, printed = verify(head=f"{mark[:-1]}{'0' if mark[-1] != '0' else '1'}")
        assert code == 1
        assert "n'est plus le même" in printed

    def test_without_an_anchor_it_says_that_a_copy_put_back_is_not_seen(self, day, settings):
        code, printed = verify()
        assert code == 0
        assert "Une copie plus ancienne de la base, remise en place, ne se verrait pas" in printed
        settings.TRAIL_ANCHOR_FILES = [str(settings.DATA_DIR / "an anchor that is not there")]
        code, printed = verify()
        assert code == 1
        assert "journal : ancre" in printed
        assert "an anchor that is not there : manque ou est vide" in printed

    def test_a_mark_that_is_none_is_refused_with_an_example(self):
        with pytest.raises(CommandError, match="1234:0123456789abcdef"):
            verify(head="abc")

    def test_an_empty_database_keeps_its_promises(self):
        assert verify()[0] == 0

    def test_a_broken_promise_is_named_and_exits_1(self, day):
        break_by(
            Appointment, "UPDATE {table} SET day = '2022-05-17' WHERE id = %s", day["sample"].pk
        )
        code, printed = verify()
        assert code == 1
        assert "10. Un mauvais fichier ne casse rien : ROMPUE" in printed
        assert f"rangés à un autre jour que le leur : {day['sample'].pk}" in printed

    def test_many_breaks_are_counted_and_the_first_are_shown(self):
        for _ in range(7):
            an_appointment()
        break_by(Appointment, "UPDATE {table} SET day = '2022-05-17'")
        (sentence,) = faults(10)
        assert sentence.startswith("7 rendez-vous")
        assert sentence.endswith("…")

    def test_the_number_of_queries_does_not_grow_with_the_data(
        self, day, django_assert_num_queries, django_assert_max_num_queries
    ):
        def one_more_day(number: int) -> None:
            for _ in range(number):
                an_appointment(starts="2022-05-18 09:00")

        in_force(first_day=dt.date(2022, 5, 18))
        one_more_day(1)
        with django_assert_max_num_queries(MOST) as before:
            verify()
        one_more_day(12)
        with django_assert_num_queries(len(before)):
            verify()
