import json

import numpy as np
import polars as pl
import pytest
from builders import boxes_dataset, write_picture
from format_builders import box, mask, pictured, pointed
from refine_builders import BOX, SQUARE, mask_of, names_in, provenance, seed_dataset, via_row, write_mask

import burnish
from burnish.cli.app import run
from burnish.engine.map import Engine
from burnish.errors import ConfigError, DataError
from burnish.formats.recognise import write_dataset
from burnish.refine.prepare import prepare
from burnish.refine.settings import PrepareConfig

ONE = Engine(jobs=1)
SETS = ("BASELINE", "BASELINE_VAL", "EVAL", "WEAK")


def prepared(path, **settings):
    return prepare(burnish.open(path), PrepareConfig.make(**settings), engine=ONE)


def sets_of(made):
    return dict(made.table.select("name", "set").iter_rows())


def test_the_seed_s_layout_becomes_four_sets_with_its_own_constants(tmp_path):
    made = prepared(seed_dataset(tmp_path / "Deposition", hand=16, weak=6))
    assert made.summary()["sets"] == {"BASELINE": 7, "BASELINE_VAL": 1, "EVAL": 8, "WEAK": 6}
    assert (made.config.seed, made.config.evaluate, made.config.train, made.config.copies) == (42, 0.5, 0.85, 3)
    written = made.save(tmp_path)
    assert {path.name for path in written[:4]} == {f"Deposition_{part}" for part in SETS}
    assert len(names_in(tmp_path / "Deposition_BASELINE")) == 7 * 4
    assert not any("_aug" in name for part in SETS[1:] for name in names_in(tmp_path / f"Deposition_{part}"))
    assert names_in(tmp_path / "Deposition_WEAK") == {str(n) for n in range(16, 22)}


def test_hand_drawn_masks_are_the_polygons_and_weak_ones_the_filled_boxes(tmp_path):
    made = prepared(seed_dataset(tmp_path / "N"))
    made.save(tmp_path)
    name = next(iter(names_in(tmp_path / "N_EVAL")))
    drawn = np.zeros((24, 32), np.uint8)
    drawn[6:16, 10:20] = 255
    assert np.array_equal(mask_of(tmp_path / f"N_EVAL/masks/{name}.png"), drawn)
    weak = np.zeros((24, 32), np.uint8)
    weak[BOX[1] : BOX[3], BOX[0] : BOX[2]] = 255
    assert np.array_equal(mask_of(tmp_path / "N_WEAK/masks/10.png"), weak)
    assert (tmp_path / f"N_EVAL/images/{name}.jpg").read_bytes() == (tmp_path / f"N/images/{name}.jpg").read_bytes()


def test_several_polygons_of_a_picture_are_joined_and_what_lies_outside_is_cut(tmp_path):
    two = [SQUARE, [[15, 10], [40, 10], [40, 20], [15, 20]]]
    made = prepared(seed_dataset(tmp_path / "N", polygons={f"{n}.jpg": two for n in range(8)}))
    made.save(tmp_path)
    drawn = mask_of(tmp_path / f"N_EVAL/masks/{next(iter(names_in(tmp_path / 'N_EVAL')))}.png")
    expected = np.zeros((24, 32), np.uint8)
    expected[6:16, 10:20] = expected[10:20, 15:] = 255
    assert np.array_equal(drawn, expected)


def test_rows_without_regions_do_not_count_as_labelled_by_hand(tmp_path):
    root = seed_dataset(tmp_path / "N", hand=8, weak=6)
    with (root / "labels.csv").open("a", encoding="utf-8") as stream:
        stream.write(via_row("9.jpg", None) + "\n")
    assert sets_of(prepared(root))["9"] == "WEAK"


def test_masks_pair_with_pictures_by_name_not_by_order(tmp_path):
    """a.png and b.jpg sort otherwise than their masks a.jpg and b.png do; and a mask in between has no picture."""
    root = seed_dataset(tmp_path / "N", hand=8, weak=0)
    for number, (name, ending) in enumerate([("z10", "png"), ("z9", "jpg"), ("y", "bmp")]):
        write_picture(root / f"images/{name}.{ending}", 50 + number)
        weak = np.zeros((24, 32), np.uint8)
        weak[2 : 6 + 4 * number, 3:9] = 255
        write_mask(root / f"masks/{name}.png", weak)
    write_mask(root / "masks/yy.png", np.zeros((24, 32), np.uint8))
    made = prepared(root)
    made.save(tmp_path)
    heights = [int((mask_of(tmp_path / f"N_WEAK/masks/{name}.png") > 0).any(axis=1).sum()) for name in ("z10", "z9", "y")]
    assert heights == [4, 8, 12]
    assert made.summary()["findings"]["mask_without_picture"] == 1


def test_pictures_that_differ_only_in_their_endings_stay_apart_with_their_own_labels(tmp_path):
    names = [*(f"{n}.png" for n in range(6)), "a.png", "a.jpg"]
    drawn = [pointed(number, 0, "polygon", [2, 3, 8, 3, 5, 7]) for number in range(1, 7)]
    weak = [box(7, 0, [1, 1, 5, 5]), box(8, 0, [6, 6, 12, 10])]
    dataset = pictured(tmp_path / "d", [f"images/{name}" for name in names], [*drawn, *weak], ["crack"])
    for number, name in enumerate(names):
        write_picture(tmp_path / "d/images" / name, number, size=(16, 12))
    made = prepare(dataset, PrepareConfig.make(name="N"), engine=ONE)
    made.save(tmp_path)
    told = {row["source"].rpartition("/")[2]: row["name"] for row in provenance(tmp_path / "N_WEAK")["pictures"]}
    corners = {name: np.argwhere(mask_of(tmp_path / f"N_WEAK/masks/{stem}.png"))[[0, -1]].tolist() for name, stem in told.items()}
    assert corners == {"a.png": [[1, 1], [4, 4]], "a.jpg": [[6, 6], [9, 11]]}


def test_masks_of_two_pictures_of_one_name_are_not_laid_on_a_third(tmp_path):
    """Folders may differ between datasets, but then only a name that both have once says which picture is meant."""
    write_dataset(boxes_dataset(tmp_path / "from", pictures=4, classes=("crack",)), tmp_path / "boxes", "coco")
    for number, name in enumerate(["one/0", "two/0", "one/1", "two/2", "two/3"]):
        write_mask(tmp_path / f"drawn/masks/{name}.png", np.full((24, 32), 255, np.uint8))
        write_picture(tmp_path / f"drawn/images/{name}.png", 60 + number)
    made = prepared(tmp_path / "boxes", masks=str(tmp_path / "drawn"), name="N", evaluate=0)
    origins = dict(made.table.select("name", "origin").iter_rows())
    assert {name: origins[name] for name in ("0", "1", "2", "3")} == {"0": "weak", "1": "manual", "2": "manual", "3": "manual"}
    assert {"one/0", "two/0"} <= origins.keys()


def test_grey_edges_of_jpeg_masks_become_black_and_white(tmp_path):
    root = seed_dataset(tmp_path / "N", ending="jpg")
    assert len(np.unique(mask_of(root / "masks/10.jpg"))) > 2
    prepared(root).save(tmp_path)
    mask = mask_of(tmp_path / "N_WEAK/masks/10.png")
    assert set(np.unique(mask)) == {0, 255}
    assert np.argwhere(mask)[0].tolist() == [BOX[1], BOX[0]]
    assert mask.astype(bool).sum() == (BOX[3] - BOX[1]) * (BOX[2] - BOX[0])


def test_a_weak_mask_of_another_size_is_told_and_its_picture_is_in_no_set(tmp_path):
    root = seed_dataset(tmp_path / "N")
    write_mask(root / "masks/10.png", np.full((10, 10), 255, np.uint8))
    write_mask(root / "masks/11.png", np.zeros((24, 32), np.uint8))
    (root / "masks/12.png").unlink()
    made = prepared(root)
    assert {name: sets_of(made)[name] for name in ("10", "11", "12")} == {"10": "", "11": "", "12": ""}
    found = made.summary()["findings"]
    assert (found["size_differs"], found["missing_mask"], found["no_weak_label"]) == (1, 1, 3)
    kept = sets_of(prepared(root, unlabelled="background"))
    assert {name: kept[name] for name in ("10", "11", "12")} == {"10": "", "11": "WEAK", "12": ""}


def test_pictures_without_boxes_can_count_as_ones_without_objects(tmp_path):
    write_dataset(boxes_dataset(tmp_path / "from", pictures=8, classes=("dent",)), tmp_path / "boxes", "coco")
    told = json.loads(next((tmp_path / "boxes").rglob("*.json")).read_text())
    told["annotations"] = [one for one in told["annotations"] if one["image_id"] != told["images"][7]["id"]]
    next((tmp_path / "boxes").rglob("*.json")).write_text(json.dumps(told))
    for number in range(4):
        drawn = np.zeros((24, 32), np.uint8)
        drawn[5:9, 5:9] = 255
        write_mask(tmp_path / f"drawn/masks/{number}.png", drawn)
        write_picture(tmp_path / f"drawn/images/{number}.jpg", number)
    chosen = {"masks": str(tmp_path / "drawn"), "evaluate": 0, "name": "N"}
    assert prepared(tmp_path / "boxes", **chosen).summary()["sets"]["WEAK"] == 3
    made = prepared(tmp_path / "boxes", **chosen, unlabelled="background")
    assert made.summary()["sets"]["WEAK"] == 4
    made.save(tmp_path)
    masks = {path.stem: mask_of(path).any() for path in (tmp_path / "N_WEAK/masks").iterdir()}
    assert sorted(masks.values()) == [False, True, True, True]


def test_a_polygon_wholly_outside_of_its_picture_does_not_count(tmp_path):
    root = seed_dataset(tmp_path / "N", polygons={"3.jpg": [[[100, 100], [120, 100], [120, 120]]]})
    made = prepared(root)
    assert sets_of(made)["3"] == "WEAK"
    told = made.findings.table.filter(pl.col("kind") == "empty_mask")
    assert told["path"].to_list() == ["3.jpg"]


def test_the_same_seed_makes_the_same_files_and_another_one_other_sets(tmp_path):
    root = seed_dataset(tmp_path / "N", hand=12)
    for place, seed in (("a", 42), ("b", 42), ("c", 1)):
        prepared(root, seed=seed).save(tmp_path / place)
    first, again = (
        {p.relative_to(tmp_path / side): p.read_bytes() for p in sorted((tmp_path / side).rglob("*.*g")) if p.is_file()} for side in "ab"
    )
    assert first == again
    assert names_in(tmp_path / "a/N_EVAL") != names_in(tmp_path / "c/N_EVAL")


def test_copies_never_come_to_different_sets_whatever_the_seed(tmp_path):
    root = seed_dataset(tmp_path / "N", hand=10, weak=4)
    for first, other in ((0, 1), (2, 12)):
        (root / f"images/{other}.jpg").write_bytes((root / f"images/{first}.jpg").read_bytes())
    for seed in range(6):
        made = prepared(root, seed=seed)
        found = sets_of(made)
        assert found["0"] == found["1"]
        if found["2"] == "EVAL":
            assert found["12"] == ""
            assert made.summary()["findings"]["split_leak"] == 1
        assert made.summary()["findings"]["exact_duplicate"] == 2


def test_duplicates_are_dropped_on_request_and_the_hand_labelled_one_is_kept(tmp_path):
    root = seed_dataset(tmp_path / "N", hand=8, weak=4)
    (root / "images/10.jpg").write_bytes((root / "images/2.jpg").read_bytes())
    made = prepared(root, drop="exact")
    assert sets_of(made)["2"] in SETS[:3]
    assert sets_of(made)["10"] == ""
    assert "dropped_copy" in made.findings.table["kind"].to_list()


def test_names_can_keep_crops_of_one_photo_together(tmp_path):
    root = seed_dataset(tmp_path / "N", hand=12, weak=4)
    for number in range(16):
        for folder, ending in (("images", "jpg"), ("masks", "png")):
            (root / f"{folder}/{number}.{ending}").rename(root / f"{folder}/photo{number // 3}-{number}.{ending}")
    text = (root / "labels.csv").read_text(encoding="utf-8")
    (root / "labels.csv").write_text("\n".join(_renamed(line) for line in text.splitlines()), encoding="utf-8")
    made = prepared(root, together=r"^(photo\d+)-")
    table = made.table.filter(pl.col("set").is_in(SETS[:3])).with_columns(photo=pl.col("name").str.extract(r"(photo\d+)"))
    assert table.group_by("photo").agg(pl.col("set").n_unique())["set"].unique().to_list() == [1]


def _renamed(line):
    number, dot, rest = line.partition(".jpg")
    return f"photo{int(number) // 3}-{number}.jpg{rest}" if dot else line


def test_a_number_of_hand_labelled_pictures_is_drawn_and_the_others_give_their_boxes(tmp_path):
    dataset = _drawn(tmp_path / "d", 12)
    made = prepare(dataset, PrepareConfig.make(hand=6, name="N"), engine=ONE)
    assert made.summary()["sets"] == {"BASELINE": 2, "BASELINE_VAL": 1, "EVAL": 3, "WEAK": 6}
    made.save(tmp_path)
    weak = mask_of(next((tmp_path / "N_WEAK/masks").iterdir()))
    assert np.array_equal(weak > 0, np.pad(np.ones((4, 6), bool), ((3, 5), (2, 8))))
    assert prepare(dataset, PrepareConfig.make(hand=6), engine=ONE).sets.tolist() == made.sets.tolist()


def test_a_file_names_the_hand_labelled_pictures_and_one_without_shapes_shows_none(tmp_path):
    root = seed_dataset(tmp_path / "N", hand=8, weak=4)
    names = tmp_path / "hand.txt"
    names.write_text("0\n1.jpg\nimages/2.jpg\n3\n9.jpg\n", encoding="utf-8")
    made = prepared(root, hand=str(names))
    assert {name for name, part in sets_of(made).items() if part in SETS[:3]} == {"0", "1", "2", "3", "9"}
    assert made.findings.table.filter(pl.col("kind") == "no_objects")["path"].to_list() == ["9.jpg"]
    names.write_text("0\n77.jpg\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"names 1 pictures that the dataset does not have, such as 77.jpg"):
        prepared(root, hand=str(names))
    with pytest.raises(ConfigError, match="neither a number nor a file"):
        prepared(root, hand="nowhere.txt")


def _drawn(root, pictures):
    """Pictures with two polygons of two classes each."""
    for number in range(pictures):
        write_picture(root / f"images/{number}.png", number, size=(16, 12))
    sides = [2, 3, 8, 3, 5, 7, 8, 7, 2, 7]
    rows = [pointed(number, 0, "polygon", sides) for number in range(1, pictures + 1)]
    kept = {number: (root / f"images/{number}.png").read_bytes() for number in range(pictures)}
    dataset = pictured(root, [f"images/{n}.png" for n in range(pictures)], rows, ["crack"])
    for number, content in kept.items():
        (root / f"images/{number}.png").write_bytes(content)
    return dataset


def _two_classes(root, pictures=9):
    pixels = np.zeros((12, 16), bool)
    pixels[1:5, 1:6] = True
    rows = []
    for image in range(1, pictures + 1):
        weak = [box(image, 0, [1, 1, 5, 5]), box(image, 1, [4, 4, 9, 9])]
        rows += [mask(image, 0, pixels), mask(image, 1, pixels[::-1])] if image <= 6 else weak
    dataset = pictured(root, [f"images/{n}.png" for n in range(pictures)], rows, ["rare", "often"])
    for number in range(pictures):
        write_picture(root / f"images/{number}.png", number, size=(16, 12))
    return dataset


def test_masks_of_several_classes_hold_their_numbers(tmp_path):
    prepare(_two_classes(tmp_path / "d"), PrepareConfig.make(name="N"), engine=ONE).save(tmp_path)
    for path in (tmp_path / "N_BASELINE/masks").iterdir():
        assert set(np.unique(mask_of(path))) == {0, 1, 2}
    weak = mask_of(tmp_path / "N_WEAK/masks/6.png")
    assert (weak[2, 2], weak[8, 8], weak[11, 0]) == (1, 2, 0)
    assert (tmp_path / "N_EVAL/classes.txt").read_text(encoding="utf-8").split() == ["background", "rare", "often"]
    opened = burnish.open(tmp_path / "N_EVAL")
    assert opened.annotations["kind"].cast(pl.String).unique().to_list() == ["mask"]
    assert list(opened.class_names().values()) == ["rare", "often"]


def test_a_class_is_left_out_by_name_and_so_are_pictures_that_show_nothing_else(tmp_path):
    dataset = _two_classes(tmp_path / "d")
    lone = dataset.with_tables(annotations=dataset.annotations.filter((pl.col("image") != 9) | (pl.col("class") == 0)))
    made = prepare(lone, PrepareConfig.make(name="N", without=["rare"]), engine=ONE)
    assert made.material.classes == ("often",)
    assert "8" not in sets_of(made)
    assert "left_out" in made.findings.table["kind"].to_list()
    with pytest.raises(ConfigError, match="Did you mean 'rare'"):
        prepare(lone, PrepareConfig.make(without=["rar"]), engine=ONE)


@pytest.mark.parametrize("form", ["coco", "yolo", "voc"])
def test_boxes_of_any_format_and_masks_beside_them(tmp_path, form):
    write_dataset(boxes_dataset(tmp_path / "from", pictures=8, classes=("car",)), tmp_path / "boxes", form)
    for number in range(8):
        drawn = np.zeros((24, 32), np.uint8)
        drawn[5:9, 5:9] = 255
        write_mask(tmp_path / f"drawn/masks/{number}.png", drawn)
        write_picture(tmp_path / f"drawn/images/{number}.jpg", number)
    made = prepared(tmp_path / "boxes", masks=str(tmp_path / "drawn"), hand=4, name="N")
    assert made.material.classes == ("car",)
    assert made.summary()["sets"] == {"BASELINE": 1, "BASELINE_VAL": 1, "EVAL": 2, "WEAK": 4}
    made.save(tmp_path)
    weak = mask_of(next((tmp_path / "N_WEAK/masks").iterdir())) > 0
    expected = np.zeros((24, 32), bool)
    expected[3:12, 2:9] = expected[4:20, 10:30] = True
    assert np.array_equal(weak, expected)
    boxes = burnish.open(tmp_path / "N_WEAK").annotations.select("x1", "y1", "x2", "y2").unique().sort("x1").to_numpy()
    assert boxes == pytest.approx(np.array([[2.0, 3.0, 9.0, 12.0], [10.5, 4.0, 30.25, 20.0]]))


@pytest.mark.parametrize("folder", [".", "masks", "cam 1"])
@pytest.mark.parametrize("form", ["coco", "yolo"])
def test_a_folder_of_masks_alone_belongs_to_the_pictures_of_the_dataset_by_name(tmp_path, form, folder):
    write_dataset(boxes_dataset(tmp_path / "from", pictures=8, classes=("car",)), tmp_path / "boxes", form)
    for number in range(8):
        write_mask(tmp_path / f"drawn/{folder}/{number}.png", np.pad(np.ones((4, 4), np.uint8), ((5, 15), (5, 23))))
    made = prepared(tmp_path / "boxes", masks=str(tmp_path / "drawn"), hand=4, name="N")
    assert made.summary()["sets"] == {"BASELINE": 1, "BASELINE_VAL": 1, "EVAL": 2, "WEAK": 4}
    assert made.material.classes == ("car",)
    made.save(tmp_path)
    drawn = mask_of(next((tmp_path / "N_EVAL/masks").iterdir()))
    assert (np.count_nonzero(drawn), drawn[5, 5]) == (16, 255)


@pytest.mark.parametrize("named", [True, False])
def test_masks_beside_boxes_are_drawn_by_hand_and_no_pictures(tmp_path, named):
    write_dataset(boxes_dataset(tmp_path / "from", pictures=8, classes=("car",)), tmp_path / "boxes", "yolo")
    for number in range(6):
        write_mask(tmp_path / f"boxes/masks/{number}.png", np.pad(np.full((4, 4), 255, np.uint8), ((5, 15), (5, 23))))
    assert len(burnish.open(tmp_path / "boxes").images) == 8
    made = prepared(tmp_path / "boxes", name="N", **({"masks": str(tmp_path / "boxes")} if named else {}))
    assert made.summary()["sets"] == {"BASELINE": 2, "BASELINE_VAL": 1, "EVAL": 3, "WEAK": 2}
    assert "missing_mask" not in made.findings.table["kind"].to_list()


def test_shapes_outside_of_a_picture_that_has_others_are_told(tmp_path):
    away = [[point[0] + 100, point[1]] for point in SQUARE]
    made = prepared(seed_dataset(tmp_path / "N", polygons={"3.jpg": [SQUARE, away, away]}))
    told = made.findings.table.filter(pl.col("kind") == "outside_picture").select("path", "reason", "is_issue").rows()
    assert told == [("3.jpg", "2 of its 3 hand-drawn shapes lie outside of the picture and are not drawn.", True)]


def _numbered_masks(root):
    """Boxes of two classes, and masks whose values 1 and 2 nothing names."""
    write_dataset(boxes_dataset(root / "from", pictures=8, classes=("rare", "often")), root / "boxes", "coco")
    for number in range(8):
        drawn = np.zeros((24, 32), np.uint8)
        drawn[5:9, 5:9], drawn[12:16, 5:9] = 1, 2
        write_mask(root / f"drawn/train/masks/{number}.png", drawn)
        write_picture(root / f"drawn/train/images/{number}.jpg", number)


def test_masks_without_names_are_not_taken_for_further_classes(tmp_path):
    _numbered_masks(tmp_path)
    told = r"drawn by hand are of the classes '1', '2', the weakly labelled ones of 'rare', 'often'.*classes\.txt beside masks/"
    with pytest.raises(DataError, match=told):
        prepared(tmp_path / "boxes", masks=str(tmp_path / "drawn/train"), hand=4)
    (tmp_path / "drawn/classes.txt").write_text("background\nrare\noften\n", encoding="utf-8")
    assert prepared(tmp_path / "boxes", masks=str(tmp_path / "drawn/train"), hand=4).material.classes == ("rare", "often")


def test_a_class_that_no_picture_for_training_has_drawn_is_told(tmp_path):
    dataset = _two_classes(tmp_path / "d")
    drawn = pl.col("kind").cast(pl.String) == "mask"
    lone = dataset.with_tables(annotations=dataset.annotations.filter(~drawn | (pl.col("class") == 1)))
    made = prepare(lone, PrepareConfig.make(name="N"), engine=ONE)
    told = "no hand label: Class 'rare' is weakly labelled, and no picture for training has it drawn by hand"
    assert told in str(made)
    assert "--without rare" in "".join(made.findings.table["suggestion"].drop_nulls())
    assert "no hand label" not in str(prepare(dataset, PrepareConfig.make(name="N"), engine=ONE))


def test_hand_drawn_masks_with_grey_edges_are_black_and_white_too(tmp_path):
    """Thin shapes in JPEG or after smoothing hold so much grey that values look like numbers of classes."""
    write_dataset(boxes_dataset(tmp_path / "from", pictures=6, classes=("crack",)), tmp_path / "boxes", "coco")
    thin = np.zeros((24, 32), np.uint8)
    thin[5:9, 5:20], thin[6:8, 5:20] = 90, 255
    for number in range(6):
        write_mask(tmp_path / f"drawn/masks/{number}.jpg", thin)
        write_picture(tmp_path / f"drawn/images/{number}.jpg", number)
    made = prepared(tmp_path / "boxes", masks=str(tmp_path / "drawn"), name="N")
    assert made.material.classes == ("crack",)
    made.save(tmp_path)
    drawn = mask_of(next((tmp_path / "N_EVAL/masks").iterdir()))
    assert set(np.unique(drawn)) == {0, 255}
    assert 24 <= np.count_nonzero(drawn) <= 40


def test_the_provenance_tells_what_each_picture_is(tmp_path):
    prepared(seed_dataset(tmp_path / "N")).save(tmp_path)
    told = provenance(tmp_path / "N_BASELINE")
    assert told["config"]["seed"] == 42
    assert told["source"]["format"] == "via_csv"
    copies = [row for row in told["pictures"] if row["copy_of"]]
    assert {row["origin"] for row in told["pictures"]} == {"manual"}
    assert len(copies) == 3 * (len(told["pictures"]) - len(copies))
    assert all(len(row["hash"]) == 32 for row in told["pictures"] if not row["copy_of"])
    assert {row["origin"] for row in provenance(tmp_path / "N_WEAK")["pictures"]} == {"weak"}


def test_augmented_masks_stay_black_and_white_and_move_with_their_pictures(tmp_path):
    prepared(seed_dataset(tmp_path / "N", hand=16)).save(tmp_path)
    rows = provenance(tmp_path / "N_BASELINE")["pictures"]
    assert {row["change"] for row in rows if row["copy_of"]} == {"mirror", "upside_down", "turn"}
    for row in rows:
        mask = mask_of(tmp_path / f"N_BASELINE/masks/{row['name']}.png")
        assert set(np.unique(mask)) == {0, 255}
        if row.get("change") == "mirror":
            assert np.array_equal(mask, mask_of(tmp_path / f"N_BASELINE/masks/{row['copy_of']}.png")[:, ::-1])


def test_an_existing_set_is_refused_and_nothing_is_touched(tmp_path):
    made = prepared(seed_dataset(tmp_path / "N"))
    made.save(tmp_path)
    (tmp_path / "N_EVAL/mine.txt").write_text("precious", encoding="utf-8")
    with pytest.raises(DataError, match=r"N_BASELINE is not empty.*Name another one, or add --force"):
        made.save(tmp_path)
    assert (tmp_path / "N_EVAL/mine.txt").exists()


def test_a_disturbed_run_leaves_nothing_behind(tmp_path):
    made = prepared(seed_dataset(tmp_path / "N"))
    (tmp_path / "N/images/10.jpg").unlink()
    with pytest.raises(DataError):
        made.save(tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_no_hand_labels_and_too_few_are_told_with_the_way_out(tmp_path):
    with pytest.raises(DataError, match=r"No picture has a mask or polygon drawn by hand.*--masks"):
        prepare(boxes_dataset(tmp_path / "b"), engine=ONE)
    root = seed_dataset(tmp_path / "N", hand=2)
    with pytest.raises(DataError, match=r"2 pictures are labelled by hand; the sets .* need three"):
        prepared(root)
    with pytest.raises(DataError, match="5 hand-labelled pictures are asked for, and 2 have"):
        prepared(root, hand=5)
    write_dataset(boxes_dataset(tmp_path / "c"), tmp_path / "boxes", "yolo")
    with pytest.raises(DataError, match="holds no masks, polygons or ellipses"):
        prepared(root, masks=str(tmp_path / "boxes"))


def _with_masks(root, mask, *, ending="png", size=(32, 24)):
    """Boxes of eight pictures, and a folder with a mask of each, which may be of another size together with its picture."""
    write_dataset(boxes_dataset(root / "from", pictures=8, classes=("car",)), root / "boxes", "coco")
    for number in range(8):
        write_picture(root / f"drawn/images/{number}.jpg", number, size=size)
        (root / "drawn/masks").mkdir(exist_ok=True)
        if ending == "npy":
            np.save(root / f"drawn/masks/{number}.npy", mask)
        else:
            write_mask(root / f"drawn/masks/{number}.{ending}", mask)
    return root / "boxes", root / "drawn"


def _square(height=24, width=32):
    mask = np.zeros((height, width), np.uint8)
    mask[5:9, 5:9] = 255
    return mask


@pytest.mark.parametrize(
    ("mask", "more", "told"),
    [
        (_square(30, 38), {}, r"masks/0.png, masks/1.png, masks/2.png and 5 more. The mask is 38 x 30 pixels and the picture 32 x 24"),
        (np.zeros((24, 32), np.uint8), {}, r"masks/0.png, masks/1.png, masks/2.png and 5 more. The mask has no pixel of an object"),
        (
            _square(),
            {"ending": "npy"},
            r"masks/0.npy, masks/1.npy, masks/2.npy and 5 more. Masks are read from picture files, not",
        ),
    ],
    ids=["size", "empty", "ending"],
)
@pytest.mark.parametrize("named", [True, False])
def test_where_no_mask_can_be_used_the_files_and_the_reason_are_told(tmp_path, mask, more, told, named):
    boxes, drawn = _with_masks(tmp_path, mask, **more)
    with pytest.raises(DataError, match="8 masks are not used: " + told):
        prepared(boxes, masks=str(drawn)) if named else prepared(drawn)


def test_masks_that_fit_a_scaled_copy_of_the_pictures_are_told_with_both_sizes(tmp_path):
    boxes, drawn = _with_masks(tmp_path, _square(48, 64), size=(64, 48))
    with pytest.raises(DataError, match=r"Its labels are for 64 x 48 pixels and 0.jpg has 32 x 24; they are not used"):
        prepared(boxes, masks=str(drawn))


def test_of_some_masks_that_cannot_be_used_the_names_are_told_and_the_others_are_taken(tmp_path):
    boxes, drawn = _with_masks(tmp_path, _square())
    write_mask(drawn / "masks/2.png", _square(30, 38))
    write_mask(drawn / "masks/6.png", np.zeros((24, 32), np.uint8))
    made = prepared(boxes, masks=str(drawn), name="N")
    assert made.summary()["sets"] == {"BASELINE": 2, "BASELINE_VAL": 1, "EVAL": 3, "WEAK": 2}
    assert "size differs: 1 (masks/2.png)" in str(made)
    assert "empty mask: 1 (masks/6.png)" in str(made)


def test_a_folder_of_masks_beside_labels_of_another_format_is_not_looked_at(tmp_path):
    boxes, _ = _with_masks(tmp_path, _square())
    drawn = burnish.open(boxes)
    (boxes / "masks").mkdir()
    np.save(boxes / "masks" / "0.npy", _square())
    with pytest.raises(DataError, match=r"labels.csv beside images/\.$"):
        prepare(drawn, PrepareConfig.make(name="N"), engine=ONE)


def test_no_weak_labels_leave_the_sets_of_hand_labelled_pictures(tmp_path):
    dataset = _drawn(tmp_path / "d", 6)
    made = prepare(dataset, PrepareConfig.make(name="N"), engine=ONE)
    assert made.summary()["sets"]["WEAK"] == 0
    assert {path.name for path in made.save(tmp_path)} == {"N_BASELINE", "N_BASELINE_VAL", "N_EVAL"}


def test_the_smallest_dataset_fills_all_three_sets(tmp_path):
    for seed in range(5):
        made = prepared(seed_dataset(tmp_path / f"N{seed}", hand=3, weak=1), seed=seed)
        assert made.summary()["sets"] == {"BASELINE": 1, "BASELINE_VAL": 1, "EVAL": 1, "WEAK": 1}


def test_an_expression_without_a_group_is_refused():
    with pytest.raises(ConfigError, match="no group"):
        PrepareConfig.make(together="abc")


def test_the_command_writes_the_sets_where_it_is_told(tmp_path, capsys):
    seed_dataset(tmp_path / "N")
    assert run(["prepare", str(tmp_path / "N"), "--out", str(tmp_path), "--json", "--jobs", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["sets"]["WEAK"] == 6
    assert (tmp_path / "N_EVAL/classes.txt").is_file()


def test_real_cracks_with_24_hand_drawn_masks(shared_data, tmp_path):
    root = shared_data / "deepcrack/train"
    made = prepared(root / "boxes.coco.json", masks=str(root), hand=24, together=r"^(.+?)(-\d+)?$", name="crack", copies=1)
    counts = made.summary()["sets"]
    assert counts["BASELINE"] + counts["BASELINE_VAL"] + counts["EVAL"] == 24
    assert made.material.classes == ("crack",)
    made.save(tmp_path)
    name = next(iter(names_in(tmp_path / "crack_EVAL")))
    assert np.array_equal(mask_of(tmp_path / f"crack_EVAL/masks/{name}.png"), mask_of(root / f"masks/{name}.png"))
    photos = {part: {name.partition("-")[0] for name in names_in(tmp_path / f"crack_{part}")} for part in ("EVAL", "WEAK", "BASELINE_VAL")}
    assert not photos["EVAL"] & (photos["WEAK"] | photos["BASELINE_VAL"])


def test_real_nuclei_keep_a_box_for_each_nucleus(shared_data, tmp_path):
    root = shared_data / "nuclei/test"
    made = prepared(root / "boxes.coco.json", masks=str(root), hand=6, name="nuclei", copies=0)
    made.save(tmp_path)
    weak = burnish.open(tmp_path / "nuclei_WEAK")
    names = {name.rpartition("/")[2] for name in weak.media["path"].to_list()}
    source = burnish.open(root / "boxes.coco.json")
    files = source.image_files().filter(pl.col("path").str.split("/").list.last().is_in(list(names)))
    wanted = source.annotations.filter(pl.col("image").is_in(files["image"].to_list())).height
    assert weak.annotations.height == wanted > 200


def test_where_a_test_set_is_at_hand_no_evaluation_set_is_made(tmp_path):
    made = prepared(seed_dataset(tmp_path / "N", hand=4, weak=3), evaluate=0)
    made.save(tmp_path / "sets")
    assert made.summary()["sets"] == {"BASELINE": 3, "BASELINE_VAL": 1, "EVAL": 0, "WEAK": 3}
    assert not (tmp_path / "sets" / "N_EVAL").exists()
