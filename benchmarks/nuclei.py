"""Nuclei from scratch: a small U-Net on 60 pictures, ten minutes on two cores, judged on the 20 test pictures in their own size.

python benchmarks/nuclei.py DATASET [--seeds 3] [--work runs/nuclei-benchmark]

DATASET is a folder with train/ and test/, each with images/ and masks/. One training is the command

    burnish train DATASET -c benchmarks/nuclei.yaml --seed N --out WORK/N

and its number `burnish evaluate DATASET --model WORK/N --flips`.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import burnish
from burnish.config import load
from burnish.train.evaluate import evaluate
from burnish.train.policies.settings import EvaluateConfig, TrainConfig
from burnish.train.train import train


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path("runs/nuclei-benchmark"))
    chosen = parser.parse_args()
    dataset = burnish.open(chosen.dataset)
    found = []
    for seed in range(chosen.seeds):
        began, spent = time.perf_counter(), processor_seconds()
        config = load(TrainConfig, Path(__file__).with_suffix(".yaml"), [f"seed={seed}", f"data.cache={chosen.work / 'cache'}"])
        train(dataset, config, work=chosen.work / str(seed))
        seconds, busy = time.perf_counter() - began, processor_seconds() - spent
        judged = evaluate(dataset, EvaluateConfig(model=str(chosen.work / str(seed)), flips=True))
        metrics = judged.metrics
        found.append(metrics["iou_dataset"])
        told = f"iou_dataset {metrics['iou_dataset']:.4f}, iou_image {metrics['iou_image']:.4f}"
        print(f"seed {seed}: {told}; {seconds:.0f} s by the clock, {busy:.0f} s of the processor", flush=True)
    print(f"mean iou_dataset of {len(found)} seeds: {sum(found) / len(found):.4f}")


def processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
