"""The main jobs on real pictures that ship with the repository.

python examples/demo.py           every part
python examples/demo.py audit     one part
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import burnish
from burnish.audit.settings import AuditConfig
from burnish.engine.progress import Lines
from burnish.engine.timing import duration_text

HERE = Path(__file__).parent
OUT = HERE.parent / "runs" / "demo"


def audit_demo() -> None:
    """Find labels that were exchanged on purpose among 720 blood cells."""
    print("audit: 720 blood cells, some labels exchanged on purpose", flush=True)
    began = time.monotonic()
    cells = HERE / "bccd_cells"
    progress = Lines(sys.stdout, every_s=10)
    result = burnish.audit(burnish.open(cells), AuditConfig(correct=False), progress=progress, work=OUT / "audit" / "work")
    result.save(OUT / "audit", force=True)
    exchanged = {json.loads(line)["image"] for line in (cells / "truth.jsonl").read_text().splitlines()}
    suspected = set(result.labels.filter("is_issue")["path"])
    print(f"\nExchanged labels found: {len(exchanged & suspected)} of {len(exchanged)}; labels suspected in all: {len(suspected)}.")
    print(f"Report: {(OUT / 'audit' / 'report.html').resolve()}")
    print(f"audit took {duration_text(time.monotonic() - began)}")


PARTS = {"audit": audit_demo}


def main(part: str) -> int:
    """Run one part, or all."""
    if part != "all" and part not in PARTS:
        print(f"There is no part '{part}'; known: all, {', '.join(PARTS)}.", file=sys.stderr)
        return 2
    for name, run in PARTS.items():
        if part in {"all", name}:
            run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "all"))
