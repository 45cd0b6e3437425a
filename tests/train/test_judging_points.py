"""Judging key points: trained networks against a count point by point, and made-up predictions whose numbers are known."""

import json
import math

import numpy as np
import polars as pl
import pytest
import task_builders as parts

import burnish

torch = pytest.importorskip("torch")
pytest.importorskip("faster_coco_eval")

from burnish.errors import ConfigError, DataError  # noqa: E402
from burnish.media.images import read_image  # noqa: E402
from burnish.metrics.state import merged  # noqa: E402
from burnish.train.evaluate import evaluate  # noqa: E402
from burnish.train.judging.choosing import learnt_sigmas  # noqa: E402
from burnish.train.judging.joining import joined  # noqa: E402
from burnish.train.judging.keypoints import judge as point_judge  # noqa: E402
from burnish.train.policies.examples import gather  # noqa: E402
from burnish.train.policies.keypoints import locate, skeleton_labels  # noqa: E402
from burnish.train.policies.policy import policy_of  # noqa: E402
from burnish.train.policies.settings import DataConfig, EvaluateConfig, TrainConfig  # noqa: E402
from burnish.train.policies.skeletons import given_skeletons, skeletons_of  # noqa: E402
from burnish.train.target import parse_target  # noqa: E402
from burnish.train.train import train  # noqa: E402
from burnish.train.trained import read_trained  # noqa: E402

NETWORK = {"name": "heatmaps", "width": 8, "depth": 3}
HEAD, LEFT, RIGHT, NONE = 0, 1, 2, 3


def trained(folder, *, each, size, epochs):
    dataset = burnish.open(parts.write_figures(folder / "set", 16, seed=1, size=size, each=each))
    chosen = TrainConfig.make(
        network=NETWORK,
        size=64,
        epochs=epochs,
        batch_size=4,
        augs={"strength": "none"},
        optimizer={"lr": 0.01},
        data={"workers": 0, "share": 0.25},
        evaluation={"pictures": 0},
        hardware={"device": "cpu"},
    )
    result = train(dataset, chosen, work=folder / "run")
    result.save(folder / "run")
    return folder / "run"


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory):
    """A network that looks at whole pictures of one figure, far from perfect."""
    return trained(tmp_path_factory.mktemp("whole"), each=1, size=(64, 52), epochs=6)


@pytest.fixture(scope="module")
def parts_run(tmp_path_factory):
    """A network that looks at the parts of pictures around two figures."""
    return trained(tmp_path_factory.mktemp("parts"), each=2, size=(80, 150), epochs=4)


def figures(folder, count=6, *, each=1, seed=7, size=(90, 80), hidden=True):
    """Figures of which some points are not labelled: their coordinates say nothing."""
    dataset = burnish.open(parts.write_figures(folder, count, seed=seed, size=(size[0], size[1] * each), each=each))
    if not hidden:
        return dataset
    rng = np.random.default_rng(seed)
    seen = [[2, *rng.choice([0, 1, 2], 2).tolist()] for _ in range(dataset.annotations.height)]
    return with_columns(dataset, visibility=pl.Series(seen, dtype=pl.List(pl.UInt8)))


def with_columns(dataset, **columns):
    return dataset.with_tables(annotations=dataset.annotations.with_columns(**columns))


def settings(folder, **more):
    return EvaluateConfig.make(model=str(folder), **{"draws": 20, "device": "cpu", "split": "all", **more})


def objects_beside(folder, dataset, evaluation):
    """Of each object the number of its picture, its predicted points, its true points and its box, straight from the tables."""
    network = read_trained(folder, device="cpu")
    pairs = []
    for number, image in enumerate(evaluation.table["image"]):
        rows = dataset.annotations.filter(pl.col("image") == image)
        boxes = rows.select("x1", "y1", "x2", "y2").to_numpy()
        path = dataset.root / evaluation.table["path"][number]
        found = locate(network, [read_image(path)], boxes=[boxes] if network.details["crops"] else None)[0]
        for place, row in enumerate(rows.iter_rows(named=True)):
            pairs.append((number, found[place], np.array(row["points"]).reshape(-1, 2), row["visibility"], boxes[place]))
    return pairs


def counted(pairs, sigma=0.05):
    """The same numbers, point by point."""
    known, errors, shares, heights, alike = [], [], [], [], []
    for _, found, true, seen, box in pairs:
        side, area = max(box[2] - box[0], box[3] - box[1]), (box[2] - box[0]) * (box[3] - box[1])
        near = []
        for point in range(3):
            if seen is None or seen[point]:
                gap = math.dist(found[point, :2], true[point])
                known.append(point)
                errors.append(gap)
                shares.append(gap / side)
                heights.append(found[point, 2])
                near.append(math.exp(-(gap**2) / (2 * area * (2 * sigma) ** 2)))
        alike.append(sum(near) / len(near))
    told = {f"pck_{name}": sum(one <= share for one in shares) / len(shares) for name, share in (("05", 0.05), ("10", 0.1), ("20", 0.2))}
    told |= {"oks": sum(alike) / len(alike), "mean_error": sum(errors) / len(errors), "nme": sum(shares) / len(shares)}
    return {**told, "found": sum(height >= 0.2 for height in heights) / len(heights)}, np.array([known, errors, shares, heights])


@pytest.mark.parametrize("each", [1, 2])
def test_numbers_are_those_of_a_count_point_by_point(whole_run, parts_run, tmp_path, each):
    run = (whole_run, parts_run)[each - 1]
    dataset = figures(tmp_path, each=each)
    evaluation = evaluate(dataset, settings(run))
    told, points = counted(objects_beside(run, dataset, evaluation))
    for name, value in told.items():
        assert evaluation.metrics[name] == pytest.approx(value), name
    assert told["mean_error"] > 0
    for place, row in enumerate(evaluation.classes.iter_rows(named=True)):
        _, errors, shares, heights = points[:, points[0] == place]
        assert row["point"] == parts.POINTS[place]
        assert row["labelled"] == len(errors)
        assert row["found"] == pytest.approx((heights >= 0.2).mean())
        assert row["median_error"] == pytest.approx(np.median(errors))
        assert row["p90_error"] == pytest.approx(np.percentile(errors, 90))
        assert row["nme"] == pytest.approx(shares.mean())
        assert [row["pck_05"], row["pck_10"], row["pck_20"]] == pytest.approx([(shares <= share).mean() for share in (0.05, 0.1, 0.2)])


def test_each_picture_has_its_own_numbers(parts_run, tmp_path):
    dataset = figures(tmp_path, each=2)
    evaluation = evaluate(dataset, settings(parts_run))
    pairs = objects_beside(parts_run, dataset, evaluation)
    for number, row in enumerate(evaluation.table.iter_rows(named=True)):
        told, points = counted([pair for pair in pairs if pair[0] == number])
        assert (row["objects"], row["points"]) == (2, points.shape[1])
        assert row["pck"] == pytest.approx(told["pck_10"])
        assert [row["oks"], row["mean_error"], row["nme"]] == pytest.approx([told["oks"], told["mean_error"], told["nme"]])
        assert row["worst_point"] == parts.POINTS[int(points[0, points[2].argmax()])]


def test_points_that_are_not_labelled_count_nowhere(whole_run, tmp_path):
    dataset = figures(tmp_path)
    moved = [
        [value if seen[place // 2] else -1e4 for place, value in enumerate(points)]
        for points, seen in dataset.annotations.select("points", "visibility").iter_rows()
    ]
    elsewhere = with_columns(dataset, points=pl.Series(moved, dtype=pl.List(pl.Float64)))
    one, other = (evaluate(some, settings(whole_run, pictures=0)) for some in (dataset, elsewhere))
    assert one.metrics == pytest.approx(other.metrics, nan_ok=True)
    assert one.table.equals(other.table)


def test_the_sweep_counts_what_each_confidence_would_leave(whole_run, tmp_path):
    dataset = figures(tmp_path, 10)
    evaluation = evaluate(dataset, settings(whole_run, points={"near": 0.05}))
    _, (_, _, shares, heights) = counted(objects_beside(whole_run, dataset, evaluation))
    swept = evaluation.contestant.figures.sweep
    assert set(swept["point"]) == {"all", *parts.POINTS}
    points = counted(objects_beside(whole_run, dataset, evaluation))[1]
    for row in swept.filter(pl.col("point") == "head").iter_rows(named=True):
        own = points[:, points[0] == HEAD]
        said = own[3] >= row["threshold"]
        hits = np.count_nonzero(said & (own[2] <= 0.05))
        assert row["recall"] == pytest.approx(hits / own.shape[1])
        assert row["precision"] == (pytest.approx(hits / said.sum()) if said.any() else None)
    assert len(shares) == len(heights) == evaluation.classes["labelled"].sum()


def test_intervals_cover_the_numbers(parts_run, tmp_path):
    evaluation = evaluate(figures(tmp_path, 8, each=2), settings(parts_run, draws=100))
    for name in ("oks_ap", "oks_ap_50", "oks_ap_75", "pck_10", "mean_error", "nme", "found"):
        low, high = evaluation.contestant.intervals[name]
        assert low - 1e-9 <= evaluation.metrics[name] <= high + 1e-9, name


def test_two_networks_are_compared_and_everything_is_written(whole_run, parts_run, tmp_path):
    dataset = figures(tmp_path / "set", 5)
    evaluation = evaluate(dataset, settings(whole_run, against=str(parts_run), pictures=3))
    row = evaluation.comparison.metrics.filter(metric="nme").row(0, named=True)
    other = evaluation.comparison.other.figures.metrics["nme"]
    assert row["difference"] == pytest.approx(evaluation.metrics["nme"] - other)
    written = {path.name for path in evaluation.save(tmp_path / "out")}
    assert {"per_picture.csv", "per_point.csv", "sweep.csv", "curves.csv", "comparison.csv", "report.html"} <= written
    assert pl.read_csv(tmp_path / "out" / "per_point.csv")["point"].to_list() == list(parts.POINTS)
    assert set(pl.read_csv(tmp_path / "out" / "curves.csv")["curve"]) == {"pck", "pr"}
    page = (tmp_path / "out" / "report.html").read_text()
    for told in (">Points</h2>", "OKS-AP", "PCK@0.05", "Lines lead from each labelled point", "longer side of the box"):
        assert told in page, told
    verdict = "no difference shown" if row["low"] <= 0 <= row["high"] else "better" if row["high"] < 0 else "worse"
    assert evaluation.comparison.metrics.height == 10
    assert verdict in page


def test_networks_of_other_points_are_not_compared(whole_run, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    for path in ("config.yaml", "best.pt"):
        (other / path).write_bytes((whole_run / path).read_bytes())
    about = json.loads((whole_run / "run.json").read_text())
    (other / "run.json").write_text(json.dumps({**about, "names": ["left_foot", "head", "right_foot"]}))
    with pytest.raises(
        DataError, match=r"finds the points head, left_foot, right_foot; .* left_foot, head, right_foot. Networks are compared"
    ):
        evaluate(figures(tmp_path / "set", 3), settings(whole_run, against=str(other)))


def test_of_several_objects_a_network_of_whole_pictures_misses_all_but_one(whole_run, tmp_path):
    evaluation = evaluate(figures(tmp_path, 3, each=2, hidden=False), settings(whole_run))
    assert any("3 pictures have several objects" in note for note in evaluation.notes)
    assert evaluation.metrics["oks_ar_50"] <= 0.5
    assert evaluation.metrics["found"] <= 0.5
    assert evaluation.table["points"].to_list() == [6, 6, 6]


def test_pictures_without_a_known_point_are_left_out_and_told(whole_run, tmp_path):
    dataset = figures(tmp_path, 4, hidden=False)
    some = dataset.with_tables(annotations=dataset.annotations.filter(pl.col("image") > dataset.annotations["image"].min()))
    evaluation = evaluate(some, settings(whole_run))
    assert evaluation.table.height == 3
    assert any("1 pictures have no skeleton with known points and are left out" in note for note in evaluation.notes)


def test_points_are_matched_by_their_names(whole_run, tmp_path):
    dataset = figures(tmp_path, 4)
    turned = [
        ([*points[2:6], *points[:2]], [*seen[1:], seen[0]])
        for points, seen in dataset.annotations.select("points", "visibility").iter_rows()
    ]
    layout = '{"points": ["left_foot", "right_foot", "head"], "edges": [[2, 0], [2, 1]]}'
    other = with_columns(
        dataset,
        points=pl.Series([one for one, _ in turned], dtype=pl.List(pl.Float64)),
        visibility=pl.Series([one for _, one in turned], dtype=pl.List(pl.UInt8)),
    ).with_tables(classes=dataset.classes.with_columns(skeleton=pl.lit(layout)))
    one, same = (evaluate(some, settings(whole_run, pictures=0)) for some in (dataset, other))
    assert one.metrics == pytest.approx(same.metrics, nan_ok=True)
    strange = other.with_tables(classes=other.classes.with_columns(skeleton=pl.lit(layout.replace("head", "hat"))))
    with pytest.raises(
        DataError, match="finds the points head, left_foot, right_foot; the dataset's skeletons have left_foot, right_foot, hat"
    ):
        evaluate(strange, settings(whole_run))


def test_the_report_of_a_training_ranks_its_pictures(whole_run, parts_run):
    for run in (whole_run, parts_run):
        page = (run / "report.html").read_text()
        assert ">Mistakes</h2>" in page
        assert "Not judged" not in page


def test_sigmas_are_those_of_the_training_unless_others_are_named(whole_run, tmp_path):
    dataset = figures(tmp_path, 4)
    usual, strict = (evaluate(dataset, settings(whole_run, pictures=0, points={"sigmas": sigmas})) for sigmas in (None, (0.01, 0.01, 0.01)))
    assert strict.metrics["oks"] < usual.metrics["oks"]
    with pytest.raises(ConfigError, match="There are 2 sigmas, but the network finds 3 points: head, left_foot, right_foot"):
        evaluate(dataset, settings(whole_run, points={"sigmas": (0.1, 0.1)}))
    metrics = [{"name": "oks_ap", "sigmas": [0.1, 0.2, 0.3]}]
    assert learnt_sigmas(TrainConfig.make(evaluation={"metrics": metrics})) == (0.1, 0.2, 0.3)


@pytest.fixture
def made_up(whole_run, tmp_path):
    """A judge of four pictures of two figures each, without a network, and the true points of each."""
    dataset = figures(tmp_path, 4, each=2, hidden=False)
    policy = policy_of(gather(dataset, "keypoints", DataConfig(), to_learn=False))
    judge = point_judge(read_trained(whole_run, device="cpu"), policy, EvaluateConfig())
    true = [np.stack([one.points for one in skeletons_of(policy.pictures, row)]) for row in range(4)]
    return judge, [np.concatenate([one[..., :2], np.full((2, 3, 1), 0.9)], axis=2) for one in true]


def test_true_points_have_perfect_numbers(made_up):
    judge, true = made_up
    for row, points in enumerate(true):
        judge.add_points(row, points)
    figures_ = judge.figures(None)
    for name in ("oks_ap", "oks_ap_50", "oks_ap_75", "oks", "pck_05", "pck_10", "pck_20", "found"):
        assert figures_.metrics[name] == pytest.approx(1), name
    assert figures_.metrics["mean_error"] == pytest.approx(0)
    assert figures_.classes["average_precision"].to_list() == pytest.approx([1, 1, 1])
    np.testing.assert_array_equal(figures_.confusion.counts, np.diag([8, 8, 8, 0]))


@pytest.mark.parametrize("seed", range(4))
def test_the_precision_that_intervals_are_drawn_from_is_cocos(made_up, seed):
    judge, true = made_up
    rng = np.random.default_rng(seed)
    for row, points in enumerate(true):
        said = points + np.append(rng.normal(0, rng.uniform(0, 6), (2, 3, 2)), np.zeros((2, 3, 1)), axis=2)
        said[..., 2] = rng.uniform(0, 1, (2, 3))
        judge.add_points(row, said[rng.permutation(2)][: rng.integers(1, 3)] if row % 2 else said)
    ours, cocos = judge.statistics()(np.ones(4, np.int64)), judge.coco.result(merged(judge.states))
    for name in ("oks_ap", "oks_ap_50", "oks_ap_75"):
        assert ours[name] == pytest.approx(cocos[name]), name


def test_doubled_pictures_weigh_as_if_they_were_there_twice(made_up):
    judge, true = made_up
    rng = np.random.default_rng(5)
    said = [points + np.append(rng.normal(0, 3, (2, 3, 2)), rng.uniform(-0.5, 0, (2, 3, 1)), axis=2) for points in true]
    for row, points in enumerate(said):
        judge.add_points(row, points)
    weighted = judge.statistics()(np.array([2, 1, 0, 1]))
    other = point_judge(judge.trained, policy_of(judge.examples), judge.config)
    for row in (0, 0, 1, 3):
        other.add_points(row, said[row])
    assert other.statistics()(np.ones(4, np.int64)) == pytest.approx(weighted)


def test_exchanged_feet_stand_in_the_confusion_and_lead_to_their_picture(made_up):
    judge, true = made_up
    swapped, lost = true[1].copy(), true[2].copy()
    swapped[0, [LEFT, RIGHT], :2] = swapped[0, [RIGHT, LEFT], :2]
    lost[1, HEAD, 2] = 0.05
    lost[0, LEFT, :2] += 500
    for row, points in enumerate((true[0], swapped, lost)):
        judge.add_points(row, points)
    found = judge.figures(None)
    np.testing.assert_array_equal(found.confusion.counts, [[5, 0, 0, 1], [0, 4, 1, 0], [0, 1, 5, 0], [0, 1, 0, 0]])
    assert found.confusion.pictures == {(LEFT, RIGHT): [1], (RIGHT, LEFT): [1], (HEAD, NONE): [2], (NONE, LEFT): [2]}
    assert found.pictures["predicted"].to_list()[0] == ""
    assert (found.confusion.given[NONE], found.confusion.predicted[NONE]) == ("elsewhere", "not found")


def test_the_best_confidence_follows_the_target(made_up):
    judge, true = made_up
    unsure = true[0].copy()
    unsure[..., :2] += 300
    unsure[..., 2] = 0.42
    judge.add_points(0, unsure)
    judge.add_points(1, true[1])
    swept = judge.figures(parse_target("max precision")).sweep.filter(pl.col("point") == "all")
    assert swept.filter("best")["threshold"].to_list() == [0.45]
    assert swept.filter("best")["precision"].to_list() == [1.0]
    assert swept["precision"][0] == pytest.approx(0.5)


def test_lines_join_labelled_points_with_predicted_ones(made_up):
    judge, true = made_up
    skeletons = skeletons_of(judge.examples, 0)
    given = given_skeletons(skeletons, (160, 90))
    said = true[0] + [3.0, 0, 0]
    said[1, HEAD, 2] = 0.0
    both = joined(given, skeleton_labels(said[::-1][1:], (160, 90)))
    lines = [points for points, kind in zip(both.points, both.kinds, strict=True) if kind == "polyline"]
    assert both.kinds.count("skeleton") == 1
    assert len(lines) == 3
    for line, point in zip(lines, skeletons[0].points, strict=True):
        np.testing.assert_allclose(line, [point[:2], [point[0] + 3, point[1]]])
    assert joined(given, skeleton_labels(said, (160, 90))).kinds.count("polyline") == 5
