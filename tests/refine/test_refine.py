"""The verb refine: a trained network improves weak masks, once or in rounds."""

import json
import re
from base64 import b64decode
from io import BytesIO

import numpy as np
import polars as pl
import pytest
from PIL import Image

import burnish
from burnish.cli.app import run
from burnish.engine.progress import Lines, Silent
from burnish.errors import ConfigError, DataError, FormatError, ModelError
from burnish.refine.comparing import interval, score_set
from burnish.refine.loop import training_of, verdict
from burnish.refine.page import refine_page
from burnish.refine.prepare import prepare
from burnish.refine.prepared import open_sets
from burnish.refine.refine import find_sets, refine
from burnish.refine.sets import read_mask
from burnish.refine.settings import PrepareConfig, RefineConfig

torch = pytest.importorskip("torch")
TRAINING = {
    "network": {"name": "unet", "width": 4, "depth": 2},
    "size": 32,
    "batch_size": 4,
    "epochs": 12,
    "optimizer": {"lr": 0.02},
    "augs": {"strength": "none"},
    "data": {"workers": 1},
    "evaluation": {"pictures": 0},
}


@pytest.fixture(scope="module")
def discs(tmp_path_factory):
    """30 pictures of a bright disc, its box, and its mask."""
    root = tmp_path_factory.mktemp("discs")
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:32, :32]
    images, boxes = [], []
    for folder in ("images", "masks"):
        (root / folder).mkdir()
    for number in range(30):
        y, x, radius = *rng.integers(9, 23, 2).tolist(), int(rng.integers(5, 9))
        disc = (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
        picture = rng.integers(0, 60, (32, 32, 3)) + disc[..., None] * 150
        Image.fromarray(picture.astype(np.uint8)).save(root / "images" / f"{number}.png")
        Image.fromarray(disc.astype(np.uint8) * 255).save(root / "masks" / f"{number}.png")
        images.append({"id": number, "file_name": f"images/{number}.png", "width": 32, "height": 32})
        box = [x - radius, y - radius, 2 * radius + 1, 2 * radius + 1]
        boxes.append({"id": number, "image_id": number, "category_id": 1, "bbox": box, "area": box[2] * box[3], "iscrowd": 0})
    told = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "disc"}]}
    (root / "boxes.coco.json").write_text(json.dumps(told))
    return root


@pytest.fixture
def sets(discs, tmp_path):
    """The sets of 12 hand-drawn masks: 5 or so train, 1 validates, 6 evaluate, 18 boxes are weak."""
    config = PrepareConfig(masks=str(discs), hand="12", name="discs", copies=1)
    prepare(burnish.open(discs / "boxes.coco.json"), config).save(tmp_path / "sets")
    return tmp_path / "sets"


@pytest.fixture(scope="module")
def model(discs, tmp_path_factory):
    """A network that has learnt discs."""
    from burnish.train.policies.settings import TrainConfig  # noqa: PLC0415 - needs torch
    from burnish.train.train import train  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("model")
    train(burnish.open(discs), TrainConfig.make(**{**TRAINING, "task": "segmentation"}), work=folder)
    return folder


def test_masks_come_nearer_to_the_truth_than_the_boxes(sets, model, discs):
    result = refine(sets, RefineConfig(model=str(model), copies=0))
    overlaps = {"weak": [], "refined": []}
    for folder in (result.made.train, result.made.val):
        for row in json.loads((folder / "provenance.json").read_text())["pictures"]:
            if row["origin"] != "hybrid":
                continue
            truth = np.asarray(Image.open(discs / "masks" / f"{row['name']}.png")) > 0
            refined = read_mask(folder, row["name"], ("disc",), soft=True)[0] > 127
            weak = np.asarray(Image.open(sets / "discs_WEAK" / "masks" / f"{row['name']}.png")) > 0
            overlaps["weak"].append((weak & truth).sum() / (weak | truth).sum())
            overlaps["refined"].append((refined & truth).sum() / (refined | truth).sum())
    assert len(overlaps["weak"]) == 18
    assert np.mean(overlaps["refined"]) > np.mean(overlaps["weak"]) + 0.05


def test_the_report_shows_boxes_and_changed_masks(sets, model, tmp_path):
    result = refine(sets, RefineConfig(model=str(model), copies=0), work=tmp_path / "out")
    written = result.save(tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Masks that changed most" in page
    assert {"boxes.csv", "report.html", "discs_H1", "discs_H1_VAL"} <= {path.name for path in written}
    assert result.summary()["pictures"]["hybrid"] == 18


def test_masks_are_shown_before_and_after_with_the_difference_large_enough_to_judge(sets, model, tmp_path):
    result = refine(sets, RefineConfig(model=str(model), copies=0), work=tmp_path / "out")
    data = json.loads(re.search(r'id="changed-cards"[^>]*>(.*?)</script>', refine_page(result), re.DOTALL)[1])
    assert len(data["cards"]) == 18
    uri, width, height, _ = data["pictures"][data["cards"][0]["picture"]]
    assert width >= 3 * 320
    strip = np.asarray(Image.open(BytesIO(b64decode(uri.partition(",")[2]))).convert("RGB")).astype(int)
    assert strip.shape[:2] == (height, width)
    difference = strip[28:, -(width // 3) + 20 :]
    orange = (difference[..., 0] - difference[..., 2] > 60).mean()
    blue = (difference[..., 2] - difference[..., 0] > 60).mean()
    assert orange > 0.05 > blue  # corners of boxes are taken away, and nothing is added outside of them


def test_pictures_in_whose_boxes_nothing_is_predicted_are_shown_last_though_all_of_their_label_is_gone(sets, model, tmp_path):
    blank = sorted((sets / "discs_WEAK" / "images").iterdir())[3]
    with Image.open(blank) as picture:
        plain = Image.new(picture.mode, picture.size)
    plain.save(blank)
    result = refine(sets, RefineConfig(model=str(model), mode="soft", copies=0), work=tmp_path / "out")
    empty = result.made.table.group_by("picture").agg((pl.col("fate") == "empty").all()).filter("fate")["picture"].to_list()
    assert blank.stem in empty
    assert len(empty) < 18
    data = json.loads(re.search(r'id="changed-cards"[^>]*>(.*?)</script>', refine_page(result), re.DOTALL)[1])
    last = data["cards"][-len(empty) :]
    assert {card["title"] for card in last} == set(empty)
    assert all(card["reason"].startswith("Nothing is predicted in its boxes.") for card in last)


class Told(Silent):
    """Progress of which the lines are kept."""

    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)


def test_shapes_lie_beside_the_report_and_lead_back_as_a_review(sets, model, tmp_path):
    refine(sets, RefineConfig(model=str(model), copies=0)).save(tmp_path / "out")
    shapes = burnish.open(tmp_path / "out" / "shapes")
    assert set(shapes.annotations["source"].cast(str)) == {"auto", "manual"}
    told = Told()
    again = RefineConfig(model=str(model), copies=0, number=2, reviewed=str(tmp_path / "out" / "shapes"))
    result = refine(sets, again, progress=told)
    assert result.summary()["pictures"] == {"manual": 6, "reviewed": 18}
    assert "Review of 18 pictures: 18 accepted." in told.lines
    assert any("6 pictures of the review are labelled by hand" in text for text in told.lines)


def test_a_number_in_use_is_refused_with_the_next_free_one(sets, model):
    refine(sets, RefineConfig(model=str(model), copies=0))
    with pytest.raises(DataError, match="The next free number is 2"):
        refine(sets, RefineConfig(model=str(model), copies=0))


def test_a_dry_run_tells_what_becomes_of_the_boxes_and_writes_no_set(sets, model):
    there = sorted(path.name for path in sets.iterdir())
    result = refine(sets, RefineConfig(model=str(model), copies=0), dry_run=True)
    assert result.summary()["pictures"]["hybrid"] == 18
    assert result.table.height == 18
    assert sorted(path.name for path in sets.iterdir()) == there


def test_a_loop_that_shall_write_nothing_is_refused(sets):
    with pytest.raises(ConfigError, match="learns from the sets that it writes"):
        refine(sets, RefineConfig(loop=True), dry_run=True)


def test_the_command_takes_a_mode_by_name_and_its_settings(sets, model, tmp_path):
    chosen = ["--mode", "per_box", "--set", "mode.limit=0.2", "--copies", "0", "--out", str(tmp_path / "out")]
    assert run(["refine", str(sets), "--model", str(model), *chosen]) == 0
    told = json.loads((sets / "discs_H1" / "provenance.json").read_text())["config"]["mode"]
    assert (told["name"], told["limit"]) == ("per_box", 0.2)


def test_the_command_takes_a_mode_as_a_mapping_and_an_alpha_for_the_formula(sets, model, tmp_path):
    chosen = ["--copies", "0", "--out", str(tmp_path / "out")]
    settings = [["--mode", "{name: per_box, limit: 0.2}"], ["--alpha", "0.6"], ["--alpha", "0.6", "--mode", "{name: hybrid, alpha: 0.1}"]]
    for number, given in enumerate(settings, start=1):
        assert run(["refine", str(sets), "--model", str(model), *given, "--number", str(number), *chosen]) == 0
    told = [json.loads((sets / f"discs_H{number}" / "provenance.json").read_text())["config"] for number in (1, 2, 3)]
    assert (told[0]["mode"]["name"], told[0]["mode"]["limit"]) == ("per_box", 0.2)
    assert [(one["alpha"], one["mode"]["alpha"]) for one in told[1:]] == [(0.6, 0.6), (0.6, 0.1)]
    assert max(np.setdiff1d(mask_values(sets / "discs_H2"), [255])) == 153  # 0.6 of the weak label alone


def mask_values(folder):
    return np.unique([np.asarray(Image.open(path)) for path in sorted((folder / "masks").iterdir())])


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("agreement", r"mode agreement asks two models; name the run folder of the other one with 'second' \(--second RUN\)"),
        ({"name": "best", "among": ["soft", "agreement"]}, "mode agreement asks two models"),
        ("prompted", "mode prompted asks a segmenter such as SAM, which only Python can give"),
    ],
)
def test_modes_that_ask_for_more_say_so_before_anything_is_predicted(mode, told):
    with pytest.raises(ConfigError, match=told):
        RefineConfig.make(model="run", mode=mode)


def test_a_loop_refuses_numbers_in_use_before_it_trains(sets, model, tmp_path):
    refine(sets, RefineConfig(model=str(model), number=2, copies=0))
    with pytest.raises(DataError, match=r"discs_H2 is there already.*next free number is 1: --number 1"):
        refine(sets, RefineConfig(loop=True, copies=0, training=TRAINING), work=tmp_path / "loop")
    assert not (tmp_path / "loop").exists()


def test_the_loop_trains_refines_compares_and_keeps_the_best(sets, tmp_path):
    config = RefineConfig(loop=True, rounds=1, copies=0, training=TRAINING)
    result = refine(sets, config, work=tmp_path / "loop")
    assert [one.set for one in result.rounds] == ["discs_BASELINE", "discs_H1"]
    assert result.best in result.rounds
    assert result.rounds[1].gain is not None
    result.save(tmp_path / "loop")
    report = (tmp_path / "loop" / "report.html").read_text()
    taken = result.made.choice.taken
    assert f"{result.made.choice.scores[taken]:.3f} (taken)" in report
    assert result.table["mode"].to_list() == ["", taken]
    again = refine(sets, config, work=tmp_path / "loop")
    assert [one.told for one in again.rounds] == [one.told for one in result.rounds]
    assert again.summary() == result.summary()
    again.save(tmp_path / "loop")
    assert (tmp_path / "loop" / "report.html").read_text() == report
    assert pl.read_csv(tmp_path / "loop/boxes.csv").height == result.made.table.height > 0


BLIND = {**TRAINING, "loss": {"name": "binary_cross_entropy", "pos_weight": 1e-6}}
"""Objects weigh next to nothing, so that a network learns to see none."""


def test_a_loop_from_a_baseline_that_finds_nothing_says_so_and_learns_from_the_boxes(sets, tmp_path, capsys):
    config = RefineConfig(loop=True, copies=0, rounds=1, training=BLIND)
    result = refine(sets, config, work=tmp_path / "loop", progress=Lines())
    told = " ".join(capsys.readouterr().err.split())
    assert "The baseline finds nothing of what is drawn on the 1 picture of discs_BASELINE_VAL" in told
    assert "training.epochs" in told
    assert "hand-drawn pictures are best: IoU" in told
    assert result.best.number == 0
    once = refine(sets, RefineConfig(model=str(tmp_path / "loop/round_0"), number=2, copies=0), dry_run=True)
    assert "The model finds nothing in any of them" in str(once)


def test_a_model_that_finds_something_is_not_said_to_find_nothing(sets, model):
    made = refine(sets, RefineConfig(model=str(model), copies=0), dry_run=True).made
    assert "finds nothing" not in str(made)


def test_refined_sets_train_with_their_soft_masks(sets, model, tmp_path):
    from burnish.train.policies.settings import TrainConfig  # noqa: PLC0415
    from burnish.train.train import train  # noqa: PLC0415

    refine(sets, RefineConfig(model=str(model), copies=0))
    data = {"workers": 1, "validation_dataset": str(sets / "discs_H1_VAL"), "test_dataset": str(sets / "discs_EVAL")}
    config = TrainConfig.make(**{**TRAINING, "epochs": 1, "data": data})
    result = train(burnish.open(sets / "discs_H1"), config, work=tmp_path / "run")
    assert result.policy.examples.is_soft
    assert result.policy.examples.classes == ("disc",)
    assert "soft_iou_dataset" in result.measured["test"]


def test_no_model_is_told():
    with pytest.raises(FormatError, match="make the sets with burnish prepare"):
        refine("nowhere")


def test_a_call_without_model_or_loop_is_told(sets):
    with pytest.raises(ConfigError, match="or let --loop train one"):
        refine(sets)


def test_sets_are_found_by_folder_and_by_name(sets):
    assert find_sets(sets).name == "discs"
    assert find_sets(sets / "discs").name == "discs"
    assert open_sets(sets, "discs").classes == ("disc",)


def test_a_model_for_other_classes_is_told(sets, model, tmp_path):
    import shutil  # noqa: PLC0415

    other = tmp_path / "other"
    shutil.copytree(model, other)
    about = json.loads((other / "run.json").read_text())
    (other / "run.json").write_text(json.dumps({**about, "mode": "multilabel", "names": ["ring"]}))
    with pytest.raises(ModelError, match="tells ring; the sets have the classes disc"):
        refine(sets, RefineConfig(model=str(other)))


def test_scores_are_those_of_each_picture(sets):
    given = {row["name"]: row for row in json.loads((sets / "discs_EVAL" / "provenance.json").read_text())["pictures"]}
    found = score_set(lambda pictures: [(p[..., 0] > 100).astype(np.float32)[None] for p in pictures], sets / "discs_EVAL")
    assert set(found.names) == set(given)
    assert (found.iou > 0.99).all()


def test_an_interval_holds_the_mean_and_narrows_with_more_pictures():
    values = np.random.default_rng(0).normal(0.5, 0.1, 400)
    few, many = interval(values[:20]), interval(values)
    assert few.low < few.mean < few.high
    assert many.high - many.low < few.high - few.low


def test_one_picture_has_no_interval_and_tells_no_gain():
    found = interval(np.array([0.25]))
    assert (found.mean, found.low, found.high, str(found)) == (0.25, None, None, "0.2500 (one picture)")
    assert verdict(found) == (True, "one picture cannot tell a gain from noise, so the loop ends")
    assert verdict(interval(np.array([-0.25])))[0] is False


@pytest.mark.parametrize(("values", "better"), [([0.1, 0.12, 0.11], True), ([-0.1, -0.12, -0.11], False), ([0.2, -0.1, 0.0], True)])
def test_only_gains_beyond_noise_go_on(values, better):
    is_best, told = verdict(interval(np.array(values)))
    assert is_best is better
    assert ("goes on" in told) == (min(values) > 0)


def test_a_loop_takes_the_best_mode_and_one_refinement_the_published_formula_unless_told():
    assert RefineConfig.make().mode.name == "hybrid"
    assert RefineConfig.make(loop=True).mode.name == "best"
    assert RefineConfig.make(loop=True, mode="soft").mode.name == "soft"
    assert RefineConfig.make(loop=False, mode="tight").mode.name == "tight"


@pytest.mark.parametrize(
    ("pictures", "training", "target"),
    [
        (4, {}, "max epoch"),
        (10, {}, None),
        (4, {"evaluation": {"target": "min loss"}}, "min loss"),
        (4, {"handlers": [{"name": "stopping", "rules": ["no_gain"]}]}, None),
        (4, {"schedule": "plateau"}, None),
    ],
)
def test_a_handful_of_pictures_does_not_choose_the_weights_of_a_loop(pictures, training, target):
    config = RefineConfig.make(loop=True, training=training)
    assert training_of(config, "sets/x_BASELINE_VAL", pictures=pictures).evaluation.target == target
