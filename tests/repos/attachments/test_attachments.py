"""Files in texts: in through the gate, checked, counted, out as what runs nothing, gone when no text names them."""

from __future__ import annotations

import json
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from datasets.models import Blob, StoredObject
from datasets.storage import quotas, removal
from hub.accounts.actor import Actor
from hub.accounts.models import AuditEvent
from hub.lib.stores import object_store
from repos import access
from repos.attachments import attaching, strays, tasks
from repos.attachments.models import Attachment
from repos.issues import conversation, opening, timeline
from repos.models import Access, Repository
from tests.support.asgi import ask

pytestmark = pytest.mark.django_db(transaction=True)
UPLOAD = "/alice/private/attachments/upload"


def path_of(made) -> str:
    return urlsplit(made["url"]).path


def issue_of(user, repository):
    seen = access.check(Actor(user=user, session=True), repository, need=Access.READ, area="issues")
    return opening.open_issue(Actor(user=user, session=True), seen, title="Look")


def test_it_keeps_an_image_and_sends_it_back(private, bob, attached, browser, png):
    made = attached(bob, "alice/private", "scan of a cat.png", png)
    assert (made["width"], made["height"], made["size"]) == (40, 30, len(png))
    where = f"/alice/private/attachments/{made['id']}/scan%20of%20a%20cat.png"
    assert made["markdown"] == f"![scan of a cat.png]({where})"
    answer = ask("GET", where, headers=browser(bob))
    assert (answer.status, answer.body) == (200, png)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    again = ask("GET", where, headers={**browser(bob), "if-none-match": answer.headers["etag"]})
    assert again.status == 304
    part = ask("GET", where, headers={**browser(bob), "range": "bytes=1-3"})
    assert (part.status, part.body) == (206, b"PNG")


def test_what_could_run_is_never_live(private, bob, attached, browser):
    script = b"<script>alert(1)</script>"
    for name, expected, disposition in [
        ("page.html", "text/plain; charset=utf-8", "inline"),
        ("drawing.svg", "image/svg+xml", "attachment"),
        ("model.bin", "application/octet-stream", "attachment"),
    ]:
        made = attached(bob, "alice/private", name, script + (b"\0" if name == "model.bin" else b""))
        answer = ask("GET", path_of(made), headers=browser(bob))
        assert answer.headers["content-type"] == expected
        assert answer.headers["content-disposition"].startswith(disposition)
        assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("name", "data", "status"),
    [
        ("fake.png", b"<html>", 422),
        ("cut.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 50, 422),
        ("empty.txt", b"", 422),
        ("large.txt", b"x" * 2001, 413),
    ],
)
def test_it_refuses_what_is_no_good(name, data, status, private, bob, send, browser, monkeypatch):
    monkeypatch.setattr(attaching, "MAX_BYTES", 2000)
    answer = send(UPLOAD, {name: data}, browser(bob))
    assert answer.status == status
    assert set(json.loads(answer.body)) == {"error", "details"}
    assert not Attachment.objects.exists()
    assert not StoredObject.objects.exists()


def test_it_takes_the_last_part_of_hostile_names(private, bob, attached):
    for name, kept in [
        ("../../etc/passwd", "passwd"),
        ("..", "file"),
        ("a](x) <b>.txt", "a_(x) _b_.txt"),
        ("x" * 500 + ".csv", "x" * 80 + ".csv"),
        ("картинка \u202e.txt", "картинка _.txt"),
    ]:
        assert attached(bob, "alice/private", name, b"1")["name"] == kept


def test_strangers_and_nobody(private, bob, charlie, attached, send, browser, png):
    made = attached(bob, "alice/private", "a.png", png)
    for path in (path_of(made), f"/alice/private/attachments/{'0' * 32}"):
        assert ask("GET", path, headers=browser(charlie)).status == 404
    assert send(UPLOAD, {"a.png": png}, browser(charlie)).status == 404
    assert send(UPLOAD, {"a.png": png}, {}).status == 401
    assert ask("PUT", UPLOAD, headers=browser(bob)).status == 405
    assert Client().get("/alice/private/attachments").status_code in {302, 404}


def test_another_repository_does_not_have_it(private, public, bob, attached, browser, png):
    made = attached(bob, "alice/private", "a.png", png)
    assert ask("GET", f"/alice/public/attachments/{made['id']}/a.png", headers=browser(bob)).status == 404


def test_a_form_of_another_page_is_refused(private, bob, send, browser, png):
    headers = browser(bob)
    for changed in ({"origin": "https://evil.example"}, {"x-csrftoken": "a" * 32}):
        assert send(UPLOAD, {"a.png": png}, {**headers, **changed}).status == 403
    assert not Attachment.objects.exists()


def test_without_scripts_a_page_says_what_to_write(public, charlie, send, browser, png):
    headers = {name: value for name, value in browser(charlie).items() if name != "accept"}
    answer = send("/alice/public/attachments/upload", {"a.png": png}, headers)
    assert answer.status == 303
    client = Client()
    client.force_login(charlie)
    page = client.get(answer.headers["location"]).content.decode()
    row = Attachment.objects.get()
    assert attaching.markdown(public, row) in page.replace("&#x27;", "'")
    assert client.post("/alice/public/attachments").status_code == 405


def test_programs_attach_with_a_token(public, charlie, send, token_of, png):
    path = "/api/v1/repos/alice/public/issues/attachments"
    answer = send(path, {"a.png": png, "b.txt": b"log"}, {"authorization": f"Bearer {token_of(charlie)}"})
    assert answer.status == 201
    assert [row["name"] for row in json.loads(answer.body)["attachments"]] == ["a.png", "b.txt"]
    reader = token_of(charlie, scopes=["issues:read"])
    assert send(path, {"a.png": png}, {"authorization": f"Bearer {reader}"}).status == 403
    writer = token_of(charlie, scopes=["issues:write"])
    assert send(path, {"a.png": png}, {"authorization": f"Bearer {writer}"}).status == 201
    assert send(path, {"a.png": png}, {}).status == 401
    assert send(path, {}, {"authorization": f"Bearer {writer}"}).status == 422


def test_a_text_shows_it(private, bob, attached, png):
    made = attached(bob, "alice/private", "a.png", png)
    shown = timeline.preview(private, Actor(user=bob, session=True), f"see {made['markdown']}")
    assert f'<img src="{path_of(made)}" alt="a.png"' in shown


def test_it_counts_as_data(private, bob, attached, send, browser, png):
    Repository.objects.filter(pk=private.pk).update(data_limit_bytes=len(png) + 10)
    private.refresh_from_db()
    attached(bob, "alice/private", "a.png", png)
    assert quotas.room(private) == 10
    answer = send(UPLOAD, {"b.txt": b"12345678901"}, browser(bob))
    assert answer.status == 507
    assert quotas.room(private) == 10


def test_too_many_that_no_text_names(private, bob, attached, send, browser, monkeypatch):
    monkeypatch.setattr(attaching, "MAX_UNNAMED", 2)
    for name in "ab":
        attached(bob, "alice/private", f"{name}.txt", b"1")
    assert send(UPLOAD, {"c.txt": b"1"}, browser(bob)).status == 422
    row = Attachment.objects.order_by("pk")[0]
    conversation.comment(Actor(user=bob, session=True), issue_of(bob, private), attaching.markdown(private, row))
    assert send(UPLOAD, {"c.txt": b"1"}, browser(bob)).status == 201


def test_what_no_text_names_goes_after_a_day(private, bob, alice, attached, png):
    issue = issue_of(bob, private)
    made = {n: attached(bob, "alice/private", f"{n}.png", png) for n in ("said", "left", "edited", "body", "fresh")}
    actor = Actor(user=bob, session=True)
    conversation.comment(actor, issue, f"look: {made['said']['markdown']}")
    entry = conversation.comment(actor, issue, "later")
    conversation.edit_comment(actor, entry, made["edited"]["markdown"])
    conversation.edit_comment(actor, entry, "not any more")
    conversation.edit_body(actor, issue, made["body"]["markdown"])
    old = Attachment.objects.exclude(token=made["fresh"]["id"])
    old.update(created=timezone.now() - strays.GRACE - timedelta(minutes=1))
    tasks.sweep_attachments()
    left = set(Attachment.objects.values_list("name", flat=True))
    assert left == {"said.png", "edited.png", "body.png", "fresh.png"}
    assert set(Attachment.objects.filter(named=True).values_list("name", flat=True)) == left - {"fresh.png"}
    assert StoredObject.objects.count() == 4
    assert Blob.objects.count() == 1  # the same bytes, kept once
    tasks.sweep_attachments()
    assert Attachment.objects.count() == 4


def test_an_upload_that_was_killed_leaves_nothing(private, bob):
    row = Attachment.objects.create(
        repository=private, token="c" * 32, name="a", size=1, created=timezone.now() - timedelta(days=2)
    )
    conversation.comment(Actor(user=bob, session=True), issue_of(bob, private), f"/attachments/{row.token}")
    assert strays.sweep() == 1
    assert not Attachment.objects.exists()


def test_it_goes_with_its_repository(private, bob, attached, png):
    attached(bob, "alice/private", "a.png", png)
    Repository.objects.filter(pk=private.pk).update(deleted=timezone.now())
    key = Blob.objects.get().key
    assert removal.remove(private.pk) == 1
    assert not object_store().exists(key)


# ---- removed by hand -------------------------------------------------------------------------------
def test_one_is_removed_and_texts_say_so(private, alice, bob, charlie, attached, browser, png, api, as_user):
    made = attached(bob, "alice/private", "scan.png", png)
    issue = issue_of(bob, private)
    text = f"{made['markdown']} and [the log]({path_of(made)}) and {path_of(made)}"
    conversation.comment(Actor(user=bob, session=True), issue, text)
    page = as_user(bob).get(issue.get_absolute_url()).content.decode()
    assert "was removed" not in page
    address = f"/api/v1/repos/alice/private/issues/attachments/{made['id']}"
    private.memberships.create(user=charlie, access=Access.WRITE)
    assert api(charlie).delete(address).status_code == 403  # a writer, neither its author nor an administrator
    assert api(bob, scopes=["issues:read"]).delete(address).status_code == 403
    assert ask("GET", path_of(made), headers=browser(bob)).status == 200
    assert api(bob).delete(address).status_code == 204
    assert api(bob).delete(address).status_code == 404
    assert ask("GET", path_of(made), headers=browser(bob)).status == 404
    assert not StoredObject.objects.filter(repository=private).exists()
    page = as_user(bob).get(issue.get_absolute_url()).content.decode()
    assert page.count("(this attachment was removed)") == 2
    assert "<img" not in page.partition('class="box-body markdown"')[2].partition("</article>")[0]
    assert "the log" in page


def test_the_page_lists_what_one_may_remove(private, alice, bob, attached, as_user):
    made = attached(bob, "alice/private", "notes.txt", b"notes")
    other = attached(alice, "alice/private", "hers.txt", b"hers")
    page = as_user(bob).get("/alice/private/attachments").content.decode()
    assert "notes.txt" in page
    assert "hers.txt" not in page
    address = "/alice/private/issues/attachments/{}/remove"
    assert as_user(bob).post(address.format(other["id"])).status_code == 403
    assert as_user(bob).get(address.format(made["id"])).status_code == 405
    assert "notes.txt" in as_user(alice).get("/alice/private/attachments").content.decode()
    page = as_user(alice).post(address.format(made["id"]), follow=True).content.decode()  # she administers it
    assert "Texts that name it say so" in page
    assert [row.name for row in Attachment.objects.all()] == ["hers.txt"]
    as_user(alice).post(address.format(other["id"]))
    event = AuditEvent.objects.get(action="attachment.remove")  # one's own is nobody's business
    assert (event.actor_name, event.subject, event.before["uploader"]) == (
        "alice",
        "notes.txt of alice/private",
        "bob",
    )


def test_strangers_remove_nothing(private, bob, charlie, attached, as_user, client, api):
    made = attached(bob, "alice/private", "notes.txt", b"notes")
    address = f"/alice/private/issues/attachments/{made['id']}/remove"
    assert as_user(charlie).post(address).status_code == 404
    assert client.post(address).status_code == 302
    assert api(charlie).delete(f"/api/v1/repos/alice/private/issues/attachments/{made['id']}").status_code == 404
    assert Attachment.objects.count() == 1
