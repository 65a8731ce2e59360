"""What a patient said to the day that they were given instead."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0018_receipts_in_any_form'),
        ('staff', '0006_trail_is_signed'),
    ]

    operations = [
        migrations.AddField(
            model_name='noticeitem',
            name='new_day_answered_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='réponse le'),
        ),
        migrations.AddField(
            model_name='noticeitem',
            name='new_day_suits',
            field=models.BooleanField(blank=True, null=True, verbose_name='le nouveau jour convient'),
        ),
        migrations.AddConstraint(
            model_name='noticeitem',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('new_day_answered_at__isnull', True), ('new_day_suits__isnull', True)), models.Q(('new_day_answered_at__isnull', False), ('new_day_suits__isnull', False), ('postponed_to__isnull', False)), _connector='OR'), name='notice_item_answer_is_to_a_new_day'),
        ),
    ]
