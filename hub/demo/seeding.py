"""Put the demo into the hub, once: a deleted demo stays deleted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import yaml
from django.conf import settings

from datasets import objects
from datasets.dvc import keys, manifests
from experiments import commits, indexing
from experiments.mlflow import recording
from experiments.tracked import indexing as tracked
from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.demo import conversations, data, exps, model, pipeline, runs, texts
from hub.lib.objectstore import Stored
from hub.lib.stores import object_store
from repos import editing, repositories, starting
from repos.editing import Put
from repos.models import Repository

logger = logging.getLogger("covey.demo")
OWNER, NAME = "demo", "bird-counter"
MAYA, TOMAS, INES = (
    "Maya Lindqvist <maya@example.org>",
    "Tomas Reyes <tomas@example.org>",
    "Ines Okafor <ines@example.org>",
)
MARK, BEGUN = settings.COVEY_HOME / "demo-seeded", settings.COVEY_HOME / "demo-begun"
HOUR, DAY = 3_600, 86_400
END = int(datetime(2026, 10, 30, 9, 30, tzinfo=UTC).timestamp())


def seed() -> Repository:
    """Make demo/bird-counter. Raises Unprocessable when it exists."""
    user = User.objects.filter(username=OWNER).first() or _person()
    actor = Actor(user=user)
    repository = repositories.create(
        actor, user.owner, NAME, description="Counts birds in photographs. The demo of this hub.", private=False
    )
    repositories.update(actor, repository, topics=["demo", "computer-vision", "birds"])
    history = _history(repository, actor)
    records = runs.search(history, end=END * 1000)
    run_ids = recording.record(repository.pk, user=OWNER, experiment="counting", runs=records)
    named = {run: record.tags["mlflow.source.git.commit"] for run, record in zip(run_ids, records, strict=True)}
    commits.bind(repository, named)
    model.register(repository, run_ids, records, user=OWNER)
    repository.refresh_from_db()
    conversations.talk(repository, actor)
    tracked.refresh(repository)  # or the worker would, a moment later
    indexing.refresh(repository.pk)
    return repository


def seed_once() -> None:
    """What `covey up --demo` asks at each start. One that was only half made is made anew."""
    if MARK.exists():
        return
    found = Repository.objects.filter(owner__name_key=OWNER, name_key=NAME)
    if BEGUN.exists():
        for half in found.filter(deleted=None).select_related("owner"):
            repositories.delete(Actor(user=User.objects.get(username=OWNER)), half)
    if BEGUN.exists() or not found.exists():
        BEGUN.touch()
        repository = seed()
        logger.info("the demo is at %s%s", settings.COVEY_URL, repository.get_absolute_url())
    MARK.touch()
    BEGUN.unlink(missing_ok=True)


def _person() -> User:
    user = User(username=OWNER, full_name="Demo")
    user.set_unusable_password()
    user.save()
    return user


def _history(repository: Repository, actor: Actor) -> list[str]:
    """Twelve commits by three people on two branches, two experiments; the ids of those on main, oldest first."""
    pictures = data.images()
    cover = pictures["quail/002.png"]
    tables = {clean: data.observations(clean=clean) for clean in (False, True)}
    raw, clean = (_track(repository, "observations.csv", tables[it]) for it in (False, True))
    images, folder = _track_folder(repository, "images", pictures)
    made = pipeline.run(tables[False], pictures, texts.PARAMS)
    remade = pipeline.run(tables[True], pictures, texts.PARAMS_LONGER)
    first = _ran(repository, tables[False], folder, made, texts.PARAMS)
    again = _ran(repository, tables[True], folder, remade, texts.PARAMS_LONGER)
    again["train@lion"] = first["train@lion"]  # one model was left for tomorrow
    remote = f"{settings.COVEY_URL}/{repository.full_name}.dvc"
    dvc = [Put(path, body) for path, body in starting.dvc_files(remote).items()]
    ignore = Put("data/.gitignore", b"/observations.csv\n/images\n/clean.csv\n")
    ignored = Put("models/.gitignore", b"/adam.json\n/lion.json\n")
    stages = [_put("dvc.yaml", texts.PIPELINE), _source("evaluate"), ignored]
    main: list[tuple[str, str, list[Put]]] = [
        (MAYA, "Begin with a README", [_put("README.md", texts.README.split("![A covey]")[0])]),
        (MAYA, "Add a first training script", [_put("src/train.py", texts.TRAIN_FIRST)]),
        (TOMAS, "Set up DVC", dvc),
        (TOMAS, "Track the observations", [Put("data/observations.csv.dvc", raw), ignore]),
        (INES, "Track sixty photographs", [Put("data/images.dvc", images)]),
        (INES, "Prepare the table", [_source("prepare")]),
        (MAYA, "Describe the model", [_put("README.md", texts.README), Put("docs/covey.png", cover)]),
        (
            MAYA,
            "Train with a Poisson loss",
            [_source("train"), _put("params.yaml", texts.PARAMS)],
        ),
        (TOMAS, "Add the pipeline", [*stages, _put("requirements.txt", texts.REQUIREMENTS)]),
        (INES, "Explore in a notebook", [_put("notebooks/explore.ipynb", texts.notebook(cover))]),
        (INES, "Write down what we saw outside", [_put("docs/notes.md", texts.NOTES)]),
        (
            MAYA,
            "Run the pipeline",
            [_put("metrics.json", made.metrics), Put("dvc.lock", pipeline.lock(first)), *_reports(0.7)],
        ),
    ]
    ids = [
        _commit(repository, actor, "main", author, message, changes, END - (len(main) - number) * 4 * DAY)
        for number, (author, message, changes) in enumerate(main)
    ]
    branch = "clean-labels"
    notebook = _put("notebooks/explore.ipynb", texts.notebook_again(cover))
    mended = [Put("data/observations.csv.dvc", clean), notebook]
    _commit(repository, actor, branch, INES, "Mend misspelt labels", mended, END - 3 * DAY, start=ids[-1])
    trained = [_put("metrics.json", remade.metrics), Put("dvc.lock", pipeline.lock(again))]
    trained += _reports(0.9)
    trained += [_put("params.yaml", texts.PARAMS_LONGER), _put("dvc.yaml", texts.PIPELINE_REPORT)]
    _commit(repository, actor, branch, INES, "Train again, for longer", trained, END - 66 * HOUR)
    tried = {name: pipeline.run(tables[False], pictures, params).metrics for name, params in exps.TRIED.items()}
    exps.push(repository, actor, tried, baseline=ids[-1], author=INES, when=END - 70 * HOUR)
    return ids


def _reports(score: float) -> list[Put]:
    return [_put(path, text) for path, text in texts.reports(score).items()]


def _ran(
    repository: Repository, table: bytes, images: pipeline.Record, made: pipeline.Made, params: str
) -> dict[str, pipeline.Record]:
    """Store what the stages made; dvc.lock's records of them."""
    for body in made.files.values():
        _store(repository, body)
    return pipeline.records({**made.files, "data/observations.csv": table}, images, made.metrics, params)


def _commit(
    repository: Repository,
    actor: Actor,
    branch: str,
    author: str,
    message: str,
    changes: list[Put],
    when: int,
    *,
    start: str | None = None,
) -> str:
    return editing.commit_changes(
        repository, actor, branch=branch, changes=changes, message=message, author=author, when=when, start=start
    )


def _put(path: str, text: str) -> Put:
    return Put(path, text.encode())


def _source(name: str) -> Put:
    return _put(f"src/{name}.py", texts.SOURCES[f"src/{name}.py"])


def _track(repository: Repository, path: str, body: bytes) -> bytes:
    """Store a file as `dvc add` and `dvc push` would; its pointer."""
    stored = _store(repository, body)
    return f"outs:\n- md5: {stored.md5}\n  size: {stored.size}\n  hash: md5\n  path: {path}\n".encode()


def _track_folder(repository: Repository, path: str, files: dict[str, bytes]) -> tuple[bytes, pipeline.Record]:
    """The same of a folder in data/, and its record as a dependency."""
    entries = [(name, _store(repository, body).md5) for name, body in files.items()]
    manifest = _store(repository, manifests.dumps(entries), suffix=".dir")
    known = {"md5": f"{manifest.md5}.dir", "size": sum(map(len, files.values())), "nfiles": len(files), "hash": "md5"}
    pointer = yaml.safe_dump({"outs": [{**known, "path": path}]}, sort_keys=False)
    return pointer.encode(), {"path": f"data/{path}", "hash": "md5", **known}  # in the order that DVC writes


def _store(repository: Repository, body: bytes, *, suffix: str = "") -> Stored:
    async def stream() -> AsyncIterator[bytes]:
        yield body

    stored = asyncio.run(object_store().put(stream()))
    objects.publish(repository.pk, keys.BUCKET, keys.key_of(stored.md5 + suffix), stored)
    return stored
