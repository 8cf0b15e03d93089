"""Names of the files that the readers write."""

from __future__ import annotations

DIFFERENCE = "difference.webp"
