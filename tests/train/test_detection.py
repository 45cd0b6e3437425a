"""Detection through the verb train: squares of two colours that a small network learns in seconds."""

import json

import numpy as np
import polars as pl
import pytest
import task_builders as parts
import torch
from PIL import Image
from training_builders import continued, same

import burnish
from burnish.descriptions import describe
from burnish.errors import ConfigError, DataError
from burnish.geometry.overlap import box_overlaps
from burnish.metrics.names import METRICS
from burnish.metrics.settings import MapConfig
from burnish.models.networks.building import build_network
from burnish.models.networks.found import Found
from burnish.models.networks.names import describe_network
from burnish.train.augs.pipeline import build_augs
from burnish.train.loaders.placement import Placement, find_place, place_picture
from burnish.train.policies.boxes import crowd_code
from burnish.train.policies.examples import gather
from burnish.train.policies.policy import policy_of
from burnish.train.policies.settings import DataConfig, PredictConfig, TrainConfig
from burnish.train.predict import predict, predict_labels
from burnish.train.samples import Sample
from burnish.train.train import train
from burnish.train.trained import read_trained

pytest.importorskip("faster_coco_eval")

NETWORK = {"name": "centres", "width": 4, "depth": 3}


def settings(**more):
    usual = {"network": NETWORK, "size": 64, "epochs": 1, "batch_size": 4, "augs": {"strength": "none"}, "optimizer": {"lr": 0.01}}
    return TrainConfig.make(**{**usual, "data": {"workers": 1, "share": 0.2}, **more})


@pytest.fixture
def squares(tmp_path):
    return burnish.open(parts.write_squares(tmp_path / "squares", 12))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("detection")
    dataset = burnish.open(parts.write_squares(folder / "squares", 64, seed=1, size=(48, 64)))
    chosen = settings(network={**NETWORK, "width": 16}, epochs=10, optimizer={"lr": 0.005}, evaluation={"pictures": 2})
    return train(dataset, chosen, work=folder / "run"), folder / "run"


def policy(dataset, **data):
    return policy_of(gather(dataset, "detection", DataConfig(**data)))


def sample_of(policy, row, *, size=(64, 64), how="letterbox"):
    """The sample of a row as a training would read it."""
    picture = np.asarray(Image.open(policy.examples.paths[row]).convert("RGB"))
    placement = Placement(size=size, how=how)
    place = find_place(picture.shape[:2], placement)
    return policy.annotated(Sample(place_picture(picture, place, placement.padding)), row, place)


def coloured(picture, box):
    """Number of the colour in the middle of a box."""
    x, y = (int((box[0] + box[2]) / 2), int((box[1] + box[3]) / 2))
    return int(np.argmin([np.abs(picture[y, x].astype(int) - colour).sum() for colour in parts.COLOURS.values()]))


def annotation(number, image, box, **more):
    return {"id": number, "image_id": image, "category_id": 1, "bbox": box, "area": 1, "iscrowd": 0, **more}


def drawn(folder, annotations, count=4):
    """Empty pictures of 40 x 30 pixels with annotations."""
    for number in range(count):
        parts._save(folder, "train", number, np.zeros((30, 40, 3), np.uint8))
    pictures = [{"id": n, "file_name": f"train/{n}.png", "width": 40, "height": 30} for n in range(count)]
    return burnish.open(parts._write(folder, "train", pictures, annotations, [{"id": 1, "name": "thing"}]))


def test_squares_and_their_colours_are_learnt(trained):
    result, _ = trained
    assert result.policy.examples.task == "detection"
    assert result.measured["val"]["map_50"] > 0.7
    assert {"map/yellow", "map_50/blue", "loss/middles", "loss/boxes"} <= result.measured["val"].keys()


def test_what_nobody_chose_suits_boxes(trained):
    result, folder = trained
    assert result.config.data.fit == "letterbox"
    assert result.config.evaluation.target == "max map"
    assert result.config.loss is None
    assert json.loads((folder / "run.json").read_text())["placement"] == {"size": [64, 64], "how": "letterbox"}


def test_the_parts_of_the_loss_are_told_while_it_trains(trained):
    _, folder = trained
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    told = [line for line in lines if "train/loss" in line]
    assert told[-1]["train/loss/middles"] < told[0]["train/loss/middles"]
    for line in told:
        assert line["train/loss/middles"] + line["train/loss/boxes"] == pytest.approx(line["train/loss"], rel=0.2)


def test_predictions_lie_in_each_pictures_own_size(trained, tmp_path):
    _, folder = trained
    more = burnish.open(parts.write_squares(tmp_path / "wide", 8, seed=3, size=(96, 128)))
    found = predict(more, PredictConfig(model=str(folder), min_score=0.1)).dataset
    hits = total = 0
    for image in more.images["id"].to_list():
        true, made = more.labels(image), found.labels(image)
        hits, total = hits + (box_overlaps(true.boxes, made.boxes) > 0.5).any(axis=1).sum(), total + len(true)
    assert hits / total > 0.7
    assert set(found.annotations["kind"].cast(str)) == {"box"}


def test_only_predictions_of_the_asked_score_are_written(trained, squares):
    _, folder = trained
    counts = [
        predict(squares, PredictConfig(model=str(folder), min_score=score)).dataset.annotations.height for score in (0.02, None, 0.99)
    ]
    assert counts[0] > counts[1] > counts[2]


def test_mirrored_pictures_are_fused(trained, tmp_path):
    _, folder = trained
    network = read_trained(folder, device="cpu")
    more = burnish.open(parts.write_squares(tmp_path / "more", 1, seed=4, most=1))
    picture = np.asarray(Image.open(more.root / "train" / "0.png"))
    own, mirror = predict_labels(network, [picture, picture[:, ::-1]], flips=True)
    back = np.stack([64 - mirror.boxes[:, 2], mirror.boxes[:, 1], 64 - mirror.boxes[:, 0], mirror.boxes[:, 3]], 1)
    np.testing.assert_allclose(own.boxes[0], back[0], atol=1e-3)


def test_an_interrupted_training_continues_to_the_same_weights(squares, tmp_path):
    chosen = settings(epochs=3, augs={"strength": "strong"}, evaluation={"pictures": 0})
    assert same(*continued(train, squares, chosen, tmp_path, step=3))


@pytest.mark.parametrize(
    "steps", [["horizontal_flip"], ["mosaic"], ["mosaic", "horizontal_flip", {"name": "scale", "factors": [0.8, 1.2]}]]
)
def test_targets_follow_what_augmentations_do(squares, steps):
    own = policy(squares)
    augs = build_augs({"steps": [{"p": 1.0, **(step if isinstance(step, dict) else {"name": step})} for step in steps], "min_visible": 0.9})
    seen = 0
    for row in range(8):
        changed = augs.augment(sample_of(own, row), np.random.default_rng(row), lambda rng: sample_of(own, int(rng.integers(12))))
        for box, number in zip(changed.boxes, changed.classes, strict=True):
            assert coloured(changed.picture, box) == number
            seen += 1
    assert seen > 4


def test_boxes_lie_in_the_letterbox_where_the_objects_lie(tmp_path):
    own = policy(burnish.open(parts.write_squares(tmp_path / "wide", 8, seed=5, size=(48, 96))))
    for row in range(3):
        sample = sample_of(own, row)
        assert len(sample.boxes)
        assert all(coloured(sample.picture, box) == number for box, number in zip(sample.boxes, sample.classes, strict=True))


def test_a_picture_without_any_object_is_learnt_as_such(squares):
    own = policy(squares)
    batch = own.collate([sample_of(own, row) for row in (3, 7)])
    assert [len(target.classes) for target in batch.targets] == [0, 0]
    network = build_network(NETWORK, outputs=2)
    assert float(own.loss(None)(network, batch).mean.detach()) > 0


def test_batches_add_up_to_the_loss_of_all_their_objects(squares):
    own, network = policy(squares), build_network(NETWORK, outputs=2).eval()
    samples = [sample_of(own, row) for row in (0, 1, 2, 4, 5)]
    whole = own.loss(None)(network, own.collate(samples))
    pieces = [own.loss(None)(network, own.collate(part)) for part in (samples[:1], samples[1:])]
    counts = {name: sum(piece.counts[name] for piece in pieces) for name in whole.counts}
    assert float(sum(piece.share(counts) for piece in pieces).detach()) == pytest.approx(float(whole.mean.detach()), rel=1e-4)


def test_crowds_are_not_learnt(tmp_path):
    own = policy(burnish.open(parts.write_squares(tmp_path / "crowds", 12, crowd=True)))
    assert sum((truth.codes < 0).sum() for truth in own.truths) > 4
    batch = own.collate([sample_of(own, row) for row in range(3)])
    assert all((target.classes >= 0).all() for target in (*batch.targets, *batch.crowds))
    assert sum(len(crowd.classes) for crowd in batch.crowds) == 3
    assert len(own.given(sample_of(own, 0))) == len(batch.targets[0].classes)


class Told(torch.nn.Module):
    """A detector that finds the same boxes everywhere."""

    gives_masks = False

    def __init__(self, *boxes):
        super().__init__()
        self.boxes = torch.tensor(boxes, dtype=torch.float32)

    def losses(self, _pictures, _targets):
        return {"boxes": torch.zeros(())}

    def detect(self, pictures, **_limits):
        scores = torch.linspace(0.9, 0.5, len(self.boxes))
        return [Found(self.boxes, scores, torch.zeros(len(self.boxes), dtype=torch.int64)) for _ in pictures]


def test_what_is_found_in_a_crowd_is_neither_right_nor_wrong(tmp_path):
    things = [annotation(1, 0, [2, 2, 10, 10]), annotation(2, 0, [20, 2, 18, 18], iscrowd=1)]
    others = [annotation(n + 9, n, [2, 2, 10, 10]) for n in range(1, 4)]
    measured = []
    for given in (things, things[:1]):
        own = policy(drawn(tmp_path / str(len(given)), [*given, *others]))
        measuring = own.measuring([MapConfig()], own.loss(None))
        batch = own.collate([sample_of(own, 0, size=(30, 40))])
        measuring.update(Told([24, 6, 30, 12], [2, 2, 12, 12]), batch, np.array([0]))
        measured.append(measuring.compute()["map"])
    assert measured[0] == pytest.approx(1)
    assert measured[1] < 0.6


class Lower(Told):
    """A detector that finds the same lower triangle everywhere."""

    gives_masks = True

    def detect(self, pictures, **limits):
        mask = torch.zeros(pictures.shape[-2:], dtype=torch.bool)
        mask[4:20, 4:20] = torch.ones(16, 16).tril().bool()
        return [Found(*found[:3], mask[None]) for found in super().detect(pictures, **limits)]


def test_masks_are_measured_beside_boxes_while_a_network_is_trained(tmp_path):
    lower, upper = [[4, 4, 20, 20, 4, 20]], [[4, 4, 20, 4, 20, 20]]
    things = [annotation(n + 1, n, [4, 4, 16, 16], segmentation=upper if n == 1 else lower) for n in range(4)]
    examples = gather(drawn(tmp_path, things), "detection", DataConfig())
    own = policy_of(examples, describe_network({"name": "rf_detr", "size": "tiny", "masks": True})[1])
    assert own.defaults.target == "max mask_map"
    measuring = own.measuring([describe(METRICS, metric) for metric in own.defaults.metrics], own.loss(None))
    for row in (0, 1):
        batch = own.collate([sample_of(own, row, size=(30, 40))])
        measuring.update(Lower([4, 4, 20, 20]), batch, np.array([row]))
    numbers = measuring.compute()
    assert numbers["map"] == pytest.approx(1)
    assert numbers["mask_map_50"] == pytest.approx(51 / 101)  # found first, then missed: precision 1 up to half of the objects


def test_polygons_and_masks_give_their_boxes(tmp_path):
    square = [4, 4, 14, 4, 14, 20, 4, 20]
    things = [annotation(1, 0, [4, 4, 10, 16], segmentation=[square])]
    things += [annotation(n, n - 1, [1, 1, 5, 5]) for n in (2, 3, 4)]
    own = policy(drawn(tmp_path, things))
    np.testing.assert_allclose(own.truths[0].boxes, [[4, 4, 14, 20]])
    assert any(row["kind"] == "polygon" for row in own.truths[0].rows)


def test_boxes_without_area_are_left_out_and_told(tmp_path):
    things = [annotation(1, 0, [4, 4, 0, 9]), annotation(2, 0, [90, 4, 9, 9])]
    things += [annotation(n + 3, n, [1, 1, 5, 5]) for n in range(4)]
    own = policy(drawn(tmp_path, things))
    assert [len(truth.boxes) for truth in own.truths] == [1, 1, 1, 1]
    assert "2 objects have no area inside their picture and are left out." in own.examples.notes


def test_turned_boxes_are_learnt_upright_and_told(squares):
    turned = squares.with_tables(annotations=squares.annotations.with_columns(rotation=45.0))
    own, plain = policy(turned), policy(squares)
    assert any("objects are turned" in note for note in own.examples.notes)
    inner = plain.truths[0].boxes[0]
    middle = (inner[:2] + inner[2:]) / 2
    wanted = np.clip(np.concatenate([middle - np.sqrt(2) * (middle - inner[:2]), middle + np.sqrt(2) * (inner[2:] - middle)]), 0, 64)
    np.testing.assert_allclose(own.truths[0].boxes[0], wanted)


def test_a_dataset_without_boxes_is_told(colours):
    with pytest.raises(DataError, match="No picture has a box or ellipse or polygon or mask"):
        train(colours, settings(task="detection"))


def test_a_validation_without_any_object_is_told(tmp_path):
    dataset = drawn(tmp_path, [annotation(1, 0, [2, 2, 10, 10])])
    split = dataset.with_tables(images=dataset.images.with_columns(split=pl.Series(["train", "val", "val", "val"])))
    with pytest.raises(DataError, match="No picture that validates has an object"):
        train(split, settings())


def test_a_loss_of_ones_own_is_refused(squares):
    with pytest.raises(ConfigError, match="Detectors learn with a loss of their own; the loss 'dice'"):
        train(squares, settings(loss="dice"))


@pytest.mark.parametrize("metric", ["iou", "mask_map"])
def test_a_metric_of_masks_is_refused_where_a_network_gives_none(squares, metric):
    with pytest.raises(ConfigError, match=f"The metric '{metric}' does not measure boxes; expected map"):
        train(squares, settings(evaluation={"metrics": [metric], "target": "max iou_dataset", "pictures": 0}))


def test_a_crowd_code_is_its_own_inverse():
    assert [crowd_code(crowd_code(number)) for number in range(3)] == [0, 1, 2]
    assert max(crowd_code(number) for number in range(3)) < 0


@pytest.mark.slow
def test_masks_are_learnt_by_a_network_that_gives_them(tmp_path):
    square = [[4, 4, 24, 4, 24, 24, 4, 24]]
    things = [annotation(n + 1, n, [4, 4, 20, 20], segmentation=square) for n in range(4)]
    chosen = settings(network={"name": "rf_detr", "size": "tiny", "queries": 12, "masks": True}, task="detection", batch_size=2)
    result = train(drawn(tmp_path / "set", things), chosen, work=tmp_path / "run")
    assert 0 <= result.measured["val"]["mask_map"] <= 1
    assert result.config.evaluation.target == "max mask_map"
    sample = sample_of(result.policy, 0, size=(32, 32))
    assert sample.instances.sum() == pytest.approx((sample.boxes[0, 2:] - sample.boxes[0, :2]).prod(), rel=0.1)
    found = predict(drawn(tmp_path / "more", things), PredictConfig(model=str(tmp_path / "run"), min_score=0.0)).dataset
    assert set(found.annotations["kind"].cast(str)) <= {"mask"}
    network = read_trained(tmp_path / "run", device="cpu")
    with pytest.raises(ConfigError, match="gives masks too"):
        predict_labels(network, [np.zeros((30, 40, 3), np.uint8)], flips=True)
