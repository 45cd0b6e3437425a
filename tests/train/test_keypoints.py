"""Key points through the verb train: drawn figures that a small network learns in seconds."""

import json

import numpy as np
import polars as pl
import pytest
import task_builders as parts
from PIL import Image
from training_builders import continued, same

import burnish
from burnish.errors import ConfigError, DataError
from burnish.models.networks.heatmaps import read_heatmaps
from burnish.train.augs.pipeline import build_augs
from burnish.train.loaders.placement import Placement, cut_window, find_place, place_picture
from burnish.train.policies.examples import gather
from burnish.train.policies.policy import policy_of
from burnish.train.policies.resolving import resolved
from burnish.train.policies.settings import DataConfig, PredictConfig, TrainConfig
from burnish.train.predict import predict, predict_labels
from burnish.train.samples import Sample
from burnish.train.train import train
from burnish.train.trained import read_trained

pytest.importorskip("faster_coco_eval")

FEET = {1: (230, 30, 30), 2: (30, 230, 30)}


def settings(**more):
    usual = {"size": 64, "epochs": 1, "batch_size": 4, "augs": {"strength": "none"}, "optimizer": {"lr": 0.02}}
    network = {"name": "heatmaps", "width": 8, "depth": 3}
    chosen = {**usual, "network": network, "data": {"workers": 1, "share": 0.25}, "evaluation": {"pictures": 1}, **more}
    return TrainConfig.make(**chosen)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keypoints")
    dataset = burnish.open(parts.write_figures(folder / "figures", 20, seed=1, size=(64, 52)))
    return train(dataset, settings(epochs=20, optimizer={"lr": 0.01}), work=folder / "run"), folder / "run"


@pytest.fixture(scope="module")
def trained_on_crops(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crops")
    dataset = burnish.open(parts.write_figures(folder / "pairs", 8, seed=2, size=(96, 160), each=2))
    return train(dataset, settings(epochs=20, optimizer={"lr": 0.01}), work=folder / "run"), folder / "run"


@pytest.fixture
def figures(tmp_path):
    return burnish.open(parts.write_figures(tmp_path / "figures", 8))


def policy(dataset, **data):
    return policy_of(gather(dataset, "keypoints", DataConfig(**data)))


def sample_of(policy, row, *, size=(64, 64)):
    """The sample of a row as a training would read it."""
    picture = np.asarray(Image.open(policy.examples.paths[row]).convert("RGB"))
    windows = policy.examples.windows
    picture = picture if windows is None else cut_window(picture, windows[row])
    placement = Placement(size=size, how="letterbox")
    place = find_place(picture.shape[:2], placement)
    return policy.annotated(Sample(place_picture(picture, place, placement.padding)), row, place)


def distances(dataset, found):
    """From each true point to the nearest predicted one of the same name."""
    told = []
    for image in dataset.images["id"].to_list():
        made = found.labels(image)
        told += [min(np.abs(true - points).max() for points in made.points) for true in dataset.labels(image).points]
    return np.array(told)


def test_points_are_learnt(trained):
    result, _ = trained
    assert result.policy.examples.task == "keypoints"
    assert result.measured["val"]["pck"] > 0.9
    assert result.measured["val"]["oks_ap"] > 0.6
    assert {"pck/head", "pck/left_foot", "loss"} <= result.measured["val"].keys()


def test_what_nobody_chose_suits_points(trained):
    result, folder = trained
    assert (result.config.data.fit, result.config.data.crops) == ("letterbox", False)
    assert result.config.evaluation.target == "max oks_ap, max pck"
    assert result.config.augs.mirror_points == ((1, 2),)
    about = json.loads((folder / "run.json").read_text())
    assert about["details"] == {"points": list(parts.POINTS), "edges": [[0, 1], [0, 2]], "crops": False, "margin": 0.25}
    assert about["names"] == list(parts.POINTS)
    assert about["classes"] == ["figure"]


def test_predictions_lie_in_each_pictures_own_size(trained, tmp_path):
    _, folder = trained
    more = burnish.open(parts.write_figures(tmp_path / "tall", 4, seed=3, size=(160, 128)))
    found = predict(more, PredictConfig(model=str(folder))).dataset
    assert np.median(distances(more, found)) < 10  # one place of the heatmap
    row = found.annotations.row(0, named=True)
    assert (row["kind"], len(row["points"]), len(row["visibility"])) == ("skeleton", 6, 3)
    assert 0 < row["score"] <= 1
    assert json.loads(found.classes["skeleton"][0])["points"] == list(parts.POINTS)


def test_predicted_classes_that_the_dataset_lacks_bring_their_skeleton(trained, colours):
    _, folder = trained
    found = predict(colours, PredictConfig(model=str(folder))).dataset
    known = dict(found.classes.select("name", "skeleton").iter_rows())
    assert json.loads(known["figure"])["edges"] == [[0, 1], [0, 2]]
    assert known["red"] is None


def test_only_predictions_of_the_asked_score_are_written(trained, figures):
    _, folder = trained
    assert predict(figures, PredictConfig(model=str(folder), min_score=0.99)).dataset.annotations.height == 0


def test_the_mirror_image_has_left_and_right_exchanged(trained, figures):
    _, folder = trained
    network = read_trained(folder, device="cpu")
    picture = np.asarray(Image.open(figures.root / "train" / "0.png"))
    own, mirror = predict_labels(network, [picture, picture[:, ::-1]], flips=True)
    back = mirror.points[0][[0, 2, 1]] * [-1, 1] + [64, 0]
    np.testing.assert_allclose(own.points[0], back, atol=1e-3)


def test_several_objects_in_a_picture_are_learnt_one_by_one(trained_on_crops):
    result, _ = trained_on_crops
    assert result.config.data.crops is True
    assert sum(len(result.policy.examples.part(part)) for part in ("train", "val")) == 16
    assert result.measured["val"]["pck"] > 0.8


def test_parts_of_pictures_are_looked_at_where_boxes_are(trained_on_crops, tmp_path):
    _, folder = trained_on_crops
    more = burnish.open(parts.write_figures(tmp_path / "pairs", 4, seed=6, size=(120, 200), each=2))
    boxes = more.annotations.with_columns(kind=pl.lit("box").cast(more.annotations["kind"].dtype), points=None, visibility=None)
    plain = more.with_tables(annotations=boxes.cast(dict(more.annotations.schema)))
    found = predict(plain, PredictConfig(model=str(folder))).dataset
    assert found.annotations.height == 8
    assert np.median(distances(more, found)) < 8


def test_a_dataset_without_boxes_is_told_to_have_them_predicted(trained_on_crops, colours):
    _, folder = trained_on_crops
    with pytest.raises(DataError, match="Let a detector predict boxes first"):
        predict(colours, PredictConfig(model=str(folder)))


def test_an_interrupted_training_continues_to_the_same_weights(figures, tmp_path):
    chosen = settings(epochs=3, augs={"strength": "strong"}, evaluation={"pictures": 0})
    assert same(*continued(train, figures, chosen, tmp_path, step=2))


@pytest.mark.parametrize("step", ["horizontal_flip", {"name": "rotation", "degrees": 20}, {"name": "scale", "factors": [0.8, 1.2]}])
@pytest.mark.parametrize("each", [1, 2])
def test_points_and_heatmaps_follow_what_augmentations_do(tmp_path, step, each):
    own = policy(burnish.open(parts.write_figures(tmp_path, 6, size=(64, 64 * each), each=each)))
    config = resolved(
        settings(augs={"steps": [{"p": 1.0, **(step if isinstance(step, dict) else {"name": step})}], "strength": "none"}), own
    )
    mirrored = step == "horizontal_flip"
    for row in range(4):
        changed = build_augs(config.augs).augment(sample_of(own, row), np.random.default_rng(row), None)
        points = changed.points[0]
        assert (points[:, 2] > 0).all()
        for number, colour in FEET.items():
            x, y, _ = points[3 - number if mirrored else number]
            assert np.abs(changed.picture[int(y), int(x)].astype(int) - colour).max() < 110
        found = read_heatmaps(own.collate([changed]).heatmaps)[0]
        np.testing.assert_allclose(found[:, :2], points[:, :2], atol=0.2)
        assert points[1, 0] > points[2, 0]  # also in the mirror the left foot is the one at the right of the picture


def test_points_that_are_not_known_do_not_count(figures):
    hidden = figures.annotations.with_columns(visibility=pl.Series([[2, 0, 2]] * 8, dtype=pl.List(pl.UInt8)))
    own = policy(figures.with_tables(annotations=hidden))
    batch = own.collate([sample_of(own, 0), sample_of(own, 1)])
    assert batch.known.tolist() == [[True, False, True]] * 2
    loss = own.loss(resolved(settings(), own).loss)
    maps = batch.heatmaps.clone()
    maps[:, 1] = 5
    assert float(loss.of_heatmaps(maps, batch).mean) == 0


def test_adaptive_wing_can_be_learnt_with(figures):
    result = train(figures, settings(loss={"name": "adaptive_wing"}, evaluation={"pictures": 0}))
    assert np.isfinite(result.measured["val"]["loss"])


def test_a_loss_of_masks_is_refused(figures):
    with pytest.raises(ConfigError, match="The loss 'dice' is not one on heatmaps; expected heatmap_mse or adaptive_wing"):
        train(figures, settings(loss="dice"))


def test_a_metric_of_boxes_is_refused(figures):
    with pytest.raises(ConfigError, match="The metric 'map' does not measure key points; expected oks_ap or pck"):
        train(figures, settings(evaluation={"metrics": ["map"], "target": "max map", "pictures": 0}))


def test_whole_pictures_with_several_objects_are_refused(tmp_path):
    dataset = burnish.open(parts.write_figures(tmp_path, 4, size=(64, 128), each=2))
    with pytest.raises(ConfigError, match="A picture has 2 skeletons, but whole pictures are learnt one object each"):
        policy(dataset, crops=False)


def test_pictures_without_a_skeleton_are_left_out_and_told(figures):
    own = policy(figures.with_tables(annotations=figures.annotations.filter(pl.col("image") > 1)))
    assert len(own.examples) == 6
    assert any("pictures have no skeleton with known points and are left out" in note for note in own.examples.notes)


def test_classes_without_skeletons_are_not_asked_for(figures):
    more = pl.concat([figures.classes, figures.classes.with_columns(id=pl.lit(7, pl.Int32), name=pl.lit("ball"), skeleton=pl.lit(None))])
    assert policy(figures.with_tables(classes=more)).examples.classes == ("figure",)


def test_skeletons_of_several_classes_are_told(figures):
    more = pl.concat([figures.classes, figures.classes.with_columns(id=pl.lit(7, pl.Int32), name=pl.lit("ball"))])
    own = figures.annotations.with_columns(pl.when(pl.col("image") > 3).then(7).otherwise("class").cast(pl.Int32).alias("class"))
    with pytest.raises(ConfigError, match="There are skeletons of 2 classes, figure, ball; key points are learnt of one"):
        policy(figures.with_tables(classes=more, annotations=own))


def test_skeletons_of_other_lengths_are_told(figures):
    short = figures.annotations.with_columns(points=pl.when(pl.col("image") == 2).then(pl.col("points").list.head(4)).otherwise("points"))
    with pytest.raises(DataError, match="Skeletons have 2, 3 points; expected 3, as the class says"):
        policy(figures.with_tables(annotations=short))


def test_parts_of_pictures_reach_beyond_the_box_by_the_margin(tmp_path):
    dataset = burnish.open(parts.write_figures(tmp_path, 4, size=(96, 192), each=2))
    own = policy(dataset, margin=0.5)
    for window, skeleton in zip(own.examples.windows, own.objects, strict=True):
        reach = 0.5 * max(skeleton.box[2:] - skeleton.box[:2])
        wanted = np.clip(skeleton.box + np.array([-reach, -reach, reach, reach]), 0, [192, 96, 192, 96])
        assert np.abs(window - wanted).max() <= 1
