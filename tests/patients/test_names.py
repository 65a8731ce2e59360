"""Names that sound alike have one key, and are found beside the name that was typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients import search_text
from patients.models import Patient
from patients.names import key_of, search_sound
from patients.queries import first_sounding
from staff import clock
from tests.builders import a_patient

ALIKE = [
    "Dupond Dupont Dupon Dupons",
    "Lefebvre Lefèvre Lefevre",
    "Meyer Meier Maier Mayer",
    "Renaud Renault Reynaud Renaut Reno",
    "Peeters Peters Peter",
    "Janssens Janssen Jansen",
    "Schmit Schmitz Schmidt Schmitt",
    "Claes Klaas",
    "Leclerc Leclercq Leclerq",
    "Weber Veber",
    "Philippe Filip",
    "Lambert Lembert Lamberts",
    "Delhaye Delhaie Delay",
    "Jacquot Jacot",
    "Wauters Vauters",
    "Muller Müller Mueller",
    "Collard Colart",
    "Goffin Goffain",
]


@pytest.mark.parametrize("names", ALIKE)
def test_names_that_sound_alike_have_one_key(names):
    assert len({key_of(name) for name in names.split()}) == 1


@pytest.mark.parametrize(
    "names", ["Martin Marten", "Durand Dupont", "Dubois Dupuis", "Leroy Petit"]
)
def test_names_that_sound_different_do_not(names):
    one, other = names.split()
    assert key_of(one) != key_of(other)


def test_a_particle_sounds_the_same_together_and_apart():
    assert search_sound("Van den Berg", "Anne") == search_sound("Vandenberg", "Anne")


@given(st.text(max_size=200), st.text(max_size=200))
def test_every_name_has_keys_that_the_database_holds(family, given_name):
    sound = search_sound(family, given_name)
    assert len(sound) <= 170
    assert "  " not in sound
    assert sound == search_sound(family.upper(), given_name) or not family.isascii()


@pytest.mark.django_db
class TestTheSearch:
    def found(self, typed: str) -> list[str]:
        """Return the family names that sound as what was typed."""
        meant = first_sounding(search_text.read(typed, today=clock.today()))
        return sorted(
            Patient.objects.filter(pk__in=meant.ids).values_list("family_name", flat=True)
        )

    def test_dupond_finds_dupont_and_no_durand(self):
        for name in ("Dupont", "Dupond", "Durand"):
            a_patient(family_name=name)
        assert self.found("Dupond") == self.found("dupons") == ["Dupond", "Dupont"]

    @pytest.mark.parametrize("typed", ["Dupond Anne", "anne dupond", "Dupond 01/01/1960"])
    def test_given_name_and_birth_date_narrow_it(self, typed):
        a_patient(family_name="Dupont", given_name="Anne")
        a_patient(family_name="Dupont", given_name="Luc", birth_date="1950-02-02")
        assert self.found(typed) == ["Dupont"]

    def test_a_number_sounds_like_nobody(self):
        a_patient()
        assert self.found("0495 12 34 56") == []
