"""Whole numbers that come as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.lib.numbers import LARGEST, whole


@given(st.integers(0, LARGEST))
def test_plain_digits_are_their_number(number: int) -> None:
    assert whole(str(number)) == number


OTHER = ["", " 7", "7 ", "+7", "-7", "1_0", "1.0", "1e3", "0x1", "\x007", "²", "١٢", "9" * 19, "9" * 20, "9" * 5000]


@pytest.mark.parametrize("text", OTHER)
def test_everything_else_is_no_number(text: str) -> None:
    assert whole(text) is None


@given(st.text(max_size=30))
def test_no_text_is_an_error(text: str) -> None:
    found = whole(text)
    assert found is None or (text.isascii() and int(text) == found)


def test_bounds_belong_to_it() -> None:
    assert [whole(text, least=2, most=4) for text in "12345"] == [None, 2, 3, 4, None]
