"""What was noticed while a dataset was written, in a few lines; the table beside it has every row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from burnish.formats.findings import read_findings

if TYPE_CHECKING:
    from pathlib import Path

BESIDE: Final = "-findings"
"""How the folder ends that lies beside a written dataset."""

_SHOWN: Final = 12


def noticed(written: list[Path]) -> list[str]:
    """One line for each reason, the most frequent first; empty when nothing lies beside what was written."""
    tables = [path for path in written if path.name == "findings.parquet" and path.parent.name.endswith(BESIDE)]
    if not tables:
        return []
    reasons = read_findings(tables[0]).table["reason"].value_counts(sort=True, name="n").sort("n", "reason", descending=[True, False])
    lines = [reason if n == 1 or f"{n:,}" in reason else f"{reason} ({n:,} rows)" for reason, n in reasons.head(_SHOWN).iter_rows()]
    more = reasons.height - _SHOWN
    return [*lines, f"... and {more:,} more reasons"] if more > 0 else lines
