"""The trail in words: one sentence for each action, in the reader's language.

An event is stored as a dotted action, a subject and facts, so that it never changes.
Here they become a sentence that follows the name of the actor: "a approuvé le bulletin 3". A test
reads the source and fails when an action has no sentence, or a fact no name.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from staff.models import AuditEvent
from staff.sentences import Sentence

_UNKNOWN = "…"
_HOUSE = ("staff", "patients", "notifications", "appointments")

# The sentence of each action; ``id`` is the number of the subject, other names are facts.
SENTENCES = {
    "account.factor_added": gettext_lazy("a ajouté un second facteur à son compte"),
    "account.factor_failed": gettext_lazy("second facteur refusé pour le compte « %(account)s »"),
    "account.factor_removed": gettext_lazy("a retiré un second facteur de son compte"),
    "account.factor_reset": gettext_lazy("a renouvelé ses codes de secours"),
    "account.locked_out": gettext_lazy(
        "le compte « %(account)s » est bloqué un moment, après trop d'essais"
    ),
    "account.made": gettext_lazy("compte d'administrateur %(id)s créé par commande"),
    "account.password_changed": gettext_lazy("a changé son mot de passe"),
    "account.password_failed": gettext_lazy("mot de passe refusé pour le compte « %(account)s »"),
    "account.password_given": gettext_lazy("nouveau mot de passe du compte %(id)s, par commande"),
    "account.signed_in": gettext_lazy("s'est connecté"),
    "account.signed_out": gettext_lazy("s'est déconnecté"),
    "account.unlocked": gettext_lazy("a débloqué le compte %(id)s"),
    "account.sessions_ended": gettext_lazy("a fermé toutes les sessions du compte %(id)s"),
    "appointment.keep_undone": gettext_lazy("a repris sa décision sur le rendez-vous %(id)s"),
    "appointment.kept": gettext_lazy("a gardé le rendez-vous %(id)s"),
    "appointment.let_go": gettext_lazy("a confirmé l'annulation du rendez-vous %(id)s"),
    "appointment.sent_back": gettext_lazy("a rendu le rendez-vous %(id)s à qui l'avait décidé"),
    "appointment.viewed": gettext_lazy("a ouvert le rendez-vous %(id)s"),
    "attendance.noted": gettext_lazy("a noté ce qui s'est passé à l'accueil"),
    "bulletin.approved": gettext_lazy("a approuvé le bulletin %(id)s"),
    "bulletin.deleted": gettext_lazy("a supprimé le brouillon du bulletin %(id)s"),
    "bulletin.drafted": gettext_lazy("a rédigé le bulletin %(id)s"),
    "bulletin.not_ready": gettext_lazy("a repris le bulletin %(id)s pour le modifier"),
    "bulletin.ready": gettext_lazy("a déclaré le bulletin %(id)s prêt à être approuvé"),
    "bulletin.redrafted": gettext_lazy("a modifié le brouillon du bulletin %(id)s"),
    "bulletin.released": gettext_lazy("a fait partir plus tôt les messages du bulletin %(id)s"),
    "bulletin.restored": gettext_lazy("a remis en vigueur le bulletin %(id)s"),
    "bulletin.text_edited": gettext_lazy("a modifié le texte public du bulletin %(id)s"),
    "bulletin.withdrawal_asked": gettext_lazy("a demandé le retrait du bulletin %(id)s"),
    "bulletin.withdrawal_dropped": gettext_lazy("a renoncé au retrait du bulletin %(id)s"),
    "bulletin.withdrawn": gettext_lazy("a retiré le bulletin %(id)s"),
    "call.call_back_later": gettext_lazy("a appelé : le patient demande à être rappelé"),
    "call.given_back": gettext_lazy("a rendu un appel à la liste"),
    "call.no_answer": gettext_lazy("a appelé : personne ne répond"),
    "call.reached": gettext_lazy("a appelé : le patient est prévenu"),
    "call.taken_back": gettext_lazy("a repris « patient prévenu » : il faut encore l'appeler"),
    "call.wrong_number": gettext_lazy("a appelé : mauvais numéro"),
    "call_list.viewed": gettext_lazy("a consulté la liste d'appels"),
    "calls.printed": gettext_lazy("a imprimé une feuille d'appels"),
    "conflict.accepted": gettext_lazy("a accepté des changements d'un fichier ancien"),
    "conflict.refused": gettext_lazy("a refusé des changements d'un fichier ancien"),
    "delegation.given": gettext_lazy("a nommé « %(delegate)s » pour garder ses patients"),
    "delegation.revoked": gettext_lazy("a retiré à « %(delegate)s » la garde de ses patients"),
    "demo.loaded": gettext_lazy("l'hôpital de l'exercice est chargé"),
    "doctor_day.viewed": gettext_lazy("a consulté la journée du praticien %(id)s"),
    "gateway.tested": gettext_lazy("a envoyé un SMS d'essai par « %(gateway)s »"),
    "incoming.searched": gettext_lazy("a cherché qui appelle : « %(typed)s »"),
    "message_text.reset": gettext_lazy("a rétabli le texte d'origine d'un message"),
    "message_text.saved": gettext_lazy("a modifié le texte d'un message"),
    "notice.viewed": gettext_lazy("a ouvert le message %(id)s à un patient"),
    "notices.viewed": gettext_lazy("a consulté la liste des messages aux patients"),
    "operation.opinion": gettext_lazy("a donné son avis sur l'opération %(id)s"),
    "operation.ruled": gettext_lazy("a décidé de l'opération %(id)s"),
    "operation.ruling_undone": gettext_lazy("a repris sa décision sur l'opération %(id)s"),
    "operations.viewed": gettext_lazy("a consulté les opérations"),
    "outbox.viewed": gettext_lazy("a consulté la boîte d'envoi"),
    "patient.number_added": gettext_lazy("a ajouté un numéro de téléphone au patient %(id)s"),
    "patient.viewed": gettext_lazy("a ouvert la fiche du patient %(id)s, qui appelait"),
    "decision.shared": gettext_lazy(
        "la décision vaut aussi pour le même rendez-vous dans une autre source"
    ),
    "patients.likeness_dismissed": gettext_lazy("a écarté une ressemblance entre deux patients"),
    "patients.linked": gettext_lazy("des numéros de dossier sont reliés à un même patient"),
    "patients.sms_stopped": gettext_lazy("des patients ont répondu qu'ils ne veulent plus de SMS"),
    "patients.unlinked": gettext_lazy("a de nouveau séparé deux patients"),
    "question.answered": gettext_lazy("a répondu à quelqu'un qui appelait"),
    "receipts.viewed": gettext_lazy("a consulté les accusés de réception"),
    "replies.viewed": gettext_lazy("a consulté les réponses des patients"),
    "reply.no_reminders": gettext_lazy("a noté qu'un patient ne veut plus de rappels par SMS"),
    "reply.no_sms_at_all": gettext_lazy("a noté qu'un patient ne veut plus aucun SMS"),
    "reply.seen": gettext_lazy("a lu la réponse d'un patient"),
    "reply.sms_again": gettext_lazy("a noté qu'un patient veut de nouveau des SMS"),
    "roster.drawn": gettext_lazy("la feuille de service %(id)s est prête à imprimer"),
    "roster.issued": gettext_lazy("a demandé les feuilles de service d'un jour"),
    "roster.printed": gettext_lazy("a imprimé une feuille de service"),
    "schedule.confirmed": gettext_lazy("a confirmé le chargement %(id)s"),
    "schedule.corrected": gettext_lazy("a corrigé ce que dit le chargement %(id)s de son fichier"),
    "schedule.faults_exported": gettext_lazy("a téléchargé les rejets du chargement %(id)s"),
    "schedule.loaded": gettext_lazy("a chargé un fichier de « %(feed)s »"),
    "schedule.received": gettext_lazy("a déposé un fichier de « %(feed)s »"),
    "schedule.refused_row_called": gettext_lazy("a appelé le patient d'une ligne refusée"),
    "schedule.refused_row_dismissed": gettext_lazy("a écarté une ligne refusée"),
    "schedule.refused_row_mended": gettext_lazy("une ligne refusée est corrigée"),
    "schedule.viewed": gettext_lazy("a consulté la liste des rendez-vous"),
    "sending.paused": gettext_lazy("a suspendu tous les envois"),
    "sending.released": gettext_lazy("a fait partir tout de suite ce qui était retenu"),
    "sending.resumed": gettext_lazy("a repris les envois"),
    "sms.called_instead": gettext_lazy("a mis des SMS sur la liste d'appels"),
    "sms.counted_as_told": gettext_lazy("a compté des patients comme prévenus"),
    "sms.resent": gettext_lazy("a renvoyé des SMS"),
    "sms_failed.viewed": gettext_lazy("a consulté les SMS échoués"),
    "sms_unknown.viewed": gettext_lazy("a consulté les SMS dont le sort est inconnu"),
    "source.set": gettext_lazy("a réglé la source %(id)s"),
    "trail.anchor_begun": gettext_lazy("l'ancre « %(path)s » du journal commence à nouveau"),
    "trail.exported": gettext_lazy("a téléchargé le journal"),
    "trail.sealed": gettext_lazy("les événements plus anciens que la clé sont scellés"),
    "trail.searched": gettext_lazy("a cherché dans le journal ce qui touche un patient"),
    "trail.verified": gettext_lazy("a vérifié le journal"),
    "ward_day.viewed": gettext_lazy("a consulté la journée de l'unité %(id)s"),
}

# Actions of an administrator on reference data of any kind.
_OF_ANY_KIND = {
    "added": gettext_lazy("a ajouté : %(kind)s %(id)s"),
    "changed": gettext_lazy("a modifié : %(kind)s %(id)s"),
    "deleted": gettext_lazy("a supprimé : %(kind)s %(id)s"),
}

# The name of each fact.
FACTS = {
    "accepts_disappeared": gettext_lazy("disparitions acceptées"),
    "accepts_older": gettext_lazy("fichier plus ancien accepté"),
    "account": gettext_lazy("compte"),
    "added": gettext_lazy("ordonné en plus"),
    "address": gettext_lazy("adresse"),
    "age_rule": gettext_lazy("règle de l'âge"),
    "answer": gettext_lazy("réponse"),
    "appointments": gettext_lazy("rendez-vous n°"),
    "asked_by": gettext_lazy("demandé par"),
    "body": gettext_lazy("texte"),
    "by_hand": gettext_lazy("écrit à la main"),
    "by_sms": gettext_lazy("« maintenu » par SMS"),
    "call": gettext_lazy("essai n°"),
    "calls": gettext_lazy("appels"),
    "clauses": gettext_lazy("points du bulletin"),
    "complete_for": gettext_lazy("fichier complet pour"),
    "complete_units": gettext_lazy("unités cochées"),
    "created": gettext_lazy("nouveaux"),
    "day": gettext_lazy("jour"),
    "decided_by": gettext_lazy("décidé par le compte n°"),
    "decisions": gettext_lazy("décisions"),
    "delegate": gettext_lazy("délégué"),
    "deliveries": gettext_lazy("envois n°"),
    "drafted_by": gettext_lazy("rédigé par"),
    "dropped": gettext_lazy("n'est plus ordonné"),
    "events": gettext_lazy("événements"),
    "exported_at": gettext_lazy("date de l'export"),
    "failures": gettext_lazy("essais oubliés"),
    "faults": gettext_lazy("ruptures"),
    "feed": gettext_lazy("source"),
    "file_sha256": gettext_lazy("empreinte du fichier"),
    "filters": gettext_lazy("filtres"),
    "first_day": gettext_lazy("premier jour"),
    "from_paper": gettext_lazy("d'après le papier"),
    "gateway": gettext_lazy("opérateur SMS"),
    "happened_at": gettext_lazy("moment"),
    "hash": gettext_lazy("empreinte"),
    "instead_of": gettext_lazy("à la place du bulletin"),
    "kind": gettext_lazy("sorte"),
    "known_device": gettext_lazy("appareil connu"),
    "language": gettext_lazy("langue"),
    "last_day": gettext_lazy("dernier jour"),
    "links": gettext_lazy("dossiers reliés"),
    "messages": gettext_lazy("SMS"),
    "missing": gettext_lazy("disparus"),
    "moved": gettext_lazy("déplacés"),
    "new_days_refused": gettext_lazy("jours refusés"),
    "new_days_that_suit": gettext_lazy("jours qui conviennent"),
    "note": gettext_lazy("note"),
    "notice": gettext_lazy("message n°"),
    "notices": gettext_lazy("messages n°"),
    "notices_opened": gettext_lazy("patients à prévenir"),
    "notices_withdrawn": gettext_lazy("messages retirés"),
    "now_patient": gettext_lazy("désormais patient n°"),
    "number": gettext_lazy("numéro"),
    "outcome": gettext_lazy("décision"),
    "pages": gettext_lazy("pages"),
    "patient": gettext_lazy("patient n°"),
    "patients": gettext_lazy("patients n°"),
    "patients_told": gettext_lazy("patients prévenus"),
    "phone": gettext_lazy("téléphone"),
    "planned": gettext_lazy("départ prévu"),
    "postponed_to": gettext_lazy("reporté au"),
    "practitioner": gettext_lazy("praticien"),
    "practitioners_made": gettext_lazy("praticiens créés"),
    "quiet_hours_override_reason": gettext_lazy("pourquoi la nuit"),
    "reason": gettext_lazy("motif"),
    "receipts": gettext_lazy("accusés n°"),
    "record": gettext_lazy("numéro de dossier"),
    "rejected": gettext_lazy("rejetés"),
    "remarks": gettext_lazy("remarques"),
    "replies": gettext_lazy("réponses n°"),
    "restores": gettext_lazy("remet en vigueur le bulletin"),
    "role": gettext_lazy("rôle"),
    "rows": gettext_lazy("lignes"),
    "sends_decisions_back": gettext_lazy("rend les décisions"),
    "sheets_left_out": gettext_lazy("feuilles laissées de côté"),
    "show": gettext_lazy("vue"),
    "sites": gettext_lazy("sites"),
    "source": gettext_lazy("source"),
    "source_id": gettext_lazy("numéro à la source"),
    "state": gettext_lazy("état"),
    "superseded": gettext_lazy("remplace"),
    "superuser": gettext_lazy("superutilisateur"),
    "text": gettext_lazy("texte"),
    "title": gettext_lazy("titre"),
    "two_persons": gettext_lazy("les deux personnes"),
    "typed": gettext_lazy("cherché"),
    "unchanged": gettext_lazy("inchangés"),
    "undone": gettext_lazy("refusés"),
    "unit": gettext_lazy("unité"),
    "until": gettext_lazy("jusqu'au"),
    "updated": gettext_lazy("modifiés"),
    "version": gettext_lazy("version"),
    "versions": gettext_lazy("versions"),
    "view": gettext_lazy("avis du collègue"),
    "waiting": gettext_lazy("en attente"),
    "was": gettext_lazy("avant"),
    "what": gettext_lazy("quoi"),
    "with_phone": gettext_lazy("avec téléphone"),
}


def kind_of(object_type: str) -> str:
    """Return the name of a kind of object; as recorded if no model has that name."""
    return str(_kinds().get(object_type, object_type))


def kinds() -> list[tuple[str, str]]:
    """Return each kind of object with its name, sorted by name."""
    return sorted(_kinds().items(), key=lambda kind: kind[1])


def actions() -> list[tuple[str, str]]:
    """Return each action with its sentence, without the number of the subject."""
    return [(action, _filled(sentence, {})) for action, sentence in SENTENCES.items()]


def has_sentence(action: str) -> bool:
    """Whether an action has a sentence."""
    return action in SENTENCES or action.rpartition(".")[2] in _OF_ANY_KIND


def sentence_of(event: AuditEvent) -> str:
    """Return the sentence of an event, to follow the name of the actor.

    An action of an earlier version without a sentence is shown as recorded.
    """
    sentence = SENTENCES.get(event.action) or _OF_ANY_KIND.get(event.action.rpartition(".")[2])
    if sentence is None:
        return event.action
    known = {**event.detail, "id": event.object_id, "kind": kind_of(event.object_type)}
    return _filled(sentence, known)


def facts_of(event: AuditEvent) -> Iterator[tuple[str, str]]:
    """Yield the name and the value of each fact recorded beside the sentence."""
    for name, value in event.detail.items():
        if value not in (None, "", [], {}):
            yield str(FACTS.get(name, name)), _shown(value)


def _kinds() -> dict[str, str]:
    return {
        model._meta.model_name or "": capfirst(str(model._meta.verbose_name))
        for model in apps.get_models()
        if model.__module__.partition(".")[0] in _HOUSE
    }


def _filled(sentence: Any, known: Mapping[str, Any]) -> str:
    return str(sentence) % _OrUnknown(known)


class _OrUnknown(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return _UNKNOWN


def _shown(value: Any) -> str:
    """Return a stored value for a reader: JSON knows neither dates nor yes and no."""
    if isinstance(value, bool):
        return _("oui") if value else _("non")
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    if isinstance(value, dict):
        if "said" in value:
            return str(Sentence.from_kept(value))
        return ", ".join(f"{FACTS.get(name, name)} {_shown(one)}" for name, one in value.items())
    if isinstance(value, str):
        return _moment(value)
    return str(value)


def _moment(text: str) -> str:
    """Return a date or moment that was stored as ISO 8601 as people write it."""
    try:
        if len(text) == len("2022-05-16"):
            return date_format(dt.date.fromisoformat(text), "SHORT_DATE_FORMAT")
        if text[10:11] == "T":
            moment = dt.datetime.fromisoformat(text)
            return date_format(moment.astimezone() if moment.tzinfo else moment, "D j b Y H:i")
    except ValueError:
        pass
    return text
