"""The served description of the API holds: no request that it allows, or just not, finds a fault or another answer.

schemathesis makes the requests; ids of things that exist are put among them, so that they get past 404. Each runs in
a savepoint of its own that is taken back, so that one request's changes do not decide what the next one meets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import schemathesis
from django.core.cache import cache
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core import NotSet

from hub.accounts.actor import Actor
from repos import access, editing, repositories
from repos.editing import Put
from repos.issues import conversation, labels, milestones, opening
from repos.models import Access, Repository
from repos.pulls import opening as pulls

pytestmark = pytest.mark.django_db
BASE = "/api/v1/repos/{owner}/{name}"
PART = re.compile(
    r"/(issues|pulls|labels|milestones|statuses|forks|merge-upstream|branch-rules|reviews|threads|commits/\{ref\}/status(es)?)(/|$)"
)
EXAMPLES = 2  # of each operation, of each kind
ODD = ["\0", "a\0b", "\ud800", "..", "x" * 300, "☃", "-1", "0", "99999999999999999999999", "%00", "1e9"]
APART = {"POST /api/v1/repos/{owner}/{name}/issues/attachments"}  # bytes, taken by another server than Django's


@pytest.fixture
def stage(alice: Any, bob: Any, git_root: Any) -> dict[str, list[str]]:
    """alice/lab with two branches, an issue, a comment, a label, a milestone and a pull request; ids by name."""
    actor = Actor(user=alice, session=True)
    made = repositories.create(actor, alice.owner, "lab")
    repository = access.check(actor, made, need=Access.ADMIN, area=access.Area.ISSUES)
    first = editing.commit_changes(repository, actor, branch="main", changes=[Put("a.txt", b"a\n")], message="First")
    tip = editing.commit_changes(
        repository, actor, branch="work", changes=[Put("a.txt", b"b\n")], message="Second", start=first
    )
    repository = Repository.objects.select_related("owner").get(pk=made.pk)
    repository = access.check(actor, repository, need=Access.ADMIN, area=access.Area.ISSUES)
    labels.create(actor, repository, name="bug")
    milestones.create(actor, repository, title="Soon")
    issue = opening.open_issue(actor, repository, title="It fails", body="- [ ] mend")
    entry = conversation.comment(actor, issue, "Yes")
    pull = pulls.open_pull(actor, repository, title="Mend", base="main", head="work")
    return {
        "owner": ["alice"],
        "name": ["lab"],
        "number": [str(issue.number), str(pull.number)],
        "comment_id": [str(entry.pk)],
        "label": ["bug"],
        "ref": ["main", tip],
        "sha": [first, tip],
    }


def operations(document: dict[str, Any]) -> Iterator[Any]:
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = found.ok()
        if operation.path.startswith(BASE) and PART.search(operation.path.removeprefix(BASE)):
            yield operation


def test_no_fault_and_no_answer_that_is_not_described(stage, alice, api):
    client = api(alice)
    client.raise_request_exception = False
    document = client.get("/api/v1/openapi.json").json()
    wrong: dict[str, str] = {}
    found = [one for one in operations(document) if f"{one.method.upper()} {one.path}" not in APART]
    assert len(found) > 30
    for operation in found:
        for mode in GenerationMode:
            explore(client, operation, mode, stage, wrong)
    assert not wrong, "\n".join(f"{name}: {what}" for name, what in sorted(wrong.items()))


def explore(
    client: Any, operation: Any, mode: GenerationMode, ids: dict[str, list[str]], wrong: dict[str, str]
) -> None:
    """Ask a few times; each kind of wrong answer is told once."""
    name = f"{operation.method.upper()} {operation.path}"

    @seed(20261122)
    @settings(
        max_examples=EXAMPLES,
        derandomize=False,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(operation.as_strategy(generation_mode=mode), st.data())
    def ask(case: Any, data: st.DataObject) -> None:
        address = case.path
        for parameter in re.findall(r"\{(\w+)\}", address):
            real = st.sampled_from(ids.get(parameter, ["1"]))
            odd = st.sampled_from(ODD)
            value = data.draw(real if parameter in {"owner", "name"} else st.one_of(real, real, real, odd))
            address = address.replace(f"{{{parameter}}}", _quoted(value))
        said = told(client, case, address)
        if said:
            wrong.setdefault(f"{name} {said[0]}", said[1])

    ask()


def told(client: Any, case: Any, address: str) -> tuple[str, str] | None:
    """(what is wrong, with what) of the answer to one request."""
    cache.clear()  # no throttle
    body = _body(case)
    query = urlencode({key: str(value).encode("utf-8", "replace") for key, value in (case.query or {}).items()})
    headers = {key: str(value) for key, value in (case.headers or {}).items() if str(value).isprintable()}
    with transaction.atomic():
        kind = case.media_type if isinstance(case.body, bytes) else "application/json"
        answer = client.generic(case.method, f"{address}?{query}", body, content_type=kind, headers=headers)
        transaction.set_rollback(True)
    described = case.operation.definition.raw["responses"]
    kind = answer.headers.get("Content-Type", "").split(";")[0]
    sent = f"{address}?{query} {body[:300]!r} {headers}"[:600]
    if answer.status_code >= 500:
        return f"{answer.status_code}", f"{sent}: {answer.content[:200]!r}"
    if answer.status_code < 400:
        shown = described.get(str(answer.status_code))
        if shown is None:
            return f"{answer.status_code} is not described", f"{sorted(described)}"
        return _shape(answer, shown, kind)
    error = answer.json() if kind == "application/json" else {}
    if set(error) != {"error", "details"}:
        return f"{answer.status_code} without a reason", f"{sent}: {answer.content[:200]!r}"
    return None


def _body(case: Any) -> bytes:
    if isinstance(case.body, NotSet):
        return b"" if case.method == "GET" else b"{}"
    return case.body if isinstance(case.body, bytes) else json.dumps(case.body, default=repr).encode()


def _shape(answer: Any, described: dict[str, Any], kind: str) -> tuple[str, str] | None:
    content = described.get("content", {})
    if kind not in content and (content or answer.content):
        return f"{answer.status_code} of type {kind!r} is not described", f"{sorted(content)}"
    wanted = content[kind]["schema"].get("type") if content else None
    is_list = isinstance(answer.json(), list) if content else None
    if wanted and (wanted == "array") is not is_list:
        return f"{answer.status_code} is no {wanted}", answer.content[:100].decode()
    return None


def _quoted(value: str) -> str:
    return quote(value.encode("utf-8", "surrogatepass"), safe="")
