"""label_issues beside cleanlab: how fast, how much memory, how good.

    python benchmarks/label_issues.py speed [--rows 1000000] [--classes 100]
    python benchmarks/label_issues.py ranking --predictions DIR

`speed` runs each side in a process of its own on the same made-up predictions, read from a file, and reports seconds and the peak of the
resident memory above what the process held with libraries and input loaded. `ranking` reads every folder below DIR that holds
`noisy_labels.npy`, `pred_probs.npy` and `true_labels.npy` (for instance `src/experiments` of
https://github.com/cleanlab/label-error-detection-benchmarks) and prints one row for each.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

MIB = 1 << 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    speed = commands.add_parser("speed")
    speed.add_argument("--rows", type=int, default=1_000_000)
    speed.add_argument("--classes", type=int, default=100)
    ranking = commands.add_parser("ranking")
    ranking.add_argument("--predictions", type=Path, required=True)
    child = commands.add_parser("child")
    child.add_argument("side", choices=["burnish", "cleanlab"])
    child.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "speed":
        compare_speed(arguments.rows, arguments.classes)
    elif arguments.command == "ranking":
        compare_ranking(arguments.predictions)
    else:
        run_side(arguments.side, arguments.folder)


def compare_speed(rows: int, classes: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_predictions(folder, rows, classes)
        size = rows * classes * 4 / MIB
        print(f"{rows:,} x {classes} float32, {size:.0f} MiB\n")
        print("| side | seconds | processor seconds | peak above start (MiB) | total peak / input | flagged |")
        print("| --- | --- | --- | --- | --- | --- |")
        for side in ("burnish", "cleanlab"):
            command = [sys.executable, __file__, "child", side, name]
            result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
            result["total"] = (result["peak_mib"] + size) / size
            print("| {side} | {seconds:.1f} | {used:.1f} | {peak_mib:.0f} | {total:.2f} | {flagged:,} |".format(side=side, **result))


def make_predictions(folder: Path, rows: int, classes: int) -> None:
    """A calibrated model that is right about 85 times in 100, and labels of which one in ten was exchanged."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, classes, rows)
    given = np.where(rng.random(rows) < 0.1, rng.integers(0, classes, rows), truth)
    probabilities = np.lib.format.open_memmap(folder / "probabilities.npy", "w+", np.float32, (rows, classes))
    for start in range(0, rows, 20_000):
        part = truth[start : start + 20_000]
        logits = rng.normal(0, 1.5, (len(part), classes)).astype(np.float32)
        logits[np.arange(len(part)), part] += 5.5
        exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities[start : start + 20_000] = exponents / exponents.sum(axis=1, keepdims=True)
    probabilities.flush()
    np.save(folder / "labels.npy", given)


def run_side(side: str, folder: Path) -> None:
    labels, probabilities = np.load(folder / "labels.npy"), np.load(folder / "probabilities.npy")
    judge = judge_of(side)
    judge(labels[:2000] % 5, np.full((2000, 5), 0.2, dtype=np.float32))  # the first call of a library loads its parts
    before = resident()
    peak = Peak()
    start, used = time.perf_counter(), processor_seconds()
    flagged = judge(labels, probabilities)
    seconds = time.perf_counter() - start
    used = processor_seconds() - used
    print(json.dumps({"seconds": seconds, "used": used, "peak_mib": (peak.stop() - before) / MIB, "flagged": int(flagged)}))


def processor_seconds() -> float:
    """Processor time of this process and its ended children; unlike the clock it hardly feels what else the machine does."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def judge_of(side: str):
    if side == "burnish":
        from burnish.audit.label_issues import label_issues

        return lambda labels, probabilities: label_issues(labels, probabilities)["is_issue"].sum()
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    def judge(labels, probabilities):
        flags = find_label_issues(labels, probabilities)
        get_label_quality_scores(labels, probabilities)
        return flags.sum()

    return judge


class Peak:
    """The largest resident memory of this process, looked at every 5 ms; worker processes are left out, in favour of who has them."""

    def __init__(self) -> None:
        self.most, self.going = resident(), True
        self.watch = threading.Thread(target=self.look)
        self.watch.start()

    def look(self) -> None:
        """Watch until told to stop."""
        while self.going:
            self.most = max(self.most, resident())
            time.sleep(0.005)

    def stop(self) -> int:
        """End the watch; the most that was seen, in bytes."""
        self.going = False
        self.watch.join()
        return max(self.most, resident())


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def compare_ranking(root: Path) -> None:
    from cleanlab.filter import find_label_issues

    from burnish.audit.confident import label_quality
    from burnish.audit.label_issues import label_issues
    from burnish.metrics.ranking import average_precision, best_f1, f1

    print("| set | wrong | AP burnish | AP self-confidence | AP margin | F1 burnish | F1 cleanlab | F1 prediction differs | F1 best cut |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    rows = []
    for folder in sorted(path.parent for path in root.rglob("noisy_labels.npy")):
        given, truth = (np.load(folder / f"{name}.npy").astype(np.int64) for name in ("noisy_labels", "true_labels"))
        probabilities = np.load(folder / "pred_probs.npy")
        wrong = given != truth
        found = label_issues(given, probabilities)
        score = found["score"].to_numpy()
        row = [
            wrong.mean(),
            average_precision(score, wrong),
            average_precision(1 - label_quality(given, probabilities), wrong),
            average_precision(1 - label_quality(given, probabilities, "normalized_margin"), wrong),
            f1(found["is_issue"].to_numpy(), wrong),
            f1(find_label_issues(given, probabilities, n_jobs=1), wrong),
            f1(probabilities.argmax(axis=1) != given, wrong),
            best_f1(score, wrong),
        ]
        rows.append(row)
        print(f"| {folder.relative_to(root)} | " + " | ".join(f"{value:.4f}" for value in row) + " |")
    table = np.array(rows)
    gap = table[:, 4] - table[:, 5:7].max(axis=1)
    print("| mean | " + " | ".join(f"{value:.4f}" for value in table.mean(axis=0)) + " |\n")
    print(f"AP above self-confidence in {(table[:, 1] > table[:, 2]).sum()} of {len(table)}.")
    print(
        f"F1 at or above the better of the two rules in {(gap >= 0).sum()} of {len(table)}, worst {gap.min():+.4f}, mean {gap.mean():+.4f}."
    )


if __name__ == "__main__":
    main()
