"""Boxes of task lists are ticked by those who may edit the text; a text that changed meanwhile is left alone."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.lib import markdown
from hub.lib.errors import Conflict, Denied, NotFound
from hub.lib.tasklists import toggled
from repos.issues import conversation, states
from repos.issues.models import Revision
from repos.issues.texts import digest
from tests.repos.issues.conftest import again, as_actor

BASE = "/alice/private"
TEXT = """Some things:

- [x] one
- [ ] *two* [ ] `[ ]`
  1. [ ] deep
> * [X] quoted

```
- [ ] code
```
"""


def test_each_box_is_found_where_it_stands():
    boxes = markdown.boxes(TEXT)
    assert [(box.done, box.label) for box in boxes] == [
        (True, "one"),
        (False, "*two* [ ] `[ ]`"),
        (False, "deep"),
        (True, "quoted"),
    ]
    assert toggled(TEXT, boxes[1], True) == TEXT.replace("- [ ] *two*", "- [x] *two*")
    assert toggled(TEXT, boxes[3], False) == TEXT.replace("[X]", "[ ]")


LINES = ["- [ ] a", "* [x] b", "  - [X]\tc", "> 1. [ ] d", "[x]: http://x", "- [x] [x]", "```", "- - [ ] e"]


@given(st.lists(st.sampled_from(LINES) | st.text("-[]x >*\n\t`a", max_size=12), max_size=12).map("\n".join))
def test_ticking_changes_one_mark_and_no_other_box(text):
    boxes = markdown.boxes(text)
    for box in boxes:
        changed = toggled(text, box, not box.done)
        assert len(changed) == len(text)
        after = markdown.boxes(changed)
        assert [one.done for one in after] == [one.done != (one.number == box.number) for one in boxes]


@pytest.mark.django_db
def test_the_author_ticks_and_the_history_keeps_it(bob, private, opened):
    issue = opened(bob, private, body=TEXT)
    conversation.tick(as_actor(bob), again(bob, issue), None, 1, True, seen=digest(TEXT))
    now = again(bob, issue)
    assert (now.tasks_done, now.tasks_count) == (3, 4)
    assert Revision.objects.get().body == TEXT
    with pytest.raises(Conflict):
        conversation.tick(as_actor(bob), now, None, 2, True, seen=digest(TEXT))
    with pytest.raises(NotFound):
        conversation.tick(as_actor(bob), now, None, 4, True, seen=digest(now.body))
    conversation.tick(as_actor(bob), now, None, 1, True, seen=digest(now.body))  # is so already
    assert Revision.objects.count() == 1


@pytest.mark.django_db
def test_others_and_the_locked_out_do_not_tick(alice, charlie, public, opened):
    issue = opened(charlie, public, body=TEXT)
    with pytest.raises(Denied):
        conversation.tick(as_actor(alice), again(alice, issue), None, 1, True, seen=digest(TEXT))
    states.lock(as_actor(alice), again(alice, issue), True)
    with pytest.raises(Denied):
        conversation.tick(as_actor(charlie), again(charlie, issue), None, 1, True, seen=digest(TEXT))


@pytest.mark.django_db
def test_the_page_is_a_form_for_those_who_may(alice, bob, private, opened, as_user):
    issue = opened(bob, private, body=TEXT)
    entry = conversation.comment(as_actor(bob), again(bob, issue), "- [ ] <b>\n\n<input type=checkbox> [ ] x")
    client = as_user(bob)
    page = client.get(f"{BASE}/issues/1").content.decode()
    assert re.findall(r'name="box" value="([^"]*)"', page) == ["0-open", "1-done", "2-done", "3-open", "0-done"]
    assert "2 of 4 tasks" in page
    assert "2 of 4 tasks" in client.get(f"{BASE}/issues").content.decode()
    assert 'name="box"' not in as_user(alice).get(f"{BASE}/issues/1").content.decode()
    form = {"box": "1-done", "seen": digest(TEXT)}
    assert client.post(f"{BASE}/issues/1/tick", form).headers["Location"] == f"{BASE}/issues/1#text"
    late = client.post(f"{BASE}/issues/1/tick", form)
    assert late.status_code == 409
    assert b"Somebody changed this text" in late.content
    said = {"box": "0-done", "seen": digest(entry.body)}
    done = client.post(f"{BASE}/issues/comments/{entry.pk}/tick", said)
    assert done.headers["Location"].endswith(f"#comment-{entry.pk}")
    entry.refresh_from_db()
    assert entry.body.startswith("- [x] <b>")


@pytest.mark.django_db
@pytest.mark.parametrize("box", ["", "x", "-1-done", "1-maybe", "9" * 6 + "-done", "1-done\0"])
def test_a_box_that_is_none_is_refused(bob, private, opened, as_user, box):
    opened(bob, private, body=TEXT)
    assert as_user(bob).post(f"{BASE}/issues/1/tick", {"box": box, "seen": "x"}).status_code == 400
