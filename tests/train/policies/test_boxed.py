"""Segmentation from boxes alone: what reaches the loss, what is measured, and that it beats filled boxes."""

import json

import numpy as np
import pytest
from PIL import Image

import burnish

torch = pytest.importorskip("torch")

from burnish.errors import ConfigError  # noqa: E402
from burnish.train.augs.pipeline import build_augs  # noqa: E402
from burnish.train.doctor import doctor  # noqa: E402
from burnish.train.doctoring.settings import DoctorConfig  # noqa: E402
from burnish.train.evaluate import evaluate  # noqa: E402
from burnish.train.loaders.placement import Placement, find_place  # noqa: E402
from burnish.train.policies.examples import gather  # noqa: E402
from burnish.train.policies.policy import policy_of  # noqa: E402
from burnish.train.policies.resolving import resolved  # noqa: E402
from burnish.train.policies.settings import DataConfig, EvaluateConfig, TrainConfig  # noqa: E402
from burnish.train.samples import Sample  # noqa: E402
from burnish.train.train import train  # noqa: E402

SIDE = 32
SMALL = {
    "network": {"name": "unet", "width": 4, "depth": 2},
    "size": SIDE,
    "batch_size": 6,
    "optimizer": {"lr": 0.01},
    "augs": {"strength": "none"},
    "evaluation": {"pictures": 0},
    "hardware": {"device": "cpu"},
}


def coloured_discs(root, count=16, *, classes=("disc",), seed=0):
    """Plain discs on a plain background, as boxes in COCO and as masks in a folder beside."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    images, boxes = [], []
    for folder in ("photos", "drawn/images", "drawn/masks"):
        (root / folder).mkdir(parents=True)
    for number in range(count):
        picture, mask = np.full((SIDE, SIDE, 3), [40, 90, 60], np.uint8), np.zeros((SIDE, SIDE), np.uint8)
        for place in range(len(classes)):
            radius = int(rng.integers(4, 7))
            y, x = int(rng.integers(8, 24)), int(rng.integers(7, 10)) + 16 * place if len(classes) > 1 else int(rng.integers(8, 24))
            disc = (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
            picture[disc] = ([200, 60, 50], [60, 80, 210])[place]
            mask[disc] = 255
            box = [x - radius, y - radius, 2 * radius + 1, 2 * radius + 1]
            known = {"image_id": number, "category_id": place + 1, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
            boxes.append({"id": len(boxes), **known})
        Image.fromarray(picture).save(root / "photos" / f"{number}.png")
        Image.fromarray(picture).save(root / "drawn/images" / f"{number}.png")
        Image.fromarray(mask).save(root / "drawn/masks" / f"{number}.png")
        images.append({"id": number, "file_name": f"photos/{number}.png", "width": SIDE, "height": SIDE})
    categories = [{"id": place + 1, "name": name} for place, name in enumerate(classes)]
    (root / "boxes.coco.json").write_text(json.dumps({"images": images, "annotations": boxes, "categories": categories}))
    return root


@pytest.fixture(scope="module")
def discs(tmp_path_factory):
    return coloured_discs(tmp_path_factory.mktemp("discs"))


def planned(dataset, **settings):
    config = TrainConfig.make(**{**SMALL, **settings})
    policy = policy_of(gather(dataset, config.task, config.data))
    return resolved(config, policy), policy


def test_the_loss_alone_asks_for_boxes_and_the_other_way_round(discs):
    dataset = burnish.open(discs / "boxes.coco.json")
    for settings in ({"loss": "box_supervised"}, {"data": {"boxes": True}}, {"loss": {"name": "BoxInst"}}):
        plan, policy = planned(dataset, **settings)
        assert (plan.task, plan.data.boxes, plan.loss.name, plan.loss.mode) == ("segmentation", True, "box_supervised", "binary")
        assert plan.evaluation.target == "min loss"
        assert plan.augs.preset == "detection"
        assert any("boxes alone" in note for note in policy.examples.notes)
    parts = {"boxes": {"loss": "box_supervised"}, "filled": {"loss": {"name": "dice"}, "weight": 0.1}}
    assert planned(dataset, loss={"name": "combined", "parts": parts})[0].data.boxes


def test_settings_made_directly_and_changed_later_keep_what_the_loss_asks_for():
    config = TrainConfig(loss="box_supervised", data=DataConfig(workers=1))
    assert (config.data.boxes, config.data.workers) == (True, 1)
    assert not TrainConfig(loss="dice").data.boxes
    assert TrainConfig.make(**config.model_dump(mode="json")) == config


def test_several_classes_become_maps_that_may_overlap(tmp_path):
    dataset = burnish.open(coloured_discs(tmp_path, 4, classes=("red", "blue")) / "boxes.coco.json")
    plan, policy = planned(dataset, loss="box_supervised")
    assert (plan.loss.mode, policy.outputs) == ("multilabel", 2)
    with pytest.raises(ConfigError, match=r"Set data\.mode to multilabel"):
        planned(dataset, loss="box_supervised", data={"mode": "multiclass"})


def test_another_task_is_refused():
    with pytest.raises(ConfigError, match="expected the task segmentation, not detection"):
        TrainConfig.make(task="detection", loss="box_supervised")


def test_boxes_move_with_their_picture_and_reach_the_loss(discs):
    _, policy = planned(burnish.open(discs / "boxes.coco.json"), data={"boxes": True})
    row = int(policy.examples.part("train")[0])
    place = find_place((SIDE, SIDE), Placement(size=(2 * SIDE, SIDE)))
    picture = np.zeros((2 * SIDE, SIDE, 3), np.uint8)
    filled = np.repeat(policy.mask(row), 2, axis=0)
    sample = policy.annotated(Sample(picture, mask=filled), row, place)
    steps = [{"name": "horizontal_flip", "p": 1.0}]
    augs = build_augs(TrainConfig.make(augs={"preset": "segmentation", "strength": "none", "steps": steps}).augs)
    moved = augs.augment(sample, np.random.default_rng(0), lambda _: sample)
    batch = policy.collate([moved])
    (box,) = batch.boxed.boxes[0].tolist()
    rows, columns = np.nonzero(moved.mask)
    assert box == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert batch.boxed.boxes[0].tolist() != sample.boxes.tolist()
    assert batch.to(torch.device("cpu")).boxed.pictures.shape == (1, 3, 2 * SIDE, SIDE)


def test_drawn_masks_of_the_training_part_are_not_looked_at_and_others_are_measured(discs):
    _, policy = planned(burnish.open(discs / "drawn"), data={"boxes": True, "validation_dataset": str(discs / "drawn")})
    own, other = int(policy.examples.part("train")[0]), int(policy.examples.part("val")[0])
    assert policy.mask(own).sum() == np.prod(policy.truths[own].boxes[0, 2:] - policy.truths[own].boxes[0, :2])
    assert policy.mask(other).sum() == (np.asarray(Image.open(policy.examples.paths[other].parents[1] / "masks" / "0.png")) > 0).sum()
    assert policy.defaults.target == "max iou_dataset"


@pytest.mark.slow
def test_the_doctor_tries_such_a_training(discs):
    settings = {key: value for key, value in SMALL.items() if key != "augs"}
    config = DoctorConfig.make(**settings, loss="box_supervised", without=("ONNX export", "int8"), statistics=False)
    result = doctor(burnish.open(discs / "boxes.coco.json"), config)
    assert [str(one) for one in result.findings if one.status == "error"] == []


def test_masks_learnt_from_boxes_alone_are_nearer_to_the_truth_than_filled_boxes(discs, tmp_path):
    settings = {**SMALL, "optimizer": {"lr": 0.03}, "batch_size": 2, "epochs": 16, "seed": 1}
    config = TrainConfig.make(**settings, loss="box_supervised")
    train(burnish.open(discs / "boxes.coco.json"), config, work=tmp_path / "run").save(tmp_path / "run")
    found = evaluate(burnish.open(discs / "drawn"), EvaluateConfig(model=str(tmp_path / "run"), split="all", draws=0, pictures=0))
    common = area = 0
    boxes = {one["image_id"]: one["bbox"] for one in json.loads((discs / "boxes.coco.json").read_text())["annotations"]}
    for number, (x, y, width, height) in boxes.items():
        truth = np.asarray(Image.open(discs / "drawn/masks" / f"{number}.png")) > 0
        common, area = common + truth[y : y + height, x : x + width].sum(), area + width * height
    assert common / area < 0.8
    assert found.contestant.figures.metrics["iou_dataset"] > common / area + 0.1
