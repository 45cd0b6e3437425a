r"""Do refined masks help? Baseline, raw boxes and merging modes on cracks and nuclei, from scratch, judged on hand-drawn test masks.

python benchmarks/refine.py DATASET [--seeds 3] [--modes best,boxes] [--epochs 12 | --steps 1000] [--drawn] [--work FOLDER]
python benchmarks/refine.py deepcrack --together '^(.+?)(-\d+)?$'
python benchmarks/refine.py nuclei --epochs 24 --augs '{name: invert, p: 0.3}, {name: grey, p: 0.3}'
python benchmarks/refine.py tiles --epochs 80 --together '^exp\d+_num_(\d+)$' --flawless

DATASET is a folder with train/ and test/, each with images/, masks/ and boxes.coco.json. 24 pictures of train count as labelled by hand,
drawn by the seed; of all others only the boxes are used (with --flawless, none
means that there is nothing to find). Their masks judge the improved masks, and nothing else sees them.

A mode is one of burnish.refine.modes or of MODES below; agreement trains a second network on the same 24 pictures. box_supervised among
them is no mode but a network that learns from the boxes of all pictures with the loss of that name.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import yaml
from PIL import Image

import burnish
from burnish.refine.comparing import interval
from burnish.refine.flips import flipped
from burnish.refine.merging import load_weak
from burnish.refine.modes import Evidence, build
from burnish.refine.predictors import predictor_of
from burnish.refine.refine import find_sets, refine
from burnish.refine.settings import PrepareConfig, RefineConfig
from burnish.train.policies.settings import TrainConfig
from burnish.train.train import train
from burnish.train.trained import read_trained

if TYPE_CHECKING:
    from burnish.refine.prepared import PreparedSets

TRAINING = {
    "task": "segmentation",
    "network": {"name": "unet", "width": 8},
    "size": 256,
    "batch_size": 2,
    "optimizer": {"lr": 0.002},
    "augs": {"strength": "medium", "steps": ["vertical_flip", "quarter_turns"]},
    "handlers": [{"name": "averaging", "decay": 0.99}],
    "evaluation": {"pictures": 0, "target": "max epoch"},
}

MODES = {
    "boxes": {"name": "hybrid", "alpha": 1.0},  # whole boxes and nothing of the prediction
    "guided": {"name": "edges", "method": "guided"},
    "guided_inside": {"name": "edges", "method": "guided", "outside": False, "hard": True},
    "tight_inside": {"name": "tight", "outside": False},
    "tight_soft": {"name": "tight", "hard": False},
}
"""Modes in other settings than their own, by names of this script."""
HAND = 24
JUDGED = ("hybrid", "soft", "per_box", "edges", "guided", "guided_inside", "tight", "tight_inside")
"""Modes whose masks are compared with those drawn by hand."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--modes", default="best,boxes")
    parser.add_argument("--epochs", type=int, default=12, help="of every training, as one configuration file for all of them has")
    parser.add_argument("--steps", type=int, default=None, help="as many steps for every training, however many pictures it has")
    parser.add_argument("--drawn", action="store_true", help="also train on the drawn masks of all pictures: the most that can be gained")
    parser.add_argument("--work", type=Path, default=Path("runs/refine-benchmark"))
    parser.add_argument("--together", default=None)
    parser.add_argument("--flawless", action="store_true", help="pictures without boxes show nothing to find, and some are among the 24")
    parser.add_argument("--augs", default="", help="further augmentations, such as {name: invert, p: 0.3}")
    chosen = parser.parse_args()
    TRAINING["augs"]["steps"] += yaml.safe_load(f"[{chosen.augs}]")
    for seed in range(chosen.first, chosen.first + chosen.seeds):
        one_seed(chosen.dataset, seed, chosen.modes.split(","), chosen)


def one_seed(dataset: Path, seed: int, modes: list[str], chosen: argparse.Namespace) -> None:
    """Everything with one draw of hand-labelled pictures; printed as it comes."""
    folder = chosen.work / f"{dataset.name}_{seed}"
    sets = folder / "sets"
    if not sets.exists():
        drawn = {"masks": str(dataset / "train"), "hand": drawn_of_all(dataset, folder, seed) if chosen.flawless else str(HAND)}
        unlabelled = "background" if chosen.flawless else "leave_out"
        config = PrepareConfig(**drawn, evaluate=0, copies=0, name="set", seed=seed, together=chosen.together, unlabelled=unlabelled)
        burnish.prepare(burnish.open(dataset / "train" / "boxes.coco.json"), config).save(sets)
    baseline = trained(sets / "set_BASELINE", sets, folder / "baseline", seed, chosen)
    scores = {"baseline": judged(baseline, dataset / "test")}
    told(dataset, seed, "baseline", scores)
    judge_masks(find_sets(sets), baseline, dataset, seed)
    for number, mode in enumerate(modes, start=1):
        run = boxes_alone(dataset, sets, folder, seed, chosen) if mode == "box_supervised" else None
        if run is None:
            second = [trained(sets / "set_BASELINE", sets, folder / "second", seed + 1000, chosen)] if mode == "agreement" else []
            improve(sets, [baseline, *second], mode, number, seed)
            run = trained(sets / f"set_H{number}", sets, folder / mode, seed, chosen)
        scores[mode] = judged(run, dataset / "test")
        told(dataset, seed, mode, scores)
    if chosen.drawn:
        scores["drawn"] = judged(trained(with_drawn(dataset, sets), sets, folder / "drawn", seed, chosen), dataset / "test")
        told(dataset, seed, "drawn", scores)
    for name in [one for one in scores if one != "baseline"]:
        told(dataset, seed, name, scores)


def drawn_of_all(dataset: Path, folder: Path, seed: int) -> str:
    """A file of names, drawn by the seed from all pictures, those that show nothing to find as likely as the others."""
    names = sorted(path.name for path in (dataset / "train" / "images").iterdir())
    listed = folder / "hand.txt"
    folder.mkdir(parents=True, exist_ok=True)
    listed.write_text("\n".join(sorted(np.random.default_rng(seed).choice(names, HAND, replace=False))) + "\n")
    return str(listed)


def improve(sets: Path, models: list[Path], mode: str, number: int, seed: int) -> None:
    """The set of this number, by one mode, unless it is there."""
    if (sets / f"set_H{number}").exists():
        return
    named = dict(zip(("model", "second"), map(str, models), strict=False))
    config = RefineConfig.make(**named, number=number, mode=MODES.get(mode, mode), flips="both", copies=0, train=0.999, seed=seed)
    print(f"  {refine(sets, config)}", flush=True)


def boxes_alone(dataset: Path, sets: Path, folder: Path, seed: int, chosen: argparse.Namespace) -> Path:
    """A network from scratch that saw the boxes of all pictures and no mask but those that validate."""
    place = sets / "set_BOXES"
    if not place.exists():
        shutil.copytree(sets / "set_H1" / "images", place / "images")
        boxes = json.loads((dataset / "train" / "boxes.coco.json").read_text())
        there = {path.stem for path in (place / "images").iterdir()}
        kept = [image for image in boxes["images"] if Path(image["file_name"]).stem in there]
        numbers = {image["id"] for image in kept}
        objects = [one for one in boxes["annotations"] if one["image_id"] in numbers]
        (place / "boxes.coco.json").write_text(json.dumps({**boxes, "images": kept, "annotations": objects}))
    return trained(place, sets, folder / "box_supervised", seed, chosen, loss="box_supervised")


def with_drawn(dataset: Path, sets: Path) -> Path:
    """The first refined set with the drawn masks of all its pictures in place of refined ones."""
    place = sets / "set_DRAWN"
    if not place.exists():
        shutil.copytree(sets / "set_H1", place)
        for mask in (place / "masks").iterdir():
            shutil.copy(dataset / "train" / "masks" / f"{mask.stem}.png", mask)
    return place


def judge_masks(sets: PreparedSets, run: Path, dataset: Path, seed: int) -> None:
    """IoU of improved masks, by mode, with those that were drawn by hand and kept back; of the prediction alone first."""
    predict = flipped(predictor_of(read_trained(run), sets.classes), "both")
    drawn, found = [], []
    for name in sets.weak:
        loaded = load_weak(sets, name)
        found.append(Evidence(predict([loaded.picture])[0], loaded.weak, loaded.picture))
        drawn.append(np.asarray(Image.open(dataset / "train" / "masks" / f"{name}.png").convert("L")) > 127)
    masks = {"prediction": [one.probabilities[0] > 0.5 for one in found]}
    for name in JUDGED:
        mode = build(MODES.get(name, name))
        masks[name] = [mode(one).soft[0] >= 128 for one in found]
    for name, made in masks.items():
        both = np.array([np.count_nonzero(a & b) for a, b in zip(made, drawn, strict=True)])
        either = np.array([np.count_nonzero(a | b) for a, b in zip(made, drawn, strict=True)])
        mean = np.where(either, both / np.maximum(either, 1), 1.0).mean()
        told = f"{mean:.3f} mean over pictures, {both.sum() / either.sum():.3f} over all pixels"
        print(f"  {dataset.name} seed {seed}: masks of {name}: IoU {told}", flush=True)


def trained(set_: Path, sets: Path, folder: Path, seed: int, chosen: argparse.Namespace, **settings: str) -> Path:
    """A network from scratch; with as many steps for all only the masks differ."""
    pictures = len(list((set_ / "images").iterdir()))
    epochs = max(1, round(chosen.steps / -(-pictures // TRAINING["batch_size"]))) if chosen.steps else chosen.epochs
    data = {"validation_dataset": str(sets / "set_BASELINE_VAL"), "cache": str(folder.parent / "cache")}
    config = TrainConfig.make(**{**TRAINING, "epochs": epochs, "seed": seed, "data": data, **settings})
    began = time.perf_counter()
    train(burnish.open(next(set_.glob("*.coco.json"), set_)), config, work=folder)
    print(f"  {folder.name}: {pictures} pictures, {epochs} epochs, {time.perf_counter() - began:.0f} s", flush=True)
    return folder


def judged(run: Path, test: Path) -> np.ndarray:
    """IoU of each test picture, in its own size."""
    predict = predictor_of(read_trained(run), ["object"])
    found = []
    for path in sorted((test / "images").iterdir()):
        mask = np.asarray(Image.open(test / "masks" / f"{path.stem}.png").convert("L")) > 127
        guess = predict([np.asarray(Image.open(path).convert("RGB"))])[0][0] > 0.5
        union = (mask | guess).sum()
        found.append((mask & guess).sum() / union if union else 1.0)
    return np.array(found)


def told(dataset: Path, seed: int, name: str, scores: dict[str, np.ndarray]) -> None:
    """One line: mean IoU, and paired differences to the baseline and to raw boxes with their 95 % intervals."""
    parts = [f"{dataset.name} seed {seed} {name}: IoU {interval(scores[name])}"]
    parts += [
        f"over {other} {interval(scores[name] - scores[other])}" for other in ("baseline", "boxes") if other in scores and other != name
    ]
    print("; ".join(parts), flush=True)
    print(json.dumps({"dataset": dataset.name, "seed": seed, "mode": name, "iou": round(float(scores[name].mean()), 4)}), flush=True)


if __name__ == "__main__":
    main()
