from django.db import migrations


class Migration(migrations.Migration):
    """Branch rules say it now; a migration of its own, since PostgreSQL alters no table that has just been written."""

    dependencies = [
        ("repos", "0006_branch_rules"),
    ]

    operations = [
        migrations.RemoveField(model_name="repository", name="protected"),
    ]
