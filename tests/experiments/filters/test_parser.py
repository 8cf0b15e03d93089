"""Filters as people and MLflow's clients write them, and what those get who write them wrong."""

from __future__ import annotations

import math
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.filters.errors import FilterError
from experiments.filters.parser import parse
from experiments.filters.syntax import Absent, All, Among, Any, Comparison, Name, Not

NOW = 1_700_000_000.0
DAY = 86_400_000.0


def read(text: str):
    return parse(text, now=NOW)


def refused(text: str) -> FilterError:
    with pytest.raises(FilterError) as caught:
        read(text)
    return caught.value


def test_it_reads_a_whole_sentence():
    text = 'metrics.val_acc > 0.9 and (params.opt in ("adam","lion") or tags.team = "x") and status != failed'
    text += " and start > -7d"
    assert read(text) == All((
        Comparison(Name("metrics", "val_acc"), ">", 0.9),
        Any((Among(Name("params", "opt"), ("adam", "lion")), Comparison(Name("tags", "team"), "=", "x"))),
        Comparison(Name("attributes", "status"), "!=", "FAILED"),
        Comparison(Name("attributes", "start"), ">", NOW * 1000 - 7 * DAY),
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("metrics.x > 1 and attributes.status = 'FINISHED'",
         All((Comparison(Name("metrics", "x"), ">", 1.0), Comparison(Name("attributes", "status"), "=", "FINISHED")))),
        ("metrics.`val acc` >= .5", Comparison(Name("metrics", "val acc"), ">=", 0.5)),
        ('metric."val acc" >= 5e-1', Comparison(Name("metrics", "val acc"), ">=", 0.5)),
        ("attributes.`run name` LIKE '%a%'", Comparison(Name("attributes", "name"), "like", "%a%")),
        ("`params.a b` = 'it''s'", Comparison(Name("params", "a b"), "=", "it's")),
        ("tags.mlflow.source.name ILIKE 'T%'", Comparison(Name("tags", "mlflow.source.name"), "ilike", "T%")),
        ("parameters.a NOT LIKE 'x'", Comparison(Name("params", "a"), "not like", "x")),
        ("run_id IN ('a', 'b')", Among(Name("attributes", "id"), ("a", "b"))),
        ("attributes.start_time > 1664067852747", Comparison(Name("attributes", "start"), ">", 1664067852747.0)),
        ("datasets.digest = 'abc'", Comparison(Name("datasets", "digest"), "=", "abc")),
        ("params.a not in (1, 'b')", Among(Name("params", "a"), (1.0, "b"), negated=True)),
        ("tags.a IS NULL", Absent(Name("tags", "a"))),
        ("tags.a is not null", Not(Absent(Name("tags", "a")))),
        ("not not metrics.a<-1", Not(Not(Comparison(Name("metrics", "a"), "<", -1.0)))),
        ("params.a ~ '^x+$'", Comparison(Name("params", "a"), "~", "^x+$")),
        ("params.lr = 0.1", Comparison(Name("params", "lr"), "=", 0.1)),
        ("params.lr = '0.1'", Comparison(Name("params", "lr"), "=", "0.1")),
        ("params.o = resnet-50", Comparison(Name("params", "o"), "=", "resnet-50")),
        ("metrics.a = -inf", Comparison(Name("metrics", "a"), "=", -math.inf)),
        ("commit like 'abc%'", Comparison(Name("tags", "mlflow.source.git.commit"), "like", "abc%")),
        ("duration > 1.5h", Comparison(Name("attributes", "duration"), ">", 5400.0)),
        ("start > 2023-11-14", Comparison(Name("attributes", "start"), ">", 1_699_920_000_000.0)),
        ("start >= '2023-11-14T01:00+01:00'", Comparison(Name("attributes", "start"), ">=", 1_699_920_000_000.0)),
        ("big-cat", Any((Comparison(Name("attributes", "name"), "ilike", "%big-cat%"),
                         Comparison(Name("attributes", "user"), "ilike", "%big-cat%")))),
        ("  ", None),
    ],
)  # fmt: skip
def test_it_reads(text, tree):
    assert read(text) == tree


def test_and_binds_closer_than_or():
    tree = read("metrics.a > 1 or metrics.b > 2 and metrics.c > 3")
    assert isinstance(tree, Any)
    assert isinstance(tree.items[1], All)


@pytest.mark.parametrize(
    ("text", "position", "says", "suggests"),
    [
        ("metrics.acc >", 13, "it ends where a value should follow", ""),
        ("metrics.acc > high", 14, "“high” is no number", ""),
        ("metrcs.acc > 1", 0, "runs have no “metrcs.acc”", "metrics"),
        ("accuracy > 0.9", 0, "runs have no “accuracy”", "metrics.accuracy"),
        ("sttus = failed", 0, "runs have no “sttus”", "status"),
        ("status = finishd", 9, "no run has the status", "finished"),
        ("metrics.a > 1 && metrics.b > 2", 14, "“&&” does not follow", "and"),
        ("metrics.a > 1 metrics.b > 2", 14, "“metrics.b” does not follow", "and"),
        ("(metrics.a > 1", 0, "never closed", ""),
        ("metrics.a > 1)", 13, "“)” does not follow", ""),
        ("params.a = 'x", 11, "the quote ' is never closed", ""),
        ("params.a lke 'x'", 9, "“lke” is no comparison", "like"),
        ("metrics.a like 'x'", 10, "is no text", ""),
        ("metrics.a < nan", 12, "NaN", ""),
        ("params.a in 'x'", 12, "a list begins with a parenthesis", ""),
        ("params.a in ('x' 'y')", 17, "parted by commas", ""),
        ("params.a is 3", 12, "“is” cannot be followed by “3”", "= 3"),
        ("start > yesterday", 8, "“yesterday” is no time", ""),
        ("duration > long", 11, "is no duration", ""),
        ("params.a ~ '(x'", 12, "the pattern cannot be read", ""),
        (r"params.a ~ 'x(?=y)'", 13, "“(?” is not available", ""),
        (r"params.a ~ '\1'", 12, r"“\1” is not available", ""),
        ("metrics. > 1", 0, "the name after “metrics.” is missing", "metrics.`my name`"),
        ("and", 0, "“and” stands where a name should be", ""),
        ("a!", 1, "alone means nothing", "not"),
        ("params.a = 'b\0'", 13, "a character that no text can hold", ""),
    ],
)
def test_it_says_where_and_what(text, position, says, suggests):
    error = refused(text)
    assert error.position == position
    assert says in error.message
    assert f"character {position + 1}" in error.message
    assert suggests in error.suggestion


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100 + "metrics.a > 1" + ")" * 100,
        "not " * 500 + "metrics.a > 1",
        " and ".join(["metrics.a > 1"] * 101),
        f"params.a in ({', '.join(['1'] * 501)})",
        "x" * 5000,
        f"params.a ~ '{'x' * 400}'",
        "params.a ~ 'x{1000}'",
    ],
)
def test_it_bounds_what_is_asked(text):
    assert 0 <= refused(text).position <= len(text)


@pytest.mark.parametrize("text", ["start > 1e400", "start > -99999999999w", "duration < 1e400", "metrics.a > 1e400"])
def test_huge_values_are_bounded(text):
    assert isinstance(read(text), Comparison)


PIECES = st.sampled_from(
    ["metrics.a", "params.`b c`", "tags.", "status", "start", "and", "or", "not", "in", "is", "null", "like", "~", "!~",
     "(", ")", ",", "=", "!=", "<", ">=", "'x'", '"y', "`", "0.5", "-7d", "1e999", "nan", "-inf", "2026-13-01", "!",
     "&&", "failed", "\0", "\ud800", "é", "(?i)", "'[a'", "'a{2}'", "9" * 30]
)  # fmt: skip


def is_answered(text: str) -> None:
    error = None
    try:
        read(text)
    except FilterError as refusal:
        error = refusal
    assert error is None or (0 <= error.position <= len(text) and error.problem)


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=14), st.sampled_from(["", " "]))
def test_pieces_in_any_order_are_answered(pieces, between):
    is_answered(between.join(pieces))


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | st.text(alphabet=string.printable, max_size=60))
def test_any_text_is_answered(text):
    is_answered(text)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=r"ab.*+?|()[]{}^$\dwsb1,0:=<-(?i", max_size=20))
def test_any_pattern_is_answered(pattern):
    is_answered(f'params.a ~ "{pattern}"')
