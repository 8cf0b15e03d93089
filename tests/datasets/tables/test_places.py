"""Places are kept as lines, and a page of very many is soon found."""

from __future__ import annotations

import pytest

from datasets.tables import places


def test_a_page_of_a_hundred_thousand(tmp_path):
    assert places.write(tmp_path / "places", ({"n": n} for n in range(100_001))) == 100_001
    for start, limit, expected in (
        (0, 2, [0, 1]),
        (99_999, 50, [99_999, 100_000]),
        (49, 3, [49, 50, 51]),
        (100_001, 9, []),
    ):
        assert [one["n"] for one in places.read(tmp_path / "places", start, limit)] == expected


def test_too_many_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "MOST", 99)
    with pytest.raises(ValueError, match="more than 99"):
        places.write(tmp_path / "places", ({} for _ in range(100)))
