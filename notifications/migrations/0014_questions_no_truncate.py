"""PostgreSQL refuses to empty the questions of callers too."""

from django.db import migrations

from staff.append_only import no_truncate


class Migration(migrations.Migration):
    dependencies = [("notifications", "0013_pages_read_little")]

    operations = [no_truncate("notifications_question")]
