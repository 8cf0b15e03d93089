from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("datasets", "0006_storage_count")]
    operations = [
        migrations.AddField("datasetversion", "rows", models.BigIntegerField(null=True)),
    ]
