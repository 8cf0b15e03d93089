"""Runs that were bound to commits before their table had a column of data versions are marked after the upgrade."""

from django.db import migrations


def announce(apps, schema_editor):
    bound = apps.get_model("experiments", "RunCommit").objects.values_list("repository_id", flat=True)
    outbox = apps.get_model("jobs", "Outbox").objects
    for repository_id in sorted(set(bound.order_by().distinct())):
        outbox.create(topic="experiments.unmarked", payload={"repository_id": repository_id})


class Migration(migrations.Migration):
    dependencies = [("experiments", "0005_run_selections"), ("jobs", "0001_initial")]
    operations = [migrations.RunPython(announce, migrations.RunPython.noop)]
