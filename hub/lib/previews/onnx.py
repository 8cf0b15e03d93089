"""Worker: what an ONNX model says of itself: its inputs, outputs, operators and weights, without reading the weights.

ONNX is one protobuf message (https://github.com/onnx/onnx, onnx.proto); only the fields named here are read, the bytes
of others are stepped over. The schema's depth is fixed, so nothing recurses.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from hub.lib.served import ServedFile

MAX_FIELDS, MAX_ROWS, MAX_TEXT_BYTES, BLOCK_BYTES = 2_000_000, 500, 1_000, 16 * 1024
TYPES = (
    *("?", "FLOAT", "UINT8", "INT8", "UINT16", "INT16", "INT32", "INT64", "STRING", "BOOL", "FLOAT16", "DOUBLE"),
    *("UINT32", "UINT64", "COMPLEX64", "COMPLEX128", "BFLOAT16", "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2"),
    *("FLOAT8E5M2FNUZ", "UINT4", "INT4", "FLOAT4E2M1"),
)
_DAMAGED = "This is not an ONNX model, or it is damaged."


@dataclass(frozen=True)
class Field:
    """One field of a message: a number, or the place of its bytes."""

    number: int
    value: int
    start: int = 0
    end: int = 0


@dataclass
class _Model:
    facts: list[list[str]] = field(default_factory=list)
    inputs: list[list[str]] = field(default_factory=list)
    outputs: list[list[str]] = field(default_factory=list)
    weights: list[list[str]] = field(default_factory=list)
    operators: Counter[str] = field(default_factory=Counter)
    tensors: int = 0
    parameters: int = 0
    has_graph: bool = False


def onnx(payload: bytes, *, files: list[str], size: int) -> dict[str, Any]:
    """{"facts": [[name, value]], "inputs" and "outputs": [[name, type, shape]], "operators": [[name, count]],
    "weights": [[name, type, shape]], "note"}. Raises ValueError."""
    with io.BufferedReader(ServedFile(files[0], size, block_bytes=BLOCK_BYTES), BLOCK_BYTES) as file:
        return described(file, size)


def described(file: BinaryIO, size: int) -> dict[str, Any]:
    model = _Reader(file, size).model()
    operators = [[name, f"{count:,}"] for name, count in model.operators.most_common(MAX_ROWS)]
    note = f"{model.operators.total():,} operators, {model.tensors:,} weights of {model.parameters:,} parameters."
    if model.tensors > MAX_ROWS:
        note += f" Only the first {MAX_ROWS:,} weights are shown."
    shown = {"facts": model.facts, "inputs": model.inputs, "outputs": model.outputs, "weights": model.weights}
    return {**shown, "operators": operators, "note": note}


class _Reader:
    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file, self.size, self.read_fields = file, size, 0

    def model(self) -> _Model:
        made, told, opsets = _Model(), dict[int, str](), list[str]()
        for one in self.fields(0, self.size):
            if one.number == 7 and one.end:
                self.graph(made, one)
            elif one.number in {2, 3, 4} and one.end:
                told[one.number] = self.text(one)
            elif one.number in {1, 5} and not one.end:
                told[one.number] = str(one.value)
            elif one.number == 8 and one.end and len(opsets) < 50:
                opsets.append(self.opset(one))
            elif one.number == 14 and one.end and len(made.facts) < 100:
                pair = {f.number: self.text(f) for f in self.fields(one.start, one.end) if f.end}
                made.facts.append([pair.get(1, ""), pair.get(2, "")])
        if not made.has_graph or 1 not in told:
            raise ValueError(_DAMAGED)
        producer = f"{told.get(2, '')} {told.get(3, '')}".strip()
        named = [["Made by", producer], ["Operator sets", ", ".join(opsets)], ["IR version", told[1]]]
        named += [["Domain", told.get(4, "")], ["Model version", told.get(5, "")]]
        made.facts = [row for row in named if row[1]] + made.facts
        return made

    def opset(self, message: Field) -> str:
        domain, version = "", 0
        for one in self.fields(message.start, message.end):
            if one.number == 1 and one.end:
                domain = self.text(one)
            elif one.number == 2:
                version = one.value
        return f"{domain or 'ai.onnx'} {version}"

    def graph(self, made: _Model, message: Field) -> None:
        made.has_graph = True
        for one in self.fields(message.start, message.end):
            if not one.end:
                continue
            if one.number == 1:
                made.operators[self.operator(one)] += 1
            elif one.number == 5:
                self.weight(made, one)
            elif one.number in {11, 12}:
                rows = made.inputs if one.number == 11 else made.outputs
                if len(rows) < MAX_ROWS:
                    rows.append(self.value(one))

    def operator(self, message: Field) -> str:
        name, domain = "?", ""
        for one in self.fields(message.start, message.end):
            if one.number == 4 and one.end:
                name = self.text(one)
            elif one.number == 7 and one.end:
                domain = self.text(one)
        return f"{domain}.{name}" if domain and domain != "ai.onnx" else name

    def weight(self, made: _Model, message: Field) -> None:
        name, kind, shape = "", 0, list[int]()
        for one in self.fields(message.start, message.end):
            if one.number == 1:
                shape += [one.value] if not one.end else self.packed(one)
            elif one.number == 2 and not one.end:
                kind = one.value
            elif one.number == 8 and one.end:
                name = self.text(one)
        parameters = 1
        for length in shape[:16]:
            parameters = min(parameters * max(length, 0), 1 << 62)
        made.tensors, made.parameters = made.tensors + 1, made.parameters + parameters
        if len(made.weights) < MAX_ROWS:
            made.weights.append([name, _type(kind), " × ".join(map(str, shape[:16])) or "scalar"])

    def value(self, message: Field) -> list[str]:
        """[name, type, shape] of an input or output; of a tensor, else its type is not told."""
        name, kind, shape = "", "", ""
        for one in self.fields(message.start, message.end):
            if one.number == 1 and one.end:
                name = self.text(one)
            elif one.number == 2 and one.end:
                for tensor in (f for f in self.fields(one.start, one.end) if f.number == 1 and f.end):
                    kind, shape = self.tensor_type(tensor)
        return [name, kind, shape]

    def tensor_type(self, message: Field) -> tuple[str, str]:
        kind, dimensions = "", list[str]()
        for one in self.fields(message.start, message.end):
            if one.number == 1 and not one.end:
                kind = _type(one.value)
            elif one.number == 2 and one.end:
                found = (f for f in self.fields(one.start, one.end) if f.number == 1 and f.end)
                dimensions = [self.dimension(f) for f in found][:16]
        return kind, " × ".join(dimensions)

    def dimension(self, message: Field) -> str:
        for one in self.fields(message.start, message.end):
            if one.number == 1 and not one.end:
                return str(one.value)
            if one.number == 2 and one.end:
                return self.text(one)
        return "?"

    # ---- protobuf ------------------------------------------------------------------------------
    def fields(self, start: int, end: int) -> Iterator[Field]:
        """The fields of the message in these bytes; what they hold is read by whoever wants it. Raises ValueError."""
        at = start
        while at < end:
            self.read_fields += 1
            if self.read_fields > MAX_FIELDS:
                raise ValueError("This model holds more than is read for a preview.")
            self.file.seek(at)
            key, at = self.varint(at, end)
            number, wire = key >> 3, key & 7
            if wire == 0:
                value, at = self.varint(at, end)
                yield Field(number, value if value < 1 << 63 else value - (1 << 64))
                continue
            if wire == 2:
                length, at = self.varint(at, end)
            elif wire in {1, 5}:
                length = 8 if wire == 1 else 4
            else:
                raise ValueError(_DAMAGED)
            if number == 0 or at + length > end:
                raise ValueError(_DAMAGED)
            if wire == 2:
                yield Field(number, 0, at, at + length or 1)
            at += length

    def varint(self, at: int, end: int) -> tuple[int, int]:
        """(the number, where it ends) of what the file stands at."""
        value = 0
        for shift in range(0, 70, 7):
            byte = self.file.read(1)
            at += 1
            if not byte or at > end:
                raise ValueError(_DAMAGED)
            value |= (byte[0] & 127) << shift
            if byte[0] < 128:
                return value & (1 << 64) - 1, at
        raise ValueError(_DAMAGED)

    def packed(self, message: Field) -> list[int]:
        found, at = list[int](), message.start
        self.file.seek(at)
        while at < message.end and len(found) < 100:
            value, at = self.varint(at, message.end)
            found.append(value if value < 1 << 63 else value - (1 << 64))
        return found

    def text(self, message: Field) -> str:
        self.file.seek(message.start)
        return self.file.read(min(message.end - message.start, MAX_TEXT_BYTES)).decode("utf-8", "replace")


def _type(number: int) -> str:
    return TYPES[number] if 0 <= number < len(TYPES) else str(number)
