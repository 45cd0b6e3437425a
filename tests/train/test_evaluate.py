"""Evaluating trained networks: against brute force, against another network, and on datasets that do not fit."""

import json
import math
import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

torch = pytest.importorskip("torch")

from burnish.data.dataset import make_dataset  # noqa: E402
from burnish.errors import ConfigError, DataError  # noqa: E402
from burnish.media.images import read_image  # noqa: E402
from burnish.metrics.metric import build  # noqa: E402
from burnish.metrics.ranking import auroc  # noqa: E402
from burnish.train.evaluate import evaluate  # noqa: E402
from burnish.train.evaluation_page import evaluation_page  # noqa: E402
from burnish.train.policies import classification, segmentation  # noqa: E402
from burnish.train.policies.settings import EvaluateConfig  # noqa: E402
from burnish.train.trained import read_trained  # noqa: E402

QUICK = {"draws": 40, "device": "cpu"}


def settings(folder, **more):
    return EvaluateConfig.make(model=str(folder), **{**QUICK, **more})


def renamed(dataset, names):
    classes = dataset.classes.with_columns(pl.Series("name", names))
    return rebuilt(dataset, classes=classes)


def rebuilt(dataset, **tables):
    known = {name: getattr(dataset, name) for name in ("media", "images", "annotations", "classes")}
    return make_dataset(dataset.root, origin=dataset.origin, **{**known, **tables})


def maps_and_masks(run, evaluation):
    """Probability maps of all evaluated pictures at once, and the masks (h, w) that the dataset draws."""
    _, folder, result = run
    trained = read_trained(folder, device="cpu")
    pairs = []
    for row in evaluation.contestant.figures.pictures["row"]:
        picture = read_image(evaluation.chosen.examples.paths[row])
        pairs.append((segmentation.probability_maps(trained, [picture])[0], result.policy.mask(row)))
    return pairs


@pytest.fixture(scope="module")
def of_masks(mask_run):
    dataset, folder, _ = mask_run
    return evaluate(dataset, settings(folder))


def test_dataset_numbers_equal_those_of_the_metric_that_sees_all_pixels_at_once(mask_run, of_masks):
    pairs = maps_and_masks(mask_run, of_masks)
    found = np.concatenate([maps.ravel() for maps, _ in pairs])
    given = np.concatenate([mask.ravel() for _, mask in pairs])
    for name in ("iou", "dice", "precision", "recall"):
        metric = build({"name": name, "mode": "binary", "ignore_index": 255})
        expected = metric.result(metric.measure(found[None], given[None]))
        assert of_masks.metrics[f"{name}_dataset"] == expected[f"{name}_dataset"]


def test_numbers_of_several_classes_equal_those_of_the_metric_that_sees_all_pixels_at_once(two_class_run):
    dataset, folder, _ = two_class_run
    evaluation = evaluate(dataset, settings(folder, split="all"))
    pairs = maps_and_masks(two_class_run, evaluation)
    found = np.concatenate([maps.reshape(3, -1) for maps, _ in pairs], axis=1)
    given = np.concatenate([mask.ravel() for _, mask in pairs])
    metric = build({"name": "iou", "per_class": True, "class_names": ("background", "cell", "debris")})
    expected = metric.result(metric.measure(found[None], given[None]))
    assert evaluation.metrics["iou_dataset"] == expected["iou_dataset"]
    told = evaluation.classes["iou"].to_list()
    assert told == [expected[f"iou_dataset/{name}"] for name in ("background", "cell", "debris")]
    confusion = evaluation.contestant.figures.confusion
    brute = np.zeros((3, 3), np.int64)
    np.add.at(brute, (given, found.argmax(0)), 1)
    np.testing.assert_array_equal(confusion.counts, brute)


def test_each_picture_has_its_own_iou_and_outline_distance(mask_run, of_masks):
    for (maps, mask), row in zip(maps_and_masks(mask_run, of_masks), of_masks.table.iter_rows(named=True), strict=True):
        decided, given = maps[0] > 0.5, mask == 1
        both = np.count_nonzero(decided | given)
        assert row["iou"] == pytest.approx(np.count_nonzero(decided & given) / both)
        metric = build({"name": "surfaces", "mode": "binary"})
        assert row["hd95"] == pytest.approx(metric.result(metric.measure(decided[None], given[None]))["hd95"])


def test_the_sweep_counts_exactly_at_every_threshold(mask_run, of_masks):
    pairs = maps_and_masks(mask_run, of_masks)
    found = np.concatenate([maps.ravel() for maps, _ in pairs])
    given = np.concatenate([mask.ravel() for _, mask in pairs])
    swept = of_masks.contestant.figures.sweep
    assert swept["threshold"].to_list() == pytest.approx([step / 100 for step in range(5, 96, 5)])
    for row in swept.iter_rows(named=True):
        metric = build({"name": "iou", "mode": "binary", "threshold": row["threshold"]})
        expected = metric.result(metric.measure(found[None], given[None]))["iou_dataset"]
        assert row["iou"] == pytest.approx(expected, nan_ok=True, abs=0)
    best = swept.filter("best").row(0, named=True)
    assert best["iou"] == swept["iou"].max()


def test_the_area_under_the_roc_curve_of_pixels_is_that_of_their_ranking(mask_run, of_masks):
    pairs = maps_and_masks(mask_run, of_masks)
    found = np.concatenate([maps.ravel() for maps, _ in pairs])
    given = np.concatenate([mask.ravel() for _, mask in pairs])
    assert of_masks.metrics["auroc"] == pytest.approx(auroc(found, given == 1), abs=0.01)


def test_the_test_part_is_measured_unless_another_is_named(mask_run, of_masks):
    dataset, folder, _ = mask_run
    assert of_masks.table["split"].to_list() == ["test"] * 4
    assert evaluate(dataset, settings(folder, split="val", draws=0)).table["split"].to_list() == ["val"] * 4
    assert evaluate(dataset, settings(folder, split="all", draws=0)).table.height == 16


def test_a_split_that_is_not_there_is_refused_with_those_that_are(mask_run):
    dataset, folder, _ = mask_run
    with pytest.raises(DataError, match="no split 'tset'; expected one of all, test, train, val"):
        evaluate(dataset, settings(folder, split="tset"))


def test_intervals_cover_the_number_and_are_the_same_for_the_same_seed(mask_run, of_masks):
    dataset, folder, _ = mask_run
    again = evaluate(dataset, settings(folder, batch_size=3))
    assert again.contestant.intervals == of_masks.contestant.intervals
    for name, (low, high) in of_masks.contestant.intervals.items():
        assert low <= of_masks.metrics[name] <= high


def test_a_network_compared_with_itself_differs_by_nothing(mask_run):
    dataset, folder, _ = mask_run
    compared = evaluate(dataset, settings(folder, against=str(folder))).comparison
    assert compared.metrics["difference"].drop_nulls().to_list() == [0.0] * compared.metrics["difference"].drop_nulls().len()
    assert compared.metrics["low"].drop_nulls().abs().max() == 0
    assert compared.pictures["change"].abs().max() == 0


def test_two_networks_are_compared_on_the_same_pictures(mask_run, tmp_path):
    dataset, folder, _ = mask_run
    other = tmp_path / "other"
    content = torch.load(folder / "best.pt", weights_only=True)
    content["model"] = {name: value * 0 if value.is_floating_point() else value for name, value in content["model"].items()}
    other.mkdir()
    for name in ("run.json", "config.yaml"):
        (other / name).write_bytes((folder / name).read_bytes())
    torch.save(content, other / "best.pt")
    evaluation = evaluate(dataset, settings(folder, against=str(other)))
    ours, theirs = evaluation.metrics["recall_dataset"], evaluation.comparison.other.figures.metrics["recall_dataset"]
    row = evaluation.comparison.metrics.filter(metric="recall_dataset").row(0, named=True)
    assert theirs == 0
    assert row["difference"] == ours
    assert evaluation.comparison.pictures["change"].abs().to_list() == sorted(evaluation.comparison.pictures["change"].abs(), reverse=True)


def test_networks_of_other_tasks_are_not_compared(mask_run, tag_run):
    with pytest.raises(ConfigError, match=r"The task of .* is segmentation, that of .* classification"):
        evaluate(mask_run[0], settings(mask_run[1], against=str(tag_run[1])))


def test_other_classes_are_refused_with_both_lists(two_class_run):
    dataset, folder, _ = two_class_run
    with pytest.raises(DataError, match="tells apart cell, debris; the dataset has cell, dirt"):
        evaluate(renamed(dataset, ["cell", "dirt"]), settings(folder))


def test_labels_of_another_kind_than_the_network_tells_are_refused_before_any_class(mask_run, tag_run):
    with pytest.raises(DataError, match=r"segmentation is measured on boxes, ellipses, masks or polygons; the dataset has tags\."):
        evaluate(tag_run[0], settings(mask_run[1]))
    with pytest.raises(DataError, match=r"^A network for classification is measured on tags; the dataset has masks\."):
        evaluate(mask_run[0], settings(tag_run[1]))


def test_a_class_that_the_network_does_not_know_is_told_and_does_not_count(mask_run, two_class_run):
    evaluation = evaluate(two_class_run[0], settings(mask_run[1]))
    assert any("does not know debris" in note for note in evaluation.notes)
    assert evaluation.classes["class"].to_list() == ["cell"]


def test_a_class_that_the_dataset_has_not_is_told(mask_run, two_class_run):
    evaluation = evaluate(mask_run[0], settings(two_class_run[1]))
    assert any("has no class debris" in note for note in evaluation.notes)
    assert evaluation.classes.filter(pl.col("class") == "debris")["pictures"].to_list() == [0]


def test_a_class_that_no_measured_picture_shows_is_told_and_its_numbers_are_those_of_false_finds(two_class_run):
    dataset, folder, _ = two_class_run
    bare = rebuilt(dataset, annotations=dataset.annotations.filter(pl.col("class") == 1))
    evaluation = evaluate(bare, settings(folder))
    (note,) = [note for note in evaluation.notes if "shows debris" in note]
    assert note.startswith("No picture of test shows debris: it does not count in means there, unless the network finds it")
    found = int(evaluation.contestant.figures.confusion.counts[:, 2].sum())
    iou = dict(evaluation.classes.select("class", "iou").iter_rows())["debris"]
    assert iou == 0 if found else iou is None or math.isnan(iou)


def test_pictures_that_cannot_be_read_or_have_another_size_are_left_out_and_told(mask_run, squares, tmp_path):
    dataset = squares(tmp_path, ("cell",), seed=1)
    (tmp_path / "13.png").write_bytes(b"no picture")
    images = dataset.images.with_columns(pl.when(pl.col("id") == 14).then(7).otherwise(pl.col("width")).alias("width"))
    evaluation = evaluate(rebuilt(dataset, images=images), settings(mask_run[1]))
    assert evaluation.table["image"].to_list() == [15, 16]
    assert evaluation.unreadable["image"].to_list() == [13, 14]
    assert "the dataset says 7 x" in evaluation.unreadable["reason"][1]
    assert any("2 pictures cannot be measured" in note for note in evaluation.notes)


def test_a_dataset_without_a_readable_picture_is_an_error(mask_run, squares, tmp_path):
    dataset = squares(tmp_path, ("cell",))
    for path in tmp_path.glob("*.png"):
        path.write_bytes(b"no picture")
    with pytest.raises(DataError, match="None of the 4 pictures can be measured"):
        evaluate(dataset, settings(mask_run[1]))


def test_a_dataset_of_test_pictures_alone_is_measured(mask_run, squares, tmp_path):
    evaluation = evaluate(squares(tmp_path, ("cell",), seed=2, splits=("test",) * 3), settings(mask_run[1]))
    assert evaluation.table.height == 3


def test_ignored_pixels_count_nowhere(mask_run, squares, tmp_path):
    dataset = squares(tmp_path, ("cell",), seed=3, splits=("test",) * 3)
    ignored = dataset.annotations.with_columns(
        pl.when(pl.col("image") == 1).then(None).otherwise(pl.col("class")).cast(dataset.annotations["class"].dtype).alias("class")
    )
    counts = evaluate(rebuilt(dataset, annotations=ignored), settings(mask_run[1])).contestant.figures.confusion.counts
    pixels = int((dataset.images["width"] * dataset.images["height"]).sum())
    assert counts.sum() == pixels - 81


def test_without_a_model_the_option_is_named(mask_run):
    with pytest.raises(ConfigError, match="--model"):
        evaluate(mask_run[0], EvaluateConfig())


def test_classes_of_pictures_are_judged_as_the_metrics_do_at_once(tag_run):
    dataset, folder, _ = tag_run
    evaluation = evaluate(dataset, settings(folder))
    trained = read_trained(folder, device="cpu")
    table = evaluation.table
    pictures = [read_image(dataset.root / path) for path in table["path"]]
    found = classification.class_probabilities(trained, pictures)
    given = np.array([trained.classes.index(name) for name in table["given"]])
    for described in ("confusion", "ece", "auroc", "average_precision"):
        metric = build(described)
        for name, value in metric.result(metric.measure(found, given)).items():
            if name in evaluation.metrics:
                assert evaluation.metrics[name] == pytest.approx(value, abs=1e-6), name
    assert evaluation.metrics["log_loss"] == pytest.approx(-np.log(found[np.arange(len(given)), given]).mean(), abs=1e-5)
    assert evaluation.contestant.figures.confusion.counts.sum() == len(given)


def test_an_evaluation_writes_its_tables_and_one_page(two_class_run, tmp_path):
    dataset, folder, _ = two_class_run
    evaluation = evaluate(dataset, settings(folder, against=str(folder), pictures=3))
    written = evaluation.save(tmp_path)
    assert {path.name for path in written} == {path.name for path in tmp_path.iterdir()}
    assert pl.read_csv(tmp_path / "per_picture.csv").height == 4
    assert pl.read_parquet(tmp_path / "per_picture.parquet").equals(evaluation.table)
    told = json.loads((tmp_path / "metrics.json").read_text())
    assert told["metrics"]["iou_dataset"] == evaluation.metrics["iou_dataset"]
    page = (tmp_path / "report.html").read_text()
    assert "<script src" not in page
    assert "no difference shown" in page


def test_cells_of_the_confusion_lead_to_pictures_that_have_it(two_class_run, tmp_path):
    dataset, folder, _ = two_class_run
    evaluation = evaluate(dataset, settings(folder))
    figures = evaluation.contestant.figures
    mistakes = {tuple(map(int, cell)) for cell in np.argwhere(figures.confusion.counts) if cell[0] != cell[1]}
    assert set(figures.confusion.pictures) == mistakes
    evaluation.save(tmp_path)
    page = (tmp_path / "report.html").read_text()
    names = figures.confusion.given
    for given, predicted in mistakes:
        assert f"#examples?given={names[given]}&amp;suggested={names[predicted]}" in page


def test_the_summary_holds_plain_numbers(of_masks):
    told = of_masks.summary()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["pictures"] == 4
    assert not any(isinstance(value, float) and math.isnan(value) for value in told["metrics"].values())
    assert "iou_dataset" in str(of_masks)


def scored(evaluation, values):
    contestant = evaluation.contestant
    table = contestant.table.with_columns(pl.Series(contestant.figures.score, values, dtype=pl.Float64))
    return str(replace(evaluation, contestant=replace(contestant, table=table)))


def test_pictures_where_nothing_is_right_are_listed_as_the_worst(of_masks):
    told = scored(of_masks, [0.5, 0.0, None, math.nan]).split("Worst:\n")[1].splitlines()
    paths = of_masks.table["path"].to_list()
    assert told[:2] == [f"  {paths[1]}: 0.000", f"  {paths[0]}: 0.500"]
    assert not any(path in line for path in paths[2:] for line in told)


def test_what_is_no_number_is_a_dash_on_the_console_and_in_the_tiles(of_masks):
    contestant = of_masks.contestant
    name = next(iter(contestant.intervals))
    figures = replace(contestant.figures, metrics={**contestant.figures.metrics, name: math.nan})
    found = replace(
        of_masks, contestant=replace(contestant, figures=figures, intervals={**contestant.intervals, name: (math.nan, math.nan)})
    )
    assert f"  {name} –" in str(found).splitlines()
    assert not re.search(r">\s*nan\b", evaluation_page(found, ()))


def test_no_heading_stands_above_no_picture(of_masks):
    assert "Worst" not in scored(of_masks, [None, math.nan, None, None])


def test_classes_that_overlap_are_counted_each_for_itself(overlap_run):
    dataset, folder, result = overlap_run
    evaluation = evaluate(dataset, settings(folder, split="all"))
    trained = read_trained(folder, device="cpu")
    found, given = [], []
    for row in evaluation.contestant.figures.pictures["row"]:
        found.append(segmentation.probability_maps(trained, [read_image(evaluation.chosen.examples.paths[row])])[0].reshape(2, -1))
        given.append(result.policy.layers(row).transpose(2, 0, 1).reshape(2, -1) > 0)
    found, given = np.concatenate(found, axis=1), np.concatenate(given, axis=1)
    metric = build({"name": "iou", "mode": "multilabel", "per_class": True, "class_names": ("cell", "debris")})
    expected = metric.result(metric.measure(found[None], given[None]))
    assert evaluation.metrics["iou_dataset"] == expected["iou_dataset"]
    assert evaluation.classes["iou"].to_list() == [expected["iou_dataset/cell"], expected["iou_dataset/debris"]]
    assert evaluation.contestant.figures.confusion is None
    assert set(evaluation.contestant.figures.sweep["class"]) == {"all", "cell", "debris"}


def test_pictures_of_several_classes_are_counted_as_the_metric_counts_them(many_tags_run):
    dataset, folder, _ = many_tags_run
    evaluation = evaluate(dataset, settings(folder))
    trained = read_trained(folder, device="cpu")
    examples = evaluation.chosen.examples
    rows = evaluation.contestant.figures.pictures["row"].to_list()
    found = classification.class_probabilities(trained, [read_image(examples.paths[row]) for row in rows])
    given = np.zeros(found.shape)
    for place, row in enumerate(rows):
        given[place, [examples.numbers[one["class"]] for one in examples.rows_of(row)]] = 1
    metric = build({"name": "f", "mode": "multilabel"})
    assert evaluation.metrics["f_dataset"] == pytest.approx(metric.result(metric.measure(found, given))["f_dataset"], nan_ok=True)
    row = evaluation.contestant.figures.sweep.filter(pl.col("threshold") == 0.25, pl.col("class") == "all").row(0, named=True)
    low = build({"name": "recall", "mode": "multilabel", "threshold": 0.25})
    assert row["recall"] == pytest.approx(low.result(low.measure(found, given))["recall_dataset"])
