"""The database refuses to change who changed whose account."""

from django.db import migrations

from staff.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("staff", "0007_sign_in_tries")]

    operations = [append_only("staff_accountchange", ("update",))]
