"""The main jobs on real pictures that ship with the repository.

python examples/demo.py           every part
python examples/demo.py audit     one part
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path

import burnish
from burnish.audit.settings import AuditConfig
from burnish.cvat.login import Login
from burnish.cvat.settings import PushConfig
from burnish.engine.progress import Lines
from burnish.engine.timing import duration_text
from burnish.inspect.settings import ConvertConfig
from burnish.testing.cvat import cvat_server

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


def cvat_demo() -> None:
    """Take a backup of a CVAT task to a preview, to training data, and over a CVAT server for tests and back."""
    print("cvat: a backup that a CVAT server made, with tracks in three overlapping jobs", flush=True)
    began = time.monotonic()
    shutil.rmtree(OUT / "cvat", ignore_errors=True)
    (OUT / "cvat").mkdir(parents=True)
    clip = burnish.open(shutil.copy(HERE / "cvat_backup" / "clip.zip", OUT / "cvat"))  # what a push remembers lies beside the dataset
    (preview,) = burnish.preview(clip).save(OUT / "cvat" / "preview")
    training = burnish.convert(clip, ConvertConfig(to="yolo"))
    training.save(OUT / "cvat" / "yolo")
    with cvat_server() as server:
        login = Login(token=server.users["admin"].token)
        print(burnish.push(clip, server.url, PushConfig(create_labels=True), login=login))
        burnish.pull(server.url, login=login).save(OUT / "cvat" / "pulled")
        back = burnish.open(OUT / "cvat" / "pulled")
        again = burnish.push(back, server.url, login=login)
    print(f"\nThere and back: {burnish.diff(clip, back)}".replace("\n", " ").strip())
    print(str(again).splitlines()[0])
    print(f"Preview: {preview.resolve()}")
    print(f"YOLO set: {(OUT / 'cvat' / 'yolo').resolve()}")
    print(f"cvat took {duration_text(time.monotonic() - began)}")


def balance_demo() -> None:
    """Balance photos of blood on which the frequent cells lie beside the rare ones."""
    print("balance: 120 photos of blood, 85 % of the cells on them are red ones", flush=True)
    began = time.monotonic()
    result = burnish.balance(burnish.open(HERE / "bccd_photos"), progress=Lines(sys.stdout, every_s=10))
    result.save(OUT / "balance", force=True)
    print(f"\n{result}\n")
    print(f"Chart of the classes before and after: {(OUT / 'balance' / 'report.html').resolve()}")
    print(f"balance took {duration_text(time.monotonic() - began)}")


PARTS = {"audit": audit_demo, "balance": balance_demo, "cvat": cvat_demo}


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
