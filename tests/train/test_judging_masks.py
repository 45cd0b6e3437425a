"""Judging the masks of objects: predictions whose numbers are known, COCO's own evaluation, and a network that was trained."""

import numpy as np
import polars as pl
import pytest
import task_builders as parts
from coco_oracle import coco_numbers

import burnish

torch = pytest.importorskip("torch")
pytest.importorskip("faster_coco_eval")

from training_builders import judged_detector  # noqa: E402

from burnish.data.dataset import make_dataset  # noqa: E402
from burnish.geometry import rle  # noqa: E402
from burnish.media.images import read_image  # noqa: E402
from burnish.metrics.metric import build  # noqa: E402
from burnish.testing.datasets import write_picture  # noqa: E402
from burnish.train.evaluate import evaluate  # noqa: E402
from burnish.train.judging.detection import judge as box_judge  # noqa: E402
from burnish.train.policies.detection import detect  # noqa: E402
from burnish.train.policies.examples import gather  # noqa: E402
from burnish.train.policies.policy import policy_of  # noqa: E402
from burnish.train.policies.predicted import labels_of_arrays  # noqa: E402
from burnish.train.policies.settings import DataConfig, EvaluateConfig, TrainConfig  # noqa: E402
from burnish.train.train import train  # noqa: E402
from burnish.train.trained import read_trained  # noqa: E402

WIDTH, HEIGHT = 48, 36
CAR, DOG = 0, 1


class Outliner(torch.nn.Module):
    """Stands for a network that gives masks; what it says is made up below."""

    gives_masks = True


def half(box, *, upper):
    """One of the triangles into which the rising diagonal cuts a box of whole pixels."""
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    x1, y1, x2, y2 = box
    rows, columns = np.mgrid[: y2 - y1, : x2 - x1]
    below = rows * (x2 - x1) >= (x2 - x1 - columns - 1) * (y2 - y1)
    mask[y1:y2, x1:x2] = ~below if upper else below
    return mask


def filled(box):
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask[box[1] : box[3], box[0] : box[2]] = True
    return mask


def code(mask):
    return rle.compress(rle.encode(mask))


def bounds(mask):
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return [float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)]


def written(folder, objects):
    """Pictures and a dataset; each object is its picture, class, mask (or a box as a list), and whether it is a crowd."""
    rows = []
    for number, (image, name, shape, crowd) in enumerate(objects, start=1):
        is_box = isinstance(shape, list)
        sides = dict(zip(("x1", "y1", "x2", "y2"), [float(side) for side in shape] if is_box else bounds(shape), strict=True))
        kind = {"kind": "box", "mask": None} if is_box else {"kind": "mask", "mask": code(shape)}
        rows.append({"id": number, "image": image, "class": name + 1, **kind, **sides, "crowd": crowd})
    images = sorted({image for image, *_ in objects})
    for image in images:
        write_picture(folder / f"{image}.png", image, (WIDTH, HEIGHT))
    return make_dataset(
        folder,
        media=pl.DataFrame({"id": images, "path": [f"{image}.png" for image in images], "kind": ["image"] * len(images)}),
        images=pl.DataFrame({"id": images, "media": images, "width": [WIDTH] * len(images), "height": [HEIGHT] * len(images)}),
        annotations=pl.DataFrame(rows, infer_schema_length=None),
        classes=pl.DataFrame({"id": [1, 2], "name": ["car", "dog"]}),
    )


def judge_on(folder, objects):
    return box_judge(
        judged_detector(Outliner()),
        policy_of(gather(written(folder, objects), "detection", DataConfig(), to_learn=False)),
        EvaluateConfig(),
    )


def said(*found):
    """Predictions of a picture: class, score and mask of each."""
    boxes = np.array([bounds(mask) for _, _, mask in found]).reshape(-1, 4)
    classes, scores = [name for name, *_ in found], [score for _, score, _ in found]
    return labels_of_arrays("mask", classes, boxes, (WIDTH, HEIGHT), scores=scores, masks=[code(mask) for *_, mask in found])


A, B = (2, 2, 22, 18), (24, 10, 44, 34)


def test_a_mask_in_the_right_box_may_be_the_wrong_one(tmp_path):
    judge = judge_on(tmp_path, [(1, CAR, half(A, upper=False), 0), (2, DOG, half(B, upper=True), 0)])
    judge.add_labels(0, said((CAR, 0.9, half(A, upper=True) | filled((2, 17, 22, 18)))))
    judge.add_labels(1, said((DOG, 0.8, half(B, upper=True))))
    found = judge.figures(None)
    assert found.metrics["map_50"] == pytest.approx(1)
    assert found.metrics["f1"] == 1
    assert found.metrics["mask_map_50"] == found.metrics["mask_map"] == found.metrics["mask_average_precision"] == pytest.approx(0.5)
    told = {row["class"]: row for row in found.classes.iter_rows(named=True)}
    assert [told["car"][name] for name in ("map", "mask_map", "mask_map_50", "mask_map_75")] == pytest.approx([1, 0, 0, 0], abs=0.01)
    assert [told["dog"][name] for name in ("map", "mask_map", "mask_map_50", "mask_map_75")] == pytest.approx([1, 1, 1, 1])
    common = half(A, upper=False) & (half(A, upper=True) | filled((2, 17, 22, 18)))
    assert found.pictures["mask_iou"].to_list() == pytest.approx([common.sum() / filled(A).sum(), 1])
    assert any("the confusion are those of boxes" in note for note in found.notes)


def scattered(seed):
    """Objects of three pictures, some of them crowds, and predictions near most of them."""
    rng = np.random.default_rng(seed)
    objects, found = [], {1: [], 2: [], 3: []}
    for image in (1, 2, 3):
        for crowd in (0, 0, 0, int(seed % 2)):
            x, y = rng.integers(0, 28), rng.integers(0, 18)
            box = (int(x), int(y), int(x + rng.integers(8, 20)), int(y + rng.integers(8, 18)))
            name, mask = int(rng.integers(0, 2)), half(box, upper=bool(rng.integers(0, 2)))
            objects.append((image, name, mask, crowd))
            for _ in range(int(rng.integers(0, 3))):
                moved = np.roll(mask, rng.integers(-2, 3, 2), axis=(0, 1))
                found[image].append((name, float(rng.random()), moved))
    return objects, found


def oracle(objects, found):
    """COCO's own evaluation, of masks that its own tool has encoded."""
    masks = pytest.importorskip("pycocotools.mask")
    encode = lambda mask: masks.encode(np.asfortranarray(mask.astype(np.uint8)))  # noqa: E731
    annotations = [
        {"id": n, "image_id": image, "category_id": name + 1, "iscrowd": crowd, "area": int(mask.sum()), "segmentation": encode(mask)}
        for n, (image, name, mask, crowd) in enumerate(objects, start=1)
    ]
    results = [
        {"image_id": image, "category_id": name + 1, "score": score, "segmentation": encode(mask)}
        for image, some in found.items()
        for name, score, mask in some
    ]
    pictures = [{"id": image, "width": WIDTH, "height": HEIGHT} for image in found]
    return coco_numbers(pictures, annotations, results, classes=(1, 2), kind="segm")[:3]


@pytest.mark.parametrize("seed", range(4))
def test_mask_numbers_are_those_of_coco(tmp_path, seed):
    objects, found = scattered(seed)
    judge = judge_on(tmp_path, objects)
    for row, image in enumerate((1, 2, 3)):
        judge.add_labels(row, said(*found[image]))
    told = judge.figures(None).metrics
    assert [told[name] for name in ("mask_map", "mask_map_50", "mask_map_75")] == pytest.approx(oracle(objects, found).tolist())


def test_each_object_has_the_iou_of_the_mask_that_found_its_box(tmp_path):
    judge = judge_on(tmp_path, [(1, CAR, half(A, upper=False), 0), (1, DOG, half(B, upper=True), 0)])
    close = np.roll(half(A, upper=False), 2, axis=1)
    judge.add_labels(0, said((CAR, 0.9, close), (DOG, 0.2, half(B, upper=True))))  # the dog is below the score
    iou = (close & half(A, upper=False)).sum() / (close | half(A, upper=False)).sum()
    assert judge.figures(None).metrics["mask_iou"] == pytest.approx(iou / 2)


def test_what_lies_in_a_crowd_is_neither_right_nor_wrong(tmp_path):
    judge = judge_on(tmp_path, [(1, CAR, filled(A), 0), (1, CAR, filled(B), 1)])
    judge.add_labels(0, said((CAR, 0.6, filled(A)), (CAR, 0.9, filled((26, 12, 34, 20))), (CAR, 0.8, filled((30, 20, 40, 30)))))
    found = judge.figures(None)
    for name in ("map", "mask_map", "average_precision", "mask_average_precision", "precision", "recall"):
        assert found.metrics[name] == pytest.approx(1), name
    np.testing.assert_array_equal(found.confusion.counts, [[1, 0, 0], [0, 0, 0], [0, 0, 0]])


def test_doubled_pictures_weigh_as_if_they_were_there_twice(tmp_path):
    objects, found = scattered(2)
    judge, other = judge_on(tmp_path, objects), judge_on(tmp_path, objects)
    for row, image in enumerate((1, 2, 3)):
        judge.add_labels(row, said(*found[image]))
    for row in (0, 0, 2):
        other.add_labels(row, said(*found[row + 1]))
    assert judge.statistics()(np.array([2, 0, 1])) == pytest.approx(other.statistics()(np.ones(3, np.int64)), nan_ok=True)


def test_labels_that_are_boxes_alone_judge_no_mask(tmp_path):
    judge = judge_on(tmp_path, [(1, CAR, [*A], 0)])
    judge.add_labels(0, said((CAR, 0.9, filled(A))))
    found = judge.figures(None)
    assert found.metrics["map"] == pytest.approx(1)
    assert not any(name.startswith("mask") for name in (*found.metrics, *found.pictures.columns, *found.classes.columns))
    assert any("boxes alone, so the masks of the network are not judged" in note for note in found.notes)


def test_a_plain_box_among_masks_counts_whole_and_is_told(tmp_path):
    judge = judge_on(tmp_path, [(1, CAR, [*A], 0), (1, DOG, half(B, upper=True), 0)])
    judge.add_labels(0, said((CAR, 0.9, filled(A)), (DOG, 0.9, half(B, upper=True))))
    found = judge.figures(None)
    assert found.metrics["mask_map"] == pytest.approx(1)
    assert any("1 labelled objects are boxes; their whole area counts" in note for note in found.notes)


@pytest.mark.slow
def test_a_trained_network_that_gives_masks_is_evaluated_by_both(tmp_path):
    dataset = burnish.open(squares(tmp_path / "set"))
    network = {"name": "rf_detr", "size": "tiny", "queries": 12, "masks": True}
    usual = {"size": 64, "epochs": 12, "batch_size": 2, "augs": {"strength": "none"}, "optimizer": {"lr": 0.003}, "task": "detection"}
    chosen = TrainConfig.make(network=network, data={"workers": 0, "share": 0.25}, hardware={"device": "cpu"}, **usual)
    train(dataset, chosen, work=tmp_path / "run")
    evaluation = evaluate(dataset, EvaluateConfig.make(model=str(tmp_path / "run"), split="all", draws=10, device="cpu", min_score=0.05))
    network = read_trained(tmp_path / "run", device="cpu")
    found, objects, boxes = {}, [], []
    for row, image in enumerate(evaluation.table["image"]):
        labels = detect(network, [read_image(dataset.root / evaluation.table["path"][row])])[0]
        masks = [rle.decode(rle.decompress(one), HEIGHT, WIDTH) for one in labels.masks]
        found[image] = [*zip(labels.classes.tolist(), labels.scores.tolist(), masks, strict=True)]
        objects.append((image, CAR, filled((8, 6, 32, 28)), 0))
        boxes += [[row, 0, score, *box] for score, box in zip(labels.scores, labels.boxes, strict=True)]
    told = oracle(objects, found)
    assert [evaluation.metrics[name] for name in ("mask_map", "mask_map_50", "mask_map_75")] == pytest.approx(told.tolist())
    assert told[1] > 0.3
    metric = build("map")  # of the boxes that the network itself gives, not those around its masks
    by_boxes = metric.result(metric.measure(boxes, [[row, 0, 0, 528, 8, 6, 32, 28] for row in range(4)], images=range(4)))
    assert evaluation.metrics["map_50"] == pytest.approx(by_boxes["map_50"])
    written = {path.name: path for path in evaluation.save(tmp_path / "out")}
    assert "mask_map_50" in pl.read_csv(written["per_class.csv"]).columns
    assert "mask_iou" in pl.read_csv(written["per_picture.csv"]).columns
    assert "Mask mAP50" in written["report.html"].read_text()


def squares(folder):
    """Four pictures of the same bright square, as polygons."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[6:28, 8:32] = 220
    pictures = [parts._save(folder, "train", number, pixels) for number in range(4)]
    outline = [[8, 6, 32, 6, 32, 28, 8, 28]]
    objects = [
        {"id": n + 1, "image_id": n, "category_id": 1, "bbox": [8, 6, 24, 22], "area": 528, "iscrowd": 0, "segmentation": outline}
        for n in range(4)
    ]
    return parts._write(folder, "train", pictures, objects, [{"id": 1, "name": "car"}])
