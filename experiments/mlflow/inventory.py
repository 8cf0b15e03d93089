"""Every route of the installed MLflow, to hold routes.txt against it."""

from __future__ import annotations

from typing import Any

from experiments.mlflow import server


def installed() -> list[tuple[str, str]]:
    """(method, path) in Flask's notation, sorted by path. Loads MLflow."""
    app: Any = server.load()
    from mlflow.server import app as flask_app

    found = {
        (method, rule.rule)
        for rule in flask_app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    for route in app.routes:
        # FastAPI keeps included routers whole; their candidates carry the final path.
        for candidate in getattr(route, "effective_candidates", list)():
            path = candidate.path.replace("{", "<").replace("}", ">")
            for name in ("artifact_path", "path"):
                path = path.replace(f"<{name}:path>", f"<path:{name}>")
            found |= {(method, path) for method in candidate.methods - {"HEAD", "OPTIONS"}}
    return sorted(found, key=lambda row: (row[1], row[0]))
