"""Balancing by repetition: gaps to the proven bound, others at equal size, speed, the algorithm that it replaces, training.

Run: python benchmarks/balance.py [gap | others | speed | copybal | training]     all of them when none is named

BCCD is looked for in ../shared/data/bccd, beside the checkout.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BCCD = HERE.parents[1] / "shared" / "data" / "bccd"
BUDGETS = (1.2, 2.0, 5.0)


def bccd():
    import burnish
    from burnish.balance.incidence import incidence_of

    return incidence_of(burnish.open(BCCD))


def long_tail(pictures, classes, seed=0, power=1.2, mean=4.0):
    """Pictures with 1 + Poisson(4) objects whose classes follow a power law; superclasses of ten classes each."""
    import numpy as np
    import polars as pl

    from burnish.balance.incidence import Incidence, picture_files

    rng = np.random.default_rng(seed)
    chance = np.arange(1, classes + 1) ** -power
    held = rng.poisson(mean, pictures) + 1
    drawn = rng.choice(classes, size=held.sum(), p=chance / chance.sum())
    drawn[:classes] = np.arange(classes)
    views = {"object": np.arange(len(drawn)), "class": drawn.astype(np.int32), "picture": np.repeat(np.arange(pictures), held)}
    table = picture_files([f"{number}.jpg" for number in range(pictures)])
    above = np.arange(classes) // 10
    names = tuple(f"super {n}" for n in range(above.max() + 1))
    return Incidence(table, pl.DataFrame(views), tuple(f"class {n}" for n in range(classes)), names, above)


def sets():
    if BCCD.is_dir():
        yield "BCCD, train", bccd()
    yield "long tail 5,000 x 60", long_tail(5_000, 60)
    for pictures, classes in ((1_000, 20), (10_000, 50), (100_000, 100)):
        yield f"generated {pictures:,} x {classes}", long_tail(pictures, classes, seed=pictures)


def gap():
    from burnish.balance.balance import solved
    from burnish.balance.settings import BalanceConfig

    print("## Gap to the proven bound\n\n| set | objective | budget | one copy each | plan | bound | gap |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    gaps = []
    for name, incidence in sets():
        for objective in ("cv", "ratio", "variance"):
            for budget in BUDGETS:
                found = solved(incidence, BalanceConfig(objective=objective, budget=budget))
                gaps.append(found.gap)
                numbers = f"{found.start:.6g} | {found.value:.6g} | {found.bound:.6g} | {found.gap:.2e}"
                print(f"| {name} | {objective} | {budget} | {numbers} |", flush=True)
    print(f"\nMedian {statistics.median(gaps):.2e}, largest {max(gaps):.2e}, of {len(gaps)}.\n")


def others():
    from burnish.balance.balance import solved
    from burnish.balance.baselines import NAMES, baseline_copies
    from burnish.balance.problem import measured
    from burnish.balance.settings import BalanceConfig, WeightsConfig

    print("## Beside others at equal size\n\n| set | size | metric | as it is | burnish | RFS | IRFS | inverse frequency |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    worse = compared = 0
    for name, incidence in sets():
        for budget in (1.2, 1.5, 2.0):
            for objective, metric in (("ratio", "ratio"), ("cv", "class_cv")):
                reached = {}
                for key in NAMES:
                    copies = baseline_copies(incidence, key, int(budget * len(incidence)), max_copies=20)
                    reached[key] = (measured(incidence, copies)[metric], int(copies.sum()))
                smallest = min(samples for _, samples in reached.values())
                config = BalanceConfig(
                    objective=objective, budget=smallest / len(incidence) + 1e-12, weights=WeightsConfig(superclasses=0.0)
                )
                ours = measured(incidence, solved(incidence, config).copies)[metric]
                before = measured(incidence, [1] * len(incidence))[metric]
                compared += len(reached)
                worse += sum(ours > value + 1e-9 for value, _ in reached.values())
                row = " | ".join(f"{value:.4g}" for value in (before, ours, *(value for value, _ in reached.values())))
                print(f"| {name} | {budget} | {metric} | {row} |", flush=True)
    print(f"\nWorse than another in {worse} of {compared} comparisons.\n")


def speed():
    print("## Speed\n\nFrom a dataset in memory to the plan with its proof, in a fresh process.\n")
    print("| pictures x classes | objective | wall s | processor s | peak MiB | gap |\n| --- | --- | --- | --- | --- | --- |")
    for pictures, classes, objective in ((100_000, 100, "cv"), (100_000, 100, "ratio"), (1_000_000, 1_000, "cv")):
        for _ in range(2):
            arguments = [sys.executable, __file__, "--speed", str(pictures), str(classes), objective]
            done = subprocess.run(arguments, check=True, capture_output=True, text=True)
            print(f"| {pictures:,} x {classes:,} | {objective} | {done.stdout.strip()} |", flush=True)
    print()


def speed_once(pictures, classes, objective):
    import numpy as np
    import polars as pl

    from burnish.balance.balance import balance
    from burnish.balance.settings import BalanceConfig
    from burnish.data.dataset import make_dataset

    incidence = long_tail(pictures, classes)
    ids = np.arange(pictures)
    views = incidence.views
    dataset = make_dataset(
        HERE,
        media=pl.DataFrame({"id": ids, "path": incidence.pictures["path"]}),
        images=pl.DataFrame({"id": ids, "media": ids}),
        annotations=views.select(id="object", image="picture", **{"class": "class"}).with_columns(kind=pl.lit("box")),
        classes=pl.DataFrame({"id": range(classes), "name": incidence.classes}),
    )
    del incidence, views
    began, cpu = time.perf_counter(), time.process_time()
    result = balance(dataset, BalanceConfig(objective=objective))
    spent, used = time.perf_counter() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{spent:.1f} | {used:.1f} | {peak:.0f} | {result.outcome.gap:.1e}")


def copybal(pictures=3_000, steps=3):
    """The algorithm object by object, ours vectorised, and the solver, on one set."""
    import numpy as np
    from copybal_descent import described_descent

    from burnish.balance.balance import solved
    from burnish.balance.gradient import GradientLimits, descend_rounded
    from burnish.balance.incidence import incidence_from_lists
    from burnish.balance.problem import four_variances
    from burnish.balance.settings import BalanceConfig

    incidence = long_tail(pictures, 8, power=2.0, mean=2.0)
    lists = {name: [] for name in incidence.classes}
    for number, picture in incidence.views.select("class", "picture").iter_rows():
        lists[incidence.classes[number]].append([picture])
    superclasses = {"A": set(incidence.classes[:3]), "B": set(incidence.classes[3:6]), "C": set(incidence.classes[6:])}
    incidence = incidence_from_lists(lists, superclasses, incidence.pictures["path"].to_list())
    objective = four_variances(incidence)
    began = time.perf_counter()
    _, losses = described_descent(pictures, lists, superclasses, steps=steps, lr=1e-4, max_copies=500, budget=4)
    each = (time.perf_counter() - began) / len(losses)
    as_was = GradientLimits(steps=10_000, max_copies=500, budget=4, as_was=True)
    began = time.perf_counter()
    copies, history = descend_rounded(incidence, as_was, device="cpu")
    whole = time.perf_counter() - began
    ours = whole / history.height
    reached = objective.value(copies.astype(float))
    began = time.perf_counter()
    found = solved(incidence, BalanceConfig(objective="variance", budget=4, max_copies=500))
    solving = time.perf_counter() - began
    print(f"## The algorithm that it replaces, {pictures:,} pictures, {incidence.views.height:,} objects\n")
    print("| what | s a step | steps | s in all | the four variances reached |\n| --- | --- | --- | --- | --- |")
    start = objective.value(np.ones(pictures))
    described = f"| object by object, as described (s in all from {len(losses)} steps) | {each:.3f} | {history.height}"
    print(f"{described} | {each * history.height:.1f} | {reached:.5g} |")
    print(f"| solver torch, as it was | {ours:.6f} | {history.height} | {whole:.3f} | {reached:.5g} |")
    print(f"| solver burnish | | | {solving:.3f} | {found.value:.5g} |")
    times = each * history.height / solving
    print(f"\nOne copy each: {start:.5g}. A step takes {each / ours:,.0f} times less; its end is passed in 1/{times:,.0f} of the time.\n")


def crops(split, side=32):
    """Boxes of one split of BCCD, cut out and scaled: pictures, class numbers."""
    import numpy as np
    from PIL import Image

    import burnish

    dataset = burnish.open(BCCD)
    images = dict(dataset.images.filter(split=split).select("id", "media").iter_rows())
    paths = dict(dataset.media.select("id", "path").iter_rows())
    pictures, labels = [], []
    for labelled in dataset.iter_labels():
        if labelled.image not in images:
            continue
        with Image.open(BCCD / paths[images[labelled.image]]) as photo:
            for box, number in zip(labelled.boxes, labelled.classes, strict=True):
                if box[2] - box[0] >= 4 and box[3] - box[1] >= 4:
                    pictures.append(np.asarray(photo.convert("RGB").crop(tuple(box.tolist())).resize((side, side))))
                    labels.append(int(number))
    return np.stack(pictures), np.array(labels), tuple(dataset.classes["name"])


def plan_of_crops(labels, names, budget):
    from burnish.balance.balance import solved
    from burnish.balance.incidence import incidence_from_lists
    from burnish.balance.settings import BalanceConfig

    lists = {name: [[int(row)] for row in (labels == number).nonzero()[0]] for number, name in enumerate(names)}
    incidence = incidence_from_lists(lists, {}, [str(row) for row in range(len(labels))])
    return solved(incidence, BalanceConfig(budget=budget, max_copies=20)).copies


def training(steps=250, batch=32):
    """A small network on cut-out cells, the same number of steps with and without the plan."""
    import numpy as np

    train, labels, names = crops("train")
    test, truth, _ = crops("val")
    plans = {"as it is": np.ones(len(labels), dtype=np.int64), "with the plan": plan_of_crops(labels, names, 3.0)}
    print(f"## Does it help: {len(labels):,} cut-out cells of BCCD, {steps} steps of {batch}, tested on {len(truth):,}\n")
    print(
        "| training set | seed | "
        + " | ".join(f"recall {name}" for name in names)
        + " | balanced accuracy |\n| --- | --- | --- | --- | --- | --- |"
    )
    for name, copies in plans.items():
        for number in range(3):
            recalls = trained(train, labels, test, truth, np.repeat(np.arange(len(labels)), copies), steps=steps, batch=batch, seed=number)
            row = " | ".join(f"{recall:.3f}" for recall in (*recalls, np.mean(recalls)))
            print(f"| {name} | {number} | {row} |", flush=True)
    print()


def trained(train, labels, test, truth, rows, *, steps, batch, seed):
    """Recall of each class on the test crops."""
    import numpy as np
    import torch

    from burnish.models.small_net import build_small_net

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    classes = int(truth.max()) + 1
    net = build_small_net(classes, train.shape[1:3], width=8)
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3)

    def batch_of(pictures):
        return torch.as_tensor(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1

    net.train()
    for _ in range(steps):
        chosen = rows[rng.integers(0, len(rows), batch)]
        loss = torch.nn.functional.cross_entropy(net(batch_of(train[chosen])), torch.as_tensor(labels[chosen]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    net.eval()
    with torch.no_grad():
        told = np.concatenate([net(batch_of(part)).argmax(1).numpy() for part in np.array_split(test, 20)])
    return [float((told[truth == number] == number).mean()) for number in range(classes)]


JOBS = {"gap": gap, "others": others, "speed": speed, "copybal": copybal, "training": training}


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] == "--speed":
        speed_once(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
    else:
        for job in sys.argv[1:] or JOBS:
            JOBS[job]()
