"""The main jobs on real pictures that ship with the repository.

python examples/demo.py           every part
python examples/demo.py audit     one part
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import burnish
from burnish.audit.settings import AuditConfig
from burnish.cvat.login import Login
from burnish.cvat.settings import PushConfig
from burnish.engine.files import write_bytes
from burnish.engine.progress import Lines
from burnish.engine.timing import duration_text
from burnish.inspect.settings import ConvertConfig
from burnish.media.images import encode_webp, read_image
from burnish.media.outlines import Pen, draw_mask
from burnish.media.sheets import sheet
from burnish.refine.settings import PrepareConfig, RefineConfig
from burnish.testing.cvat import cvat_server
from burnish.train.policies.settings import EvaluateConfig, TrainConfig

if TYPE_CHECKING:
    from burnish.train.evaluation import Evaluation

HERE = Path(__file__).parent
OUT = HERE.parent / "runs" / "demo"
SETS = OUT / "nuclei" / "sets"
STEPS = 240  # of both trainings, so that only the pictures and their masks differ
BATCH = 4
HALF = 0.5


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


def train_demo() -> None:
    """Prepare nuclei with eight hand-drawn masks, and train a first network on those."""
    print("train: 32 pictures of nuclei, hand-drawn masks on 8 of them, boxes on the others", flush=True)
    began = time.monotonic()
    shutil.rmtree(OUT / "nuclei", ignore_errors=True)
    nuclei = HERE / "nuclei" / "train"
    settings = PrepareConfig(masks=str(nuclei), hand="8", evaluate=0, train=0.75, copies=0, name="nuclei")
    prepared = burnish.prepare(burnish.open(nuclei / "boxes.coco.json"), settings)
    prepared.save(SETS)
    print(prepared)
    _train(SETS / "nuclei_BASELINE", OUT / "nuclei" / "before")
    print(f"train took {duration_text(time.monotonic() - began)}")


def refine_demo() -> None:
    """Improve the boxes of the other pictures with the first network, train a second one on all, and compare both."""
    if not (OUT / "nuclei" / "before" / "report.html").is_file():
        train_demo()
    print("refine: the boxes on 24 pictures of nuclei become masks, and a second network learns from them", flush=True)
    began = time.monotonic()
    place = OUT / "nuclei"
    for name in ("nuclei_H1", "nuclei_H1_VAL"):
        shutil.rmtree(SETS / name, ignore_errors=True)
    shutil.rmtree(place / "after", ignore_errors=True)
    settings = RefineConfig(model=str(place / "before"), mode="per_box", flips="both", copies=0, train=0.95)
    refined = burnish.refine(SETS, settings)
    refined.save(place / "refined")
    print(refined)
    _train(SETS / "nuclei_H1", place / "after")
    found = burnish.evaluate(
        burnish.open(HERE / "nuclei" / "test"), EvaluateConfig(model=str(place / "after"), against=str(place / "before"), split="all")
    )
    found.save(place / "evaluation")
    _tell_comparison(found)
    print(f"Pictures before and after: {_side_by_side(found, place).resolve()}")
    print(f"What became of each box: {(place / 'refined' / 'report.html').resolve()}")
    print(f"Both networks on the test pictures: {(place / 'evaluation' / 'report.html').resolve()}")
    print(f"refine took {duration_text(time.monotonic() - began)}")


def _train(pictures: Path, run: Path) -> None:
    """A tiny U-Net from scratch."""
    batches = -(-len(list((pictures / "images").iterdir())) // BATCH)
    settings = TrainConfig.make(
        task="segmentation",
        network={"name": "unet", "width": 8},
        size=128,
        batch_size=BATCH,
        epochs=round(STEPS / batches),
        optimizer={"lr": 0.004},
        augs={"strength": "medium", "steps": ["vertical_flip", "quarter_turns"]},
        handlers=[{"name": "averaging", "decay": 0.95}],
        evaluation={"pictures": 4, "target": "max epoch"},  # two pictures validate, too few to choose by
        data={"validation_dataset": str(SETS / "nuclei_BASELINE_VAL"), "cache": str(OUT / "nuclei" / "cache")},
    )
    result = burnish.train(burnish.open(pictures), settings, progress=Lines(sys.stdout, every_s=10), work=run)
    result.save(run)
    print(result)


def _tell_comparison(found: Evaluation) -> None:
    """Before and after in plain words, with how sure the difference is."""
    assert found.comparison is not None
    print(f"\nOverlap (IoU, 1 is perfect) with masks drawn by hand, on {found.table.height} test pictures that neither network saw;")
    print("before: from 8 hand-drawn masks (2 of them only measure); after: from these and 24 refined ones")
    rows = {row["metric"]: row for row in found.comparison.metrics.iter_rows(named=True)}
    for name, words in (("iou_dataset", "pixels of all pictures together"), ("iou_image", "mean over pictures")):
        row = rows[name]
        sure = "beyond chance" if row["low"] > 0 or row["high"] < 0 else "may be chance"
        told = f"{row['difference']:+.3f} (95 %: {row['low']:+.3f} to {row['high']:+.3f}), {sure}"
        print(f"  {words}: before {row['other']:.3f}, after {row['this']:.3f}, difference {told}")


def _side_by_side(found: Evaluation, place: Path) -> Path:
    """The test pictures that changed most, for better or worse: picture, before, after, and drawn by hand."""
    from burnish.train.policies.segmentation import probability_maps  # noqa: PLC0415 - torch, which other parts do without
    from burnish.train.trained import read_trained  # noqa: PLC0415

    assert found.comparison is not None
    networks = [read_trained(place / name) for name in ("before", "after")]
    tiles, titles = [], []
    for row in found.comparison.pictures.head(4).iter_rows(named=True):
        path = HERE / "nuclei" / "test" / row["path"]
        picture = read_image(path)
        drawn = read_image(path.parents[1] / "masks" / path.name)[..., 0] > 0
        masks = [probability_maps(network, [picture])[0][0] > HALF for network in networks]
        tiles.append(picture)
        for mask in (*masks, drawn):
            tiles.append(picture.copy())
            draw_mask(tiles[-1], mask, Pen((255, 170, 0), 1, 0.35))
        titles += [path.stem, f"before: IoU {row['other']:.2f}", f"after: IoU {row['this']:.2f}", "drawn by hand"]
    write_bytes(place / "before_and_after.webp", encode_webp(sheet(tiles, titles, columns=4, rows=4, side=200), 85))
    return place / "before_and_after.webp"


PARTS = {"audit": audit_demo, "balance": balance_demo, "cvat": cvat_demo, "train": train_demo, "refine": refine_demo}
WITH_TORCH = {"train", "refine"}


def main(part: str) -> int:
    """Run one part, or all; of those that need torch a missing one is told, not downloaded."""
    if part != "all" and part not in PARTS:
        print(f"There is no part '{part}'; known: all, {', '.join(PARTS)}.", file=sys.stderr)
        return 2
    left_out = WITH_TORCH if part == "all" and find_spec("torch") is None else set[str]()
    for name, run in PARTS.items():
        if part == name or (part == "all" and name not in left_out):
            run()
    if left_out:
        print("\nLeft out: train and refine, which need torch (3 GB to download). To run them: make demo PART=refine")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "all"))
