"""Patterns of names: what they match, and that none of them takes long."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repos import globs


@pytest.mark.parametrize(
    ("pattern", "name", "found"),
    [
        ("main", "main", True),
        ("main", "main2", False),
        ("main", "MAIN", False),
        ("release/*", "release/1.0", True),
        ("release/*", "release/1/2", False),
        ("release/**", "release/1/2", True),
        ("**/x", "x", True),
        ("**/x", "a/b/x", True),
        ("**/x", "ax", False),
        ("a?c", "aéc", True),
        ("a?c", "a/c", False),
        ("a.c", "abc", False),
        ("*.csv", "ü\udcff.csv", True),
        ("(a|b)+$", "(a|b)+$", True),
    ],
)
def test_what_matches(pattern, name, found):
    assert globs.matches(pattern, name) is found


@pytest.mark.parametrize("pattern", ["*a" * 124 + "b", "**a" * 83, "?*" * 125, "**/" * 83, "*" * 250])
def test_no_pattern_takes_long(pattern):
    began = time.process_time()
    globs.matches(pattern, "a/" * 2000)
    assert time.process_time() - began < 2


@settings(max_examples=100, deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=250),
    st.text(max_size=50).map(lambda t: t.encode("utf-8", "replace").decode()),
)
def test_any_text_is_a_pattern(pattern, name):
    assert globs.matches(pattern, name) in {True, False}
