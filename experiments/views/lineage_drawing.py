"""The drawing of lineage: boxes as on the pages of pipelines, what was used on the left of what was made from it."""

from __future__ import annotations

from datasets.pipelines import boxes
from datasets.stages.layouts import layout
from datasets.views.pipeline_drawing import Drawing, Words, drawn
from experiments.lineage.graph import Graph
from hub.lib.errors import Busy
from repos import cache
from repos.models import Repository


def drawing(repository: Repository, found: Graph) -> Drawing | None:
    """None for a thing alone, and where it cannot be drawn: the lists say the same."""
    words = [
        Words(
            label=boxes.shortened(node.label),
            told=f"{node.word.lower()} {node.note}".strip(),
            look="here" if ref == found.start else ref.kind,
            title=f"{node.word}: {node.label}",
            url=node.lineage_url,
        )
        for ref, node in found.nodes.items()
    ]
    numbers = {ref: number for number, ref in enumerate(found.nodes)}
    edges = [(numbers[tail], numbers[head]) for tail, head in found.edges]
    for (ref, way), count in found.more.items():
        if ref not in numbers:
            continue
        edges.append((len(words), numbers[ref]) if way == "up" else (numbers[ref], len(words)))
        node = found.nodes[ref]
        words.append(Words(f"{count:,} more", "in its list", "more", f"{count:,} more: {node.label}", node.lineage_url))
    if len(words) < 2:
        return None
    labels = [word.label for word in words]
    key = cache.key_of(repository, "lineage-layout", labels, edges)
    known = cache.known(key)
    if known is None:
        try:
            known = layout(labels, edges)
        except Busy:
            return None
        if known is not None:
            cache.keep(key, known)
    return drawn(known, words, [""] * len(edges))  # type: ignore[arg-type]
