"""What files of metrics, params and plots say; any bytes are an answer."""

from __future__ import annotations

import base64
import json
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets.pipelines import values

KINDS = ("metrics", "params", "plot")
ENDINGS = ("json", "yaml", "toml", "csv", "tsv", "py")


def read(path, kind, text):
    data = text.encode() if isinstance(text, str) else text
    files = [{"path": path, "kind": kind, "data": base64.b64encode(data).decode()}]
    return values.read(json.dumps(files).encode())[0]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("m.json", '{"a": {"b": 1, "c": NaN}, "d": true, "e": "x", "f": [1]}', {"a.b": 1.0, "a.c": math.nan, "d": 1.0}),
        ("m.yaml", "a: 1e-3\nb: .inf\nc: ~\n", {"a": 0.001, "b": math.inf}),
        ("m.yml", "0.5", {"value": 0.5}),
        ("m.toml", "[train]\nacc = 0.5\n", {"train.acc": 0.5}),
        ("m.csv", "acc,name\n0.1,x\n0.2,y\n", {"acc": 0.2}),
        ("m.tsv", "step\tacc\n0\t0.1\n5\t0.3\n2\t0.2\n", {"acc": 0.3}),
        ("m.csv", "", {}),
        ("m.json", "", None),
    ],
)
def test_metrics_are_numbers_with_dotted_names(path, text, expected):
    answer = read(path, "metrics", text)
    if expected is None:
        assert set(answer) == {"problem"}
        return
    assert answer["values"] == pytest.approx(expected, nan_ok=True)


def test_params_are_texts_as_mlflows_clients_write_them():
    text = "a: true\nb: ~\nc: [1, x]\nd: {e: 1.0, f: {}}\ng: 2020-01-01\n1: 'true'\n"
    assert read("p.yaml", "params", text)["values"] == {
        "a": "True", "b": "None", "c": '[1, "x"]', "d.e": "1.0", "d.f": "{}", "g": "2020-01-01", "1": "true",
    }  # fmt: skip
    assert read("p.py", "params", "LR = 0.1\nclass Net:\n    depth = 3\n")["values"] == {"LR": "0.1", "Net.depth": "3"}
    assert len(read("p.json", "params", json.dumps({"long": "x" * 10_000}))["values"]["long"]) == 6_000


def test_a_plot_is_points_only_over_steps():
    rows = json.dumps({"train": [{"epoch": 0, "loss": 1.0}, {"epoch": 1, "loss": "0.5"}, {"epoch": 2, "loss": None}]})
    assert read("plot.json", "plot", rows) == {"points": {"loss": [[0, 1.0, None], [1, 0.5, None]]}}
    assert read("roc.csv", "plot", "fpr,tpr\n0,0\n1,1\n")["points"] == {}
    live = "step\ttimestamp\tloss\n0\t1700000000000\t1.0\n"
    expected = {"train.loss": [[0, 1.0, 1_700_000_000_000]]}
    assert read("dvclive/plots/metrics/train/loss.tsv", "plot", live)["points"] == expected


LEAVES = st.none() | st.floats() | st.text(max_size=5)
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner)
)
TEXTS = st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
BYTES = st.binary(max_size=200) | TEXTS | DOCUMENTS.map(lambda found: json.dumps(found).encode())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(ENDINGS), st.sampled_from(KINDS), BYTES)
def test_any_bytes_are_an_answer(ending, kind, data):
    answer = read(f"x/plots/metrics/a.{ending}", kind, data)
    assert answer.keys() <= {"values", "points", "problem"}
    for key, value in answer.get("values", {}).items():
        assert key.isprintable()
        assert isinstance(value, str if kind == "params" and ending not in {"csv", "tsv"} else float)
    for points in answer.get("points", {}).values():
        assert all(isinstance(step, int) and isinstance(value, float) for step, value, _ in points)
    json.dumps(answer)
