"""What people type on the pages of the outbox and of the queues."""

import datetime as dt

from django import forms
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.access import notices_of, sites_of
from notifications.models import Delivery, DeliveryState, Failure, Notice, notice_id_of
from notifications.telling import health as gateway_health
from notifications.telling.progress import counted_since, current
from patients import search_text
from patients.models import Language
from patients.queries import Meant, first_meant
from staff import clock
from staff.access import Capability
from staff.models import Site, User

READ_BACK = dt.timedelta(days=7)
BOUNDS = ("day", "recent", "q")


class PlaceFilter(forms.Form):
    """Narrows SMS by site and gateway; every field may be empty.

    Args:
        data: the address's parameters.
        user: whose sites may be chosen.
    """

    site = forms.ModelChoiceField(
        Site.objects.none(),
        label=gettext_lazy("Site"),
        required=False,
        empty_label=gettext_lazy("tous"),
    )
    gateway = forms.ChoiceField(label=gettext_lazy("Opérateur"), required=False)
    failure = forms.ChoiceField(
        label=gettext_lazy("Cause"),
        choices=[("", gettext_lazy("toutes")), *Failure.choices],
        required=False,
    )

    def __init__(self, data: QueryDict, *, user: User) -> None:
        super().__init__(data)
        self._given, self._user = data, user
        self.fields["site"].queryset = sites_of(  # type: ignore[attr-defined]
            user, Capability.SEE_OUTBOX, Capability.WORK_CALL_LIST
        )
        self.fields["gateway"].choices = [  # type: ignore[attr-defined]
            ("", _("toutes")),
            *((name, name) for name in gateway_health.names()),
        ]

    @property
    def in_use(self) -> dict[str, str]:
        """The fields that narrow something, as they stand in the address."""
        return {name: self.data[name] for name in self.fields if self.data.get(name)}

    def narrow(self, messages: QuerySet[Delivery]) -> QuerySet[Delivery]:
        """Return the messages that fit; none when a field is wrong."""
        if not self.is_valid():
            return messages.none()
        exact = {
            "notice__site": self.cleaned_data["site"],
            "gateway": self.cleaned_data["gateway"],
            "failure": self.cleaned_data["failure"],
        }
        return messages.filter(**{name: value for name, value in exact.items() if value})


class OutboxFilter(PlaceFilter):
    """Narrows the outbox."""

    q = forms.CharField(
        label=gettext_lazy("Chercher un patient ou une référence"),
        required=False,
        max_length=80,
        widget=forms.TextInput(
            attrs={"type": "search", "autocomplete": "off", "spellcheck": "false"}
        ),
        help_text=gettext_lazy(
            "Nom et prénom, date de naissance, téléphone, numéro de dossier, ou la référence "
            "écrite à la fin du SMS."
        ),
    )
    day = forms.DateField(
        label=gettext_lazy("Jour du rendez-vous"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    state = forms.MultipleChoiceField(
        label=gettext_lazy("État"),
        choices=DeliveryState.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Langue"),
        choices=[("", gettext_lazy("toutes")), *Language.choices],
        required=False,
    )
    recent = forms.BooleanField(
        label=gettext_lazy("Depuis hier, ou encore à prévenir"),
        required=False,
        help_text=gettext_lazy("Ce que comptent le tableau de bord et le suivi des envois."),
    )
    text = forms.CharField(
        label=gettext_lazy("Mots du SMS"),
        required=False,
        max_length=80,
        help_text=gettext_lazy("Dans les SMS déjà partis."),
    )

    @property
    def words(self) -> list[str]:
        """What the folded-away fields narrow to, as a reader says it."""
        names = [name for name in self.in_use if name != "q"]
        return [word for name in names for word in _words(self.fields[name], self._given, name)]

    def narrow(self, messages: QuerySet[Delivery]) -> QuerySet[Delivery]:
        """Return the messages that fit; none when a field is wrong."""
        messages = super().narrow(messages)
        if not self.is_valid():
            return messages
        chosen = self.cleaned_data
        # The reader's notices first, so that the database reads few.
        within = notices_of(self._user, Capability.SEE_OUTBOX)
        if chosen["site"]:
            within &= Q(site=chosen["site"])
        exact = {
            "state__in": chosen["state"],
            "notice__day": chosen["day"],
            "notice__patient__language": chosen["language"],
            "body__icontains": chosen["text"],
        }
        messages = messages.filter(**{name: value for name, value in exact.items() if value})
        if chosen["recent"]:
            messages = messages.filter(current(counted_since(), "notice", within=within))
        if self.read_since:
            about = Notice.objects.filter(within, day__gte=self.read_since)
            messages = messages.filter(notice__in=about.values("pk"))
        if self._notice_id is not None:
            return messages.filter(notice=self._notice_id)
        return messages.filter(notice__patient__in=self._meant.ids) if self._meant else messages

    @property
    def is_search(self) -> bool:
        """Whether a patient or a reference is searched."""
        return self.is_valid() and bool(self.cleaned_data["q"])

    @cached_property
    def _notice_id(self) -> int | None:
        return notice_id_of(self.cleaned_data["q"])

    @cached_property
    def _meant(self) -> Meant | None:
        """The patients that are meant, unless it is a reference."""
        read = search_text.read(self.cleaned_data["q"], today=clock.today())
        return first_meant(read) if read and self._notice_id is None else None

    @property
    def means_many(self) -> bool:
        """Whether the search means more patients than are looked up."""
        return self.is_search and self._meant is not None and self._meant.is_more

    @property
    def read_since(self) -> dt.date | None:
        """The first day whose messages are read, where only reading one by one answers.

        A day, a patient or ``recent`` bounds the list already; without any filter the newest
        are shown. A site is met soon enough, however far back the list goes.
        """
        chosen = self.cleaned_data if self.is_valid() else {}
        if any(chosen.get(name) for name in BOUNDS):
            return None
        is_picky = any(value for name, value in chosen.items() if name != "site")
        return clock.today() - READ_BACK if is_picky else None

    @property
    def is_bounded(self) -> bool:
        """Whether few messages are left, of whatever age, so that sorting them costs nothing."""
        chosen = self.cleaned_data if self.is_valid() else {}
        return bool(self.read_since or chosen.get("day") or chosen.get("recent"))


def _words(field: forms.Field, data: QueryDict, name: str) -> list[str]:
    if isinstance(field, forms.BooleanField):
        return [str(field.label)]
    labels = {str(value): str(label) for value, label in getattr(field, "choices", ())}
    return [labels.get(value, value) for value in data.getlist(name)]


class SettleForm(forms.Form):
    """What a person decides about some SMS, and why.

    Args:
        action: ``resend``, ``call`` or ``told``.
    """

    reason = forms.CharField(
        label=gettext_lazy("Pourquoi"),
        max_length=120,
        help_text=gettext_lazy("Reste dans le journal et sur chaque avis. Rien de médical."),
    )
    twice = forms.BooleanField(
        label=gettext_lazy("Je sais que le patient peut recevoir ce SMS deux fois."),
    )

    def __init__(self, action: str, data: QueryDict | None = None) -> None:
        super().__init__(data)
        if action != "resend":
            del self.fields["twice"]
        self.fields["reason"].required = action != "call"
