"""Triggers that make the audit log append-only. A later migration that alters the table must install them again:
SQLite remakes a table to alter it and forgets its triggers (a test notices)."""

from django.db import migrations

from hub.accounts import append_only


def install(apps, schema_editor):
    append_only.install(schema_editor.connection)


def remove(apps, schema_editor):
    append_only.remove(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_audit_indexes")]

    operations = [migrations.RunPython(install, remove)]
