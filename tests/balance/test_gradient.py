"""The optimiser of copybal: as it was, and mended."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from incidence_builders import GOLDEN, SUPERCLASSES, golden, long_tail

from burnish.balance.gradient import COLUMNS, GradientLimits, descend_rounded
from burnish.balance.incidence import incidence_from_lists
from burnish.balance.problem import four_variances, measured

pytest.importorskip("torch")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def described_descent():
    """The algorithm as its description has it, object by object."""
    spec = importlib.util.spec_from_file_location("copybal_descent", ROOT / "benchmarks" / "copybal_descent.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.described_descent


def random_lists(seed, files=30):
    rng = np.random.default_rng(seed)
    sizes = {"a": 25, "b": 6, "c": 3, "d": 1}
    lists = {name: [rng.choice(files, size=rng.integers(1, 4)).tolist() for _ in range(size)] for name, size in sizes.items()}
    return lists, {"X": {"a", "b"}, "Y": {"c", "d"}}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("lr", [1e-2, 3e-2])
@pytest.mark.parametrize("budget", [None, 1.6])
def test_as_it_was_it_goes_the_way_of_the_algorithm_as_described(described_descent, seed, lr, budget):
    lists, superclasses = random_lists(seed)
    expected, losses = described_descent(30, lists, superclasses, steps=40, lr=lr, max_copies=9, budget=budget)
    limits = GradientLimits(steps=40, lr=lr, max_copies=9, budget=budget, as_was=True)
    incidence = incidence_from_lists(lists, superclasses, [str(n) for n in range(30)])
    copies, history = descend_rounded(incidence, limits, device="cpu")
    assert copies.tolist() == expected
    terms = ["loss", "files_counter_loss", "object_loss", "class_loss", "superclass_loss"]
    assert history.select(terms).to_numpy() == pytest.approx(np.array(losses), rel=1e-9)


def test_as_it_was_it_does_nothing_on_small_sets_and_mended_it_does():
    incidence = long_tail(200, 8, superclasses=3)
    was, _ = descend_rounded(incidence, GradientLimits(as_was=True), device="cpu")
    now, _ = descend_rounded(incidence, GradientLimits(budget=2.0, max_copies=10), device="cpu")
    assert (was == 1).all()
    objective = four_variances(incidence)
    assert objective.value(now.astype(float)) < 0.9 * objective.value(was.astype(float))
    assert measured(incidence, now)["class_cv"] < measured(incidence, was)["class_cv"]


@pytest.mark.parametrize(("budget", "copies"), [(1.1, 3), (1.5, 20), (3.0, 2)])
def test_the_limits_are_never_exceeded(budget, copies):
    found, _ = descend_rounded(long_tail(100, 6), GradientLimits(budget=budget, max_copies=copies, lr=1.0), device="cpu")
    assert found.sum() <= budget * 100
    assert 1 <= found.min() <= found.max() <= copies


def test_the_history_has_its_columns_and_tells_what_was_before_each_step(tmp_path):
    path = tmp_path / "history.csv"
    _, history = descend_rounded(golden(), GradientLimits(budget=2.0), device="cpu", history_file=path)
    assert history.columns == list(COLUMNS)
    first = history.row(0, named=True)
    assert (first["class_loss"], first["superclass_loss"], first["files_counter_loss"]) == (2, 2, 0)
    assert first["object_loss"] == pytest.approx(0.2777778)
    assert (first["grad_argmin"], first["min_grad"], first["ds_frac"], first["num_bal_files_frac"]) == (0, 3, 1, 0)
    assert path.read_text("utf-8").splitlines()[0] == ",".join(COLUMNS)


def test_control_c_keeps_what_was_reached():
    def stop(_):
        raise KeyboardInterrupt

    copies, history = descend_rounded(golden(), GradientLimits(), device="cpu", advance=stop)
    assert len(copies) == 6
    assert history.height == 1


@pytest.mark.parametrize(
    ("lists", "superclasses"), [({"a": [[0]]}, {"X": {"a"}}), ({"a": [[0], [1]]}, {"X": {"a"}}), (GOLDEN, SUPERCLASSES)]
)
def test_a_single_class_or_object_is_no_error(lists, superclasses):
    copies, _ = descend_rounded(incidence_from_lists(lists, superclasses, list("012345")), GradientLimits(budget=2.0), device="cpu")
    assert copies.min() == 1
