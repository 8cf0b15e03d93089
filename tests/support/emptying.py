"""Between tests: delete what is there. Django's `flush` cuts all tables off and fills two again: half a second."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from sqlalchemy import Engine, MetaData, text

from hub.accounts import append_only

KEPT = {"django_content_type", "auth_permission"}  # filled from the code alone, after the migrations


def empty(connection: BaseDatabaseWrapper) -> None:
    """Remove every row of Django's tables but those that a migration makes. Waits for whoever still writes."""
    names = sorted(set(connection.introspection.django_table_names(include_views=False)) - KEPT)
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"LOCK TABLE {', '.join(map(_quoted, names))} IN EXCLUSIVE MODE")
            cursor.execute("SET LOCAL session_replication_role = replica")  # no foreign key, no trigger
        cursor.execute(_which_have_rows(names))
        full = [name for (name,) in cursor.fetchall()]
        if refused := connection.vendor == "sqlite" and append_only.TABLE in full:
            append_only.remove(connection)
        for name in full:
            cursor.execute(f"DELETE FROM {_quoted(name)}")
        if refused:
            append_only.install(connection)


def empty_mlflow(engine: Engine, tables: MetaData) -> None:
    """Remove every row of MLflow's tables."""
    order = [table.name for table in reversed(tables.sorted_tables)]  # who refers to a row goes before it
    with engine.begin() as connection:
        full = set(connection.scalars(text(_which_have_rows(order))))
        for name in order:
            if name in full:
                connection.execute(text(f"DELETE FROM {_quoted(name)}"))


def _which_have_rows(names: Iterable[str]) -> str:
    return " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {_quoted(name)})" for name in names)


def _quoted(name: Any) -> str:
    return f'"{name}"'
