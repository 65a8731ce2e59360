"""The trail is signed with a key outside the database; what is older is sealed, not hashed again."""

from django.conf import settings
from django.db import migrations, models

from staff import clock
from staff.append_only import append_only, no_truncate, only_forward, still_append_only
from staff.services import audit


def seal(apps, schema_editor) -> None:
    """Append the keyed event that names the end of the older chain, if there is one."""
    head = apps.get_model("staff", "AuditHead").objects.filter(id=1).first()
    if head is None or not head.sequence:
        return
    key = settings.TRAIL_KEY
    content = {
        "sequence": head.sequence + 1,
        "actor": None,
        "actor_name": "système",
        "action": audit.SEALED,
        "object_type": "",
        "object_id": "",
        "detail": {"events": head.sequence, "hash": head.hash},
    }
    now = clock.now()
    sealed = audit.event_hash(content, at=now, previous=head.hash, key=key)
    apps.get_model("staff", "AuditEvent").objects.create(
        **content, at=now, previous_hash=head.hash, hash=sealed, key=audit.key_id(key)
    )
    head.sequence, head.hash = content["sequence"], sealed
    head.signature = audit.head_signature(head.sequence, sealed, key)
    head.save()


class Migration(migrations.Migration):
    dependencies = [("staff", "0005_trail_actions")]

    operations = [
        migrations.AddField(
            "auditevent",
            "key",
            models.CharField(
                blank=True, db_default="", default="", max_length=12, verbose_name="clé"
            ),
        ),
        migrations.AddField(
            "audithead",
            "signature",
            models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        still_append_only("staff_auditevent"),
        migrations.RunPython(seal, migrations.RunPython.noop),
        no_truncate("staff_auditevent"),
        append_only("staff_audithead", ("delete",)),
        no_truncate("staff_audithead"),
        only_forward("staff_audithead", "sequence"),
    ]
