"""Runs made by SQL in MLflow's tables, alike on both databases: 100,000 of 40 columns within a few minutes.

Each run has 20 metrics of one point, 20 params (half of them numbers, half words), a commit and a team. Ids are in no
order, as MLflow's are. The same runs are made for any workspace, so that two servers can be asked the same.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, create_engine, event, text

START = 1_790_000_000_000  # ms since 1970, of the first run; each next starts a minute later
EXPERIMENT = 9001
COLUMNS = [f"{kind}{number}" for kind in ("metrics.m", "params.p") for number in range(20)]

_RUNS = """
INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time,
  source_version, lifecycle_stage, artifact_uri, experiment_id)
SELECT id, 'run-' || n, 'LOCAL', 'train.py', '', 'user' || (n % 7),
  CASE n % 10 WHEN 0 THEN 'FAILED' WHEN 1 THEN 'RUNNING' ELSE 'FINISHED' END,
  {start} + n * 60000, {start} + n * 60000 + 1000 * (n % 3571), '', 'active',
  'mlflow-artifacts:/workspaces/{workspace}/{experiment}/' || id || '/artifacts', {experiment} FROM numbered"""
_VALUE = "((n * 7919 + k * 104729) % 1000003) / 1000.0"
_METRICS = f"""
INSERT INTO {{table}} (key, value, timestamp, step, is_nan, run_uuid)
SELECT 'm' || k, {_VALUE}, {{start}} + n * 60000, 0, {{false}}, id FROM twenty, numbered ORDER BY n, k"""
_PARAMS = f"""
INSERT INTO params (key, value, run_uuid)
SELECT 'p' || k, CASE WHEN k < 10 THEN CAST({_VALUE} AS TEXT) ELSE 'word ' || ((n * 31 + k) % 23) END, id
FROM twenty, numbered ORDER BY n, k"""
_TAGS = """
INSERT INTO tags (key, value, run_uuid)
SELECT 'mlflow.source.git.commit', substr(id || id, 5, 40), id FROM numbered
UNION ALL SELECT 'team', 'team' || (n % 5), id FROM numbered"""
_HISTORY = """
INSERT INTO metrics (key, value, timestamp, step, is_nan, run_uuid)
SELECT 'long', 1.0 / (1 + k % 977), {start} + k * 100, k, {false}, id FROM steps, numbered WHERE n < {curves}"""

_LATEST = """
INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid)
SELECT key, value, timestamp, step, is_nan, run_uuid FROM metrics WHERE key = 'long' AND step = {points} - 1"""


def fill(url: str, workspace: str, runs: int, *, curves: int = 0, points: int = 0) -> None:
    """Make runs of experiment EXPERIMENT; the first `curves` of them get a metric "long" of so many points."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
    with engine.begin() as link:
        if engine.dialect.name == "postgresql":  # no check of each row's run, which takes half of the time
            link.exec_driver_sql("SET LOCAL session_replication_role = replica")
        _numbers(link, runs, points)
        name = {"workspace": workspace, "id": EXPERIMENT, "start": START}
        made = "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, "
        made += "last_update_time, workspace) VALUES (:id, 'bench', :place, 'active', :start, :start, :workspace)"
        link.execute(text(made), {**name, "place": f"mlflow-artifacts:/workspaces/{workspace}/{EXPERIMENT}"})
        false = "0" if engine.dialect.name == "sqlite" else "false"
        words = {"start": START, "workspace": workspace, "experiment": EXPERIMENT, "false": false}
        words |= {"curves": curves, "points": points}
        made_by = [_RUNS, _METRICS, _METRICS.replace("{table}", "metrics"), _PARAMS, _TAGS, _HISTORY, _LATEST]
        for statement in made_by:
            filled = statement.format(**words, table="latest_metrics")
            link.exec_driver_sql(filled if false == "0" else filled.replace("%", "%%"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as link:
        if engine.dialect.name == "postgresql":  # what autovacuum does within minutes
            for table in ("experiments", "runs", "latest_metrics", "metrics", "params", "tags"):
                link.exec_driver_sql(f"VACUUM ANALYZE {table}")
    engine.dispose()


def _prepare(link: object, _: object) -> None:
    link.create_function("md5", 1, lambda given: hashlib.md5(str(given).encode()).hexdigest(), deterministic=True)  # type: ignore[attr-defined]
    for setting in ("cache_size = -400000", "synchronous = OFF", "temp_store = MEMORY"):
        link.execute(f"PRAGMA {setting}")  # type: ignore[attr-defined]


def _numbers(link: Connection, runs: int, points: int) -> None:
    """Temporary tables: numbered (n, id) of the runs, twenty (k), steps (k)."""
    for table, column, most in (("counted", "n", runs), ("twenty", "k", 20), ("steps", "k", points)):
        more = f"SELECT {column} + 1 FROM s WHERE {column} + 1 < {most}"
        series = f"WITH RECURSIVE s({column}) AS (SELECT CAST(0 AS BIGINT) UNION ALL {more})"
        made = f"CREATE TEMP TABLE {table} AS {series} SELECT {column} FROM s WHERE {column} < {most}"
        link.exec_driver_sql(made)
    link.exec_driver_sql("CREATE TEMP TABLE numbered AS SELECT n, md5(CAST(n AS TEXT)) AS id FROM counted")
