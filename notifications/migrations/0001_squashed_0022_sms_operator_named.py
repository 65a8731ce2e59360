"""The tables of the notifications app as 0001 to 0022 leave them.

An empty database runs this migration alone. One that ran all of them has it marked as applied; one
that ran some of them runs the rest. Once every database has run this version, they can go, and
``replaces`` with them.
"""

import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import staff.sentences
from staff.append_only import append_only, no_truncate


class Migration(migrations.Migration):

    replaces = [
        ('notifications', '0001_initial'),
        ('notifications', '0002_initial'),
        ('notifications', '0003_message_texts'),
        ('notifications', '0004_gateways_and_receipts'),
        ('notifications', '0005_progress_indexes'),
        ('notifications', '0006_avis_is_masculine'),
        ('notifications', '0007_receipts_keep_what_passes'),
        ('notifications', '0008_sweeps_read_little'),
        ('notifications', '0009_calls_being_made'),
        ('notifications', '0010_questions'),
        ('notifications', '0011_calls_on_paper'),
        ('notifications', '0012_postponed'),
        ('notifications', '0013_pages_read_little'),
        ('notifications', '0014_questions_no_truncate'),
        ('notifications', '0015_what_lapsed'),
        ('notifications', '0016_hosts_and_clocks'),
        ('notifications', '0017_record_numbers'),
        ('notifications', '0018_receipts_in_any_form'),
        ('notifications', '0019_new_day_answer'),
        ('notifications', '0020_to_ask_again'),
        ('notifications', '0021_stored_remarks'),
        ('notifications', '0022_sms_operator_named'),
    ]

    initial = True

    dependencies = [
        ('patients', '0001_squashed_0009_links_of_known_patients'),
        ('staff', '0001_squashed_0008_account_changes_append_only'),
    ]

    operations = [
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(verbose_name='jour')),
                ('version', models.PositiveSmallIntegerField(verbose_name='version')),
                ('state', models.CharField(choices=[('open', 'à prévenir'), ('told', 'prévenu'), ('unreachable', 'injoignable'), ('withdrawn', 'retiré')], default='open', max_length=12, verbose_name='état')),
                ('first_at', models.DateTimeField(help_text='Passé ce moment, prévenir ne sert plus.', verbose_name='premier rendez-vous')),
                ('created_at', models.DateTimeField(verbose_name='ouvert le')),
                ('handed_over_at', models.DateTimeField(blank=True, null=True, verbose_name='remis le')),
                ('settled_at', models.DateTimeField(blank=True, null=True, verbose_name='clos le')),
                ('patient', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='patients.patient', verbose_name='patient')),
                ('reserved_for', models.ForeignKey(blank=True, db_index=False, help_text="Le médecin qui a gardé le patient l'appelle lui-même.", null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='staff.practitioner', verbose_name='médecin qui appelle')),
                ('settled_by', models.ForeignKey(blank=True, db_index=False, help_text="Vide quand la passerelle l'a clos.", null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='clos par')),
                ('site', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='staff.site', verbose_name='site')),
            ],
            options={
                'verbose_name': 'avis',
                'verbose_name_plural': 'avis',
                'indexes': [models.Index(fields=['day', 'state'], name='notice_day_state'), models.Index(condition=models.Q(('reserved_for__isnull', False)), fields=['reserved_for', 'day'], name='notice_reserved'), models.Index(condition=models.Q(('state', 'open')), fields=['state', 'day'], name='notice_open')],
                'constraints': [models.UniqueConstraint(fields=('patient', 'day', 'version'), name='notice_told_once'), models.UniqueConstraint(condition=models.Q(('handed_over_at__isnull', True), ('state', 'open')), fields=('patient', 'day'), name='notice_one_pending'), models.CheckConstraint(condition=models.Q(('state__in', ['open', 'told', 'unreachable', 'withdrawn'])), name='notice_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('settled_at__isnull', True), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('settled_at__isnull', False)), _connector='OR'), name='notice_settled_iff_closed'), models.CheckConstraint(condition=models.Q(('settled_by__isnull', True), ('settled_at__isnull', False), _connector='OR'), name='notice_settler_needs_time'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'told'), _negated=True), ('handed_over_at__isnull', False), _connector='OR'), name='notice_told_was_handed_over')],
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(choices=[('sms', 'SMS'), ('phone', 'téléphone')], max_length=8, verbose_name='canal')),
                ('number', models.PositiveSmallIntegerField(default=1, verbose_name='essai')),
                ('state', models.CharField(choices=[('held', 'retenu'), ('queued', 'en attente'), ('claimed', 'pris en charge'), ('submitting', 'en cours de remise'), ('accepted', "remis à l'opérateur"), ('delivered', 'reçu'), ('unknown', 'inconnu'), ('failed', 'échoué'), ('expired', 'périmé'), ('withdrawn', 'retiré'), ('suppressed', 'non envoyé')], max_length=12, verbose_name='état')),
                ('address', models.CharField(blank=True, max_length=20, verbose_name='numéro')),
                ('not_before', models.DateTimeField(verbose_name='pas avant')),
                ('body', models.TextField(blank=True, help_text='Ce qui a été remis.', verbose_name='texte')),
                ('parts', models.PositiveSmallIntegerField(default=0, verbose_name='parties')),
                ('gateway', models.CharField(blank=True, max_length=40, verbose_name='passerelle')),
                ('client_reference', models.CharField(blank=True, max_length=32)),
                ('provider_id', models.CharField(blank=True, max_length=100, verbose_name='numéro chez la passerelle')),
                ('claimed_by', models.CharField(blank=True, max_length=80, verbose_name='pris par')),
                ('lease_until', models.DateTimeField(blank=True, null=True, verbose_name="pris jusqu'à")),
                ('submitted_at', models.DateTimeField(blank=True, null=True, verbose_name='remis le')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='terminé le')),
                ('failure', models.CharField(blank=True, choices=[('invalid_number', 'numéro invalide'), ('unreachable', 'injoignable'), ('rejected', "refusé par l'opérateur"), ('expired', 'trop tard'), ('barred', 'numéro bloqué'), ('opted_out', 'refuse les SMS'), ('no_answer', 'ne répond pas'), ('wrong_number', 'mauvais numéro'), ('call_later', 'demande à être rappelé'), ('no_number', 'pas de numéro utilisable'), ('quiet_hours', "heures calmes jusqu'au rendez-vous"), ('unknown', 'sort inconnu')], max_length=16, verbose_name='cause')),
                ('remark', staff.sentences.SentenceField(blank=True, verbose_name='remarque')),
                ('caller', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='appelé par')),
                ('notice', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='notifications.notice')),
                ('ignores_quiet_hours', models.BooleanField(default=False, verbose_name='même pendant les heures calmes')),
                ('urgency', models.PositiveIntegerField(default=0, verbose_name='urgence')),
                ('printed_at', models.DateTimeField(blank=True, help_text="L'agent appelle sans écran et note le résultat plus tard.", null=True, verbose_name='pris sur papier le')),
            ],
            options={
                'verbose_name': 'envoi',
                'verbose_name_plural': 'envois',
                'indexes': [models.Index(fields=['finished_at'], name='delivery_finished'), models.Index(condition=models.Q(('state', 'held')), fields=['not_before', 'urgency'], name='delivery_held'), models.Index(condition=models.Q(('state', 'queued')), fields=['channel', 'urgency', 'id'], name='delivery_queued'), models.Index(condition=models.Q(('lease_until__isnull', False)), fields=['lease_until'], name='delivery_leased'), models.Index(condition=models.Q(('submitted_at__isnull', False)), fields=['submitted_at'], name='delivery_submitted'), models.Index(condition=models.Q(('state', 'queued'), models.Q(('client_reference', ''), _negated=True)), fields=['channel', 'gateway'], name='delivery_to_repeat'), models.Index(condition=models.Q(('state', 'unknown')), fields=['gateway', 'lease_until'], name='delivery_unknown'), models.Index(condition=models.Q(('channel', 'phone'), ('state', 'claimed')), fields=['caller', 'notice'], name='delivery_being_called'), models.Index(condition=models.Q(('finished_at__isnull', True), ('state', 'accepted')), fields=['gateway', 'submitted_at'], name='delivery_awaited'), models.Index(models.F('gateway'), models.Func(django.db.models.functions.text.Lower('provider_id'), models.Value('0'), function='LTRIM'), condition=models.Q(('provider_id', ''), _negated=True), name='delivery_provider_number')],
                'constraints': [models.UniqueConstraint(fields=('notice', 'channel', 'number'), name='delivery_try_once'), models.UniqueConstraint(condition=models.Q(('state__in', ['held', 'queued', 'claimed', 'submitting', 'accepted', 'unknown'])), fields=('notice',), name='delivery_one_live_per_notice'), models.UniqueConstraint(condition=models.Q(('client_reference', ''), _negated=True), fields=('client_reference',), name='delivery_client_reference_once'), models.CheckConstraint(condition=models.Q(('state__in', ['held', 'queued', 'claimed', 'submitting', 'accepted', 'delivered', 'unknown', 'failed', 'expired', 'withdrawn', 'suppressed'])), name='delivery_state_known'), models.CheckConstraint(condition=models.Q(('channel__in', ['sms', 'phone'])), name='delivery_channel_known'), models.CheckConstraint(condition=models.Q(models.Q(('channel', 'sms'), _negated=True), models.Q(('address', ''), _negated=True), _connector='OR'), name='delivery_sms_has_address'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'claimed'), _negated=True), models.Q(('lease_until__isnull', False), models.Q(('claimed_by', ''), _negated=True)), _connector='OR'), name='delivery_claim_is_a_lease')],
            },
        ),
        migrations.CreateModel(
            name='NoticeItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject_id', models.BigIntegerField(verbose_name='rendez-vous')),
                ('starts_at', models.DateTimeField(verbose_name='heure')),
                ('word', models.CharField(choices=[('cancelled', 'annulé'), ('maintained', 'maintenu')], max_length=10, verbose_name='dit')),
                ('notice', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='notifications.notice')),
                ('site', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='staff.site', verbose_name='site')),
                ('postponed_to', models.DateField(blank=True, null=True, verbose_name='reporté au')),
                ('has_lapsed', models.BooleanField(db_default=False, default=False, help_text="Changé pendant que le SMS était en route : s'il échoue, on ne le dit plus.", verbose_name='ne vaut plus')),
                ('record_number', models.CharField(blank=True, db_default='', default='', max_length=80, verbose_name='numéro de dossier')),
                ('new_day_answered_at', models.DateTimeField(blank=True, null=True, verbose_name='réponse le')),
                ('new_day_suits', models.BooleanField(blank=True, null=True, verbose_name='le nouveau jour convient')),
            ],
            options={
                'verbose_name': "élément d'avis",
                'verbose_name_plural': "éléments d'avis",
                'indexes': [models.Index(condition=models.Q(('postponed_to__isnull', False)), fields=['postponed_to'], name='notice_item_postponed')],
                'constraints': [models.UniqueConstraint(fields=('subject_id', 'notice'), name='notice_item_once'), models.CheckConstraint(condition=models.Q(('word__in', ['cancelled', 'maintained'])), name='notice_item_word_known'), models.CheckConstraint(condition=models.Q(('postponed_to__isnull', True), ('word', 'cancelled'), _connector='OR'), name='notice_item_postponed_is_cancelled'), models.CheckConstraint(condition=models.Q(models.Q(('new_day_answered_at__isnull', True), ('new_day_suits__isnull', True)), models.Q(('new_day_answered_at__isnull', False), ('new_day_suits__isnull', False), ('postponed_to__isnull', False)), _connector='OR'), name='notice_item_answer_is_to_a_new_day')],
            },
        ),
        migrations.CreateModel(
            name='Sending',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('paused_at', models.DateTimeField(blank=True, null=True, verbose_name='en pause depuis')),
                ('paused_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='mis en pause par')),
            ],
            options={
                'verbose_name': 'envoi des messages',
                'verbose_name_plural': 'envoi des messages',
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='sending_single'), models.CheckConstraint(condition=models.Q(models.Q(('paused_at__isnull', True), ('paused_by__isnull', True)), models.Q(('paused_at__isnull', False), ('paused_by__isnull', False)), _connector='OR'), name='sending_paused_by_someone')],
            },
        ),
        migrations.CreateModel(
            name='MessageText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(choices=[('fr', 'français'), ('nl', 'néerlandais'), ('de', 'allemand'), ('en', 'anglais')], max_length=2, verbose_name='langue')),
                ('kind', models.CharField(choices=[('cancelled', 'SMS : annulé'), ('maintained', 'SMS : maintenu'), ('mixed', 'SMS : annulé et maintenu'), ('call_cancelled', 'appel : annulé'), ('call_maintained', 'appel : maintenu'), ('call_mixed', 'appel : annulé et maintenu'), ('call_postponed', 'appel : reporté à une date')], max_length=16, verbose_name='message')),
                ('body', models.TextField(verbose_name='texte')),
            ],
            options={
                'verbose_name': 'texte de message',
                'verbose_name_plural': 'textes de message',
                'ordering': ['language', 'kind'],
                'constraints': [models.UniqueConstraint(fields=('language', 'kind'), name='message_text_once'), models.CheckConstraint(condition=models.Q(('language__in', ['fr', 'nl', 'de', 'en'])), name='message_text_language_known'), models.CheckConstraint(condition=models.Q(('kind__in', ['cancelled', 'maintained', 'mixed', 'call_cancelled', 'call_maintained', 'call_mixed', 'call_postponed'])), name='message_text_kind_known')],
            },
        ),
        migrations.CreateModel(
            name='DeliveryPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('part', models.PositiveSmallIntegerField(verbose_name='partie')),
                ('gateway', models.CharField(max_length=40, verbose_name='passerelle')),
                ('provider_id', models.CharField(max_length=100, verbose_name='numéro chez la passerelle')),
                ('state', models.CharField(choices=[('on_its_way', 'en route'), ('delivered', 'reçu'), ('failed', 'échoué'), ('expired', 'périmé')], default='on_its_way', max_length=12, verbose_name='état')),
                ('delivery', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='numbered_parts', to='notifications.delivery')),
            ],
            options={
                'verbose_name': "partie d'un SMS",
                'verbose_name_plural': "parties d'un SMS",
                'indexes': [models.Index(models.F('gateway'), models.Func(django.db.models.functions.text.Lower('provider_id'), models.Value('0'), function='LTRIM'), name='delivery_part_plain_number')],
                'constraints': [models.UniqueConstraint(fields=('delivery', 'part'), name='delivery_part_once'), models.CheckConstraint(condition=models.Q(('state__in', ['on_its_way', 'delivered', 'failed', 'expired'])), name='delivery_part_state_known')],
            },
        ),
        migrations.CreateModel(
            name='GatewaySeat',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('gateway', models.CharField(max_length=40, verbose_name='passerelle')),
                ('seat', models.PositiveSmallIntegerField(verbose_name='place')),
                ('worker', models.CharField(max_length=80, verbose_name='prise par')),
                ('until', models.DateTimeField(verbose_name="jusqu'à")),
            ],
            options={
                'verbose_name': 'connexion à une passerelle',
                'verbose_name_plural': 'connexions aux passerelles',
                'constraints': [models.UniqueConstraint(fields=('gateway', 'seat'), name='gateway_seat_once'), models.CheckConstraint(condition=models.Q(('worker', ''), _negated=True), name='gateway_seat_is_taken')],
            },
        ),
        migrations.CreateModel(
            name='GatewayState',
            fields=[
                ('name', models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name='passerelle')),
                ('free_at', models.DateTimeField(blank=True, null=True)),
                ('day', models.DateField(blank=True, null=True, verbose_name='jour compté')),
                ('parts_of_day', models.PositiveIntegerField(default=0, verbose_name='parties ce jour')),
                ('away_until', models.DateTimeField(blank=True, null=True, verbose_name="hors d'atteinte jusqu'à")),
                ('failures_in_a_row', models.PositiveIntegerField(default=0, verbose_name='échecs de suite')),
                ('accepted_at', models.DateTimeField(blank=True, null=True, verbose_name='dernier message remis')),
                ('reported_at', models.DateTimeField(blank=True, null=True, verbose_name='dernier accusé')),
                ('throttled_at', models.DateTimeField(blank=True, null=True, verbose_name='dernier frein')),
                ('failed_at', models.DateTimeField(blank=True, null=True, verbose_name='dernier échec')),
                ('complaint', models.CharField(blank=True, max_length=200, verbose_name='dernier échec, en mots')),
                ('two_receipts_at', models.DateTimeField(blank=True, null=True, verbose_name='deux accusés pour un message long')),
            ],
            options={
                'verbose_name': "état d'une passerelle",
                'verbose_name_plural': 'état des passerelles',
            },
        ),
        migrations.CreateModel(
            name='Receipt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('gateway', models.CharField(max_length=40, verbose_name='passerelle')),
                ('key', models.CharField(max_length=64)),
                ('state', models.CharField(choices=[('on_its_way', 'en route'), ('delivered', 'reçu'), ('failed', 'échoué'), ('expired', 'périmé')], max_length=12, verbose_name='dit')),
                ('failure', models.CharField(blank=True, choices=[('invalid_number', 'numéro invalide'), ('unreachable', 'injoignable'), ('rejected', "refusé par l'opérateur"), ('expired', 'trop tard'), ('barred', 'numéro bloqué'), ('opted_out', 'refuse les SMS'), ('no_answer', 'ne répond pas'), ('wrong_number', 'mauvais numéro'), ('call_later', 'demande à être rappelé'), ('no_number', 'pas de numéro utilisable'), ('quiet_hours', "heures calmes jusqu'au rendez-vous"), ('unknown', 'sort inconnu')], max_length=16, verbose_name='cause')),
                ('reference', models.CharField(blank=True, max_length=32)),
                ('provider_id', models.CharField(blank=True, max_length=100, verbose_name='numéro chez la passerelle')),
                ('other_ids', models.CharField(blank=True, help_text="Autres formes du numéro, séparées d'un espace.", max_length=200)),
                ('phone', models.CharField(blank=True, max_length=20, verbose_name='numéro')),
                ('remark', models.CharField(blank=True, max_length=200, verbose_name='remarque')),
                ('happened_at', models.DateTimeField(blank=True, null=True, verbose_name="d'après la passerelle")),
                ('received_at', models.DateTimeField(verbose_name='reçu le')),
                ('delivery', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='receipts', to='notifications.delivery')),
                ('temporary', models.BooleanField(default=False, help_text="Rien n'est parti : un autre essai peut suivre.", verbose_name='passager')),
            ],
            options={
                'verbose_name': 'accusé',
                'verbose_name_plural': 'accusés',
                'indexes': [models.Index(condition=models.Q(('delivery__isnull', True)), fields=['received_at'], name='receipt_unmatched')],
                'constraints': [models.UniqueConstraint(fields=('gateway', 'key'), name='receipt_once'), models.CheckConstraint(condition=models.Q(('state__in', ['on_its_way', 'delivered', 'failed', 'expired'])), name='receipt_state_known')],
            },
        ),
        migrations.CreateModel(
            name='Reply',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('gateway', models.CharField(max_length=40, verbose_name='passerelle')),
                ('key', models.CharField(max_length=64)),
                ('phone', models.CharField(max_length=20, verbose_name='numéro')),
                ('text', models.TextField(verbose_name='texte')),
                ('meaning', models.CharField(choices=[('stop', 'ne veut plus de SMS'), ('other', 'autre réponse')], max_length=8, verbose_name='sens')),
                ('received_at', models.DateTimeField(verbose_name='reçue le')),
                ('outcome', models.CharField(blank=True, choices=[('no_sms_at_all', 'plus aucun SMS : appeler'), ('no_reminders', 'plus de rappels, mais bien les annulations'), ('sms_again', 'de nouveau des SMS'), ('seen', 'vu')], max_length=16, verbose_name='suite')),
                ('handled_at', models.DateTimeField(blank=True, null=True, verbose_name='traitée le')),
                ('handled_by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='traitée par')),
                ('notice', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='replies', to='notifications.notice')),
                ('patient', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='replies', to='patients.patient')),
            ],
            options={
                'verbose_name': 'réponse',
                'verbose_name_plural': 'réponses',
                'indexes': [models.Index(condition=models.Q(('handled_at__isnull', True)), fields=['received_at'], name='reply_waiting'), models.Index(fields=['received_at', 'id'], name='reply_received')],
                'constraints': [models.UniqueConstraint(fields=('gateway', 'key'), name='reply_once'), models.CheckConstraint(condition=models.Q(('meaning__in', ['stop', 'other'])), name='reply_meaning_known'), models.CheckConstraint(condition=models.Q(models.Q(('handled_at__isnull', True), ('handled_by__isnull', True), ('outcome', '')), models.Q(('handled_at__isnull', False), ('handled_by__isnull', False), ('outcome__in', ['no_sms_at_all', 'no_reminders', 'sms_again', 'seen'])), _connector='OR'), name='reply_handled_by_someone_somehow')],
            },
        ),
        migrations.CreateModel(
            name='Question',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(blank=True, null=True, verbose_name='jour')),
                ('asked_at', models.DateTimeField(verbose_name='demandé le')),
                ('found_by', models.CharField(blank=True, choices=[('name', 'nom'), ('birth', 'date de naissance'), ('number', 'numéro'), ('reference', 'référence du SMS')], max_length=12, verbose_name='trouvé par')),
                ('reference', models.CharField(blank=True, max_length=20, verbose_name='référence lue')),
                ('answer', models.CharField(choices=[('told', 'prévenu pendant cet appel'), ('in_force', 'ce qui vaut a été lu'), ('not_known', 'pas encore de réponse'), ('not_ours', "le message n'est pas de nous"), ('not_found', 'patient introuvable')], max_length=12, verbose_name='réponse')),
                ('said', models.TextField(blank=True, verbose_name='phrase lue')),
                ('remark', models.CharField(blank=True, max_length=200, verbose_name='remarque')),
                ('answered_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='répondu par')),
                ('notice', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='questions', to='notifications.notice', verbose_name='avis')),
                ('patient', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='questions', to='patients.patient', verbose_name='patient')),
            ],
            options={
                'verbose_name': 'question',
                'verbose_name_plural': 'questions',
                'indexes': [models.Index(fields=['patient', 'asked_at'], name='question_patient_asked')],
                'constraints': [models.CheckConstraint(condition=models.Q(('answer__in', ['told', 'in_force', 'not_known', 'not_ours', 'not_found'])), name='question_answer_known'), models.CheckConstraint(condition=models.Q(('found_by__in', ['', 'name', 'birth', 'number', 'reference'])), name='question_found_by_known'), models.CheckConstraint(condition=models.Q(models.Q(('answer', 'told'), _negated=True), models.Q(('notice__isnull', False), ('patient__isnull', False)), _connector='OR'), name='question_told_has_notice')],
            },
        ),
        migrations.CreateModel(
            name='SendingHost',
            fields=[
                ('name', models.CharField(max_length=60, primary_key=True, serialize=False, verbose_name='machine')),
                ('seen_at', models.DateTimeField(verbose_name='vue le')),
                ('clock_ahead', models.FloatField(default=0.0, help_text='Secondes ; négatif si elle retarde sur la base de données.', verbose_name='avance de son horloge')),
            ],
            options={
                'verbose_name': 'machine qui envoie',
                'verbose_name_plural': 'machines qui envoient',
            },
        ),
        migrations.CreateModel(
            name='ClockStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('noticed_at', models.DateTimeField(verbose_name='remarqué le')),
                ('was_at', models.DateTimeField(verbose_name='elle montrait')),
            ],
            options={
                'verbose_name': "recul de l'horloge",
                'verbose_name_plural': "reculs de l'horloge",
                'constraints': [models.CheckConstraint(condition=models.Q(('was_at__gt', models.F('noticed_at'))), name='clock_step_is_back')],
            },
        ),
        migrations.CreateModel(
            name='GatewayReach',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('gateway', models.CharField(max_length=40, verbose_name='passerelle')),
                ('host', models.CharField(max_length=60, verbose_name='machine')),
                ('away_until', models.DateTimeField(blank=True, null=True, verbose_name="hors d'atteinte jusqu'à")),
                ('failures_in_a_row', models.PositiveIntegerField(default=0, verbose_name='échecs de suite')),
                ('failed_at', models.DateTimeField(blank=True, null=True, verbose_name='dernier échec')),
                ('complaint', models.CharField(blank=True, max_length=200, verbose_name='dernier échec, en mots')),
            ],
            options={
                'verbose_name': 'chemin vers une passerelle',
                'verbose_name_plural': 'chemins vers les passerelles',
                'constraints': [models.UniqueConstraint(fields=('gateway', 'host'), name='gateway_reach_once')],
            },
        ),
        migrations.CreateModel(
            name='ToAskAgain',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(verbose_name='jour')),
                ('patient', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='patients.patient')),
            ],
            options={
                'verbose_name': 'question à reposer',
                'verbose_name_plural': 'questions à reposer',
            },
        ),
        append_only('notifications_question'),
        no_truncate('notifications_question'),
    ]
