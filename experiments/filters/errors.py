"""What a filter that cannot be read is answered: where, what was expected, and what was probably meant."""

from __future__ import annotations

from hub.lib.errors import Invalid


class FilterError(Invalid):
    """position: index of the character in the filter. suggestion: a word or an example, perhaps empty."""

    def __init__(self, problem: str, position: int, *, expected: str = "", suggestion: str = "") -> None:
        self.problem, self.position, self.expected, self.suggestion = problem, position, expected, suggestion
        hints = [f"Expected {expected}." if expected else "", f"Try {suggestion}." if suggestion else ""]
        super().__init__(
            f"The filter cannot be read at character {position + 1}: {problem}", details=" ".join(filter(None, hints))
        )

    def as_json(self) -> dict[str, object]:
        place = {"position": self.position, "expected": self.expected, "suggestion": self.suggestion}
        return {**super().as_json(), **place}
