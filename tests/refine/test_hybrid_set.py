import json
from collections import Counter
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from builders import write_picture
from format_builders import box, mask, pictured
from refine_builders import BOX, mask_of, names_in, provenance, seed_dataset, write_mask

import burnish
from burnish.engine.map import Engine
from burnish.errors import ConfigError, DataError, FormatError, ModelError
from burnish.geometry import rle
from burnish.refine.hybrid_set import make_hybrid_set
from burnish.refine.made import read_made
from burnish.refine.merging import Improver
from burnish.refine.prepare import prepare
from burnish.refine.prepared import open_sets
from burnish.refine.settings import HybridSetConfig, PrepareConfig

ONE = Engine(jobs=1)


@pytest.fixture
def sets(tmp_path):
    prepare(burnish.open(seed_dataset(tmp_path / "N", hand=8, weak=12)), engine=ONE).save(tmp_path)
    return open_sets(tmp_path, "N")


class Left:
    """A predictor that is sure of columns 10 to 13 and of nothing else; it counts what it is asked for."""

    def __init__(self, *, fails_on=(), classes=1):
        self.asked, self.fails_on, self.classes = Counter(), fails_on, classes

    def __call__(self, pictures):
        for picture in pictures:
            key = picture.tobytes()
            self.asked[key] += 1
            if list(self.asked).index(key) in self.fails_on or "all" in self.fails_on:
                raise RuntimeError("out of memory")
        maps = [np.full((self.classes, *p.shape[:2]), 0.05, np.float32) for p in pictures]
        for one in maps:
            one[:, :, 10:14] = 0.95
        return maps


def made(sets, predictor=None, *, model="m1", **settings):
    return make_hybrid_set(sets, Improver(predictor or Left(), model), HybridSetConfig.make(**settings), engine=ONE)


def test_weak_pictures_get_hybrid_masks_pixel_for_pixel(sets):
    result = made(sets, copies=0)
    expected = np.zeros((24, 32), np.uint8)
    expected[BOX[1] : BOX[3], BOX[0] : BOX[2]] = 76
    expected[BOX[1] : BOX[3], 10:14] = 255
    names = [name for folder in (result.train, result.val) for name in names_in(folder) if int(name) >= 8]
    assert len(names) == 12
    for name in names:
        folder = result.train if name in names_in(result.train) else result.val
        assert np.array_equal(mask_of(folder / f"masks/{name}.png"), expected)
    assert result.summary()["boxes"] == {"accepted": 12}


def test_the_hand_labelled_keep_their_masks_and_evaluation_stays_out(sets, tmp_path):
    result = made(sets, copies=0)
    train, val, evaluated = names_in(result.train), names_in(result.val), names_in(tmp_path / "N_EVAL")
    assert not (train | val) & evaluated
    baseline = {name for name in names_in(tmp_path / "N_BASELINE") if "_aug" not in name}
    assert baseline <= train
    assert names_in(tmp_path / "N_BASELINE_VAL") <= val
    for name in baseline:
        assert np.array_equal(mask_of(result.train / f"masks/{name}.png"), mask_of(tmp_path / f"N_BASELINE/masks/{name}.png"))
    origins = {row["name"]: row["origin"] for row in provenance(result.train)["pictures"]}
    assert {origins[name] for name in baseline} == {"manual"}
    assert {origins[name] for name in train - baseline} == {"hybrid"}


def test_every_training_picture_gets_three_new_copies_and_none_of_the_old_ones_stays(sets, tmp_path):
    result = made(sets, seed=5)
    names = names_in(result.train)
    originals = {name for name in names if "_aug" not in name}
    assert names == originals | {f"{name}_aug{n}" for name in originals for n in range(3)}
    assert not any("_aug" in name for name in names_in(result.val))
    old = {row["name"]: (row["change"], row["degrees"]) for row in provenance(tmp_path / "N_BASELINE")["pictures"] if row["copy_of"]}
    new = {row["name"]: (row["change"], row["degrees"]) for row in provenance(result.train)["pictures"] if row["name"] in old}
    assert old.keys() == new.keys()
    assert old != new


def test_a_copy_of_a_soft_mask_stays_soft_and_moves_with_its_picture(sets):
    result = made(sets, mode="soft")
    for row in provenance(result.train)["pictures"]:
        if row.get("change") == "upside_down":
            copy, first = (mask_of(result.train / f"masks/{name}.png") for name in (row["name"], row["copy_of"]))
            assert np.array_equal(copy, first[::-1])


def test_a_share_of_the_refined_pictures_validates(sets):
    result = made(sets, train=0.75, copies=0)
    refined = [sum(int(name) >= 8 for name in names_in(folder)) for folder in (result.train, result.val)]
    assert refined == [9, 3]


def test_copies_of_a_picture_go_to_the_side_of_the_hand_labelled_one(tmp_path):
    root = seed_dataset(tmp_path / "N", hand=8, weak=12)
    first = prepare(burnish.open(root), engine=ONE)
    by_set = {part: name for name, part in first.table.select("name", "set").iter_rows()}
    for part, copy in (("BASELINE", "18"), ("BASELINE_VAL", "19")):
        (root / f"images/{copy}.jpg").write_bytes((root / f"images/{by_set[part]}.jpg").read_bytes())
    again = prepare(burnish.open(root), engine=ONE)
    again.save(tmp_path)
    place = dict(again.table.select("name", "set").iter_rows())
    result = made(open_sets(tmp_path, "N"), copies=0)
    for part, copy in (("BASELINE", "18"), ("BASELINE_VAL", "19")):
        if place[by_set[part]] == part:
            assert copy in names_in(result.train if part == "BASELINE" else result.val)


def test_each_picture_is_predicted_once(sets):
    predictor = Left()
    made(sets, predictor, batch=5)
    assert len(predictor.asked) == 12
    assert set(predictor.asked.values()) == {1}


def test_a_number_in_use_is_refused_with_the_next_free_one(sets):
    made(sets, copies=0)
    with pytest.raises(DataError, match=r"N_H1 is there already.*next free number is 2"):
        made(sets, copies=0)
    (sets.root / "N_H2_VAL").mkdir()
    with pytest.raises(DataError, match=r"N_H2_VAL is there already.*next free number is 3"):
        made(sets, copies=0, number=2)
    assert made(sets, copies=0, number=3).train.name == "N_H3"


def test_a_picture_that_cannot_be_predicted_keeps_its_weak_mask(sets):
    result = made(sets, Left(fails_on={3}), copies=0, batch=4, mode="per_box")
    assert result.counts == {"manual": 4, "hybrid": 11, "weak": 1}
    told = result.findings.table.row(0, named=True)
    assert told["kind"] == "prediction_failed"
    assert "RuntimeError: out of memory" in told["reason"]
    folder = next(one for one in (result.train, result.val) if told["path"] in names_in(one))
    assert set(np.unique(mask_of(folder / f"masks/{told['path']}.png"))) == {0, 76}


def _cut(path):
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])


def test_sets_are_read_back_as_they_were_made(sets):
    """Also with a picture whose prediction failed and one that was cut short."""
    _cut(sets.folders["WEAK"] / min(row["file"] for row in sets.weak.values()))
    there = made(sets, Left(fails_on={3}), copies=1)
    assert len(there.findings) == 2
    again = read_made(sets, 1)
    assert again.table.equals(there.table)
    assert again.findings.table.equals(there.findings.table)
    assert (again.train, again.val, again.mode, again.choice) == (there.train, there.val, "hybrid", None)
    assert again.counts == there.counts
    assert str(again) == str(there)


def test_pictures_that_were_cut_short_since_are_left_out_and_told(sets):
    hand = min(row["file"] for row in provenance(sets.folders["BASELINE"])["pictures"] if row["copy_of"] is None)
    weak = sorted(row["file"] for row in sets.weak.values())[:2]
    for part, file in (("BASELINE", hand), *(("WEAK", one) for one in weak)):
        _cut(sets.folders[part] / file)
    result = made(sets, copies=1)
    stems = {file.rpartition("/")[2].rpartition(".")[0] for file in (hand, *weak)}
    assert set(result.findings.table["path"]) == stems
    assert set(result.findings.table["kind"]) == {"unreadable_picture"}
    assert "the JPEG file is cut short" in result.findings.table["reason"][0]
    assert not stems & (names_in(result.train) | names_in(result.val))
    assert result.summary()["pictures"]["hybrid"] == 10


def test_where_no_weak_picture_can_be_read_there_is_no_set(sets):
    for row in sets.weak.values():
        _cut(sets.folders["WEAK"] / row["file"])
    with pytest.raises(DataError, match=r"None of the 12 weakly labelled pictures can be read; the first time: .*cut short"):
        made(sets, copies=0)


def test_a_predictor_that_fails_on_all_pictures_is_an_error(sets):
    with pytest.raises(ModelError, match=r"failed on all 12 pictures.*out of memory"):
        made(sets, Left(fails_on={"all"}))
    assert not (sets.root / "N_H1").exists()
    assert made(sets, copies=0).counts["hybrid"] == 12


def test_a_stopped_run_goes_on_where_it_was(sets):
    class Stopped(Left):
        def __call__(self, pictures):
            if len(self.asked) >= 6:
                raise KeyboardInterrupt
            return super().__call__(pictures)

    with pytest.raises(KeyboardInterrupt):
        made(sets, Stopped(), batch=2)
    assert not (sets.root / "N_H1").exists()
    finished = len(list(sets.root.glob(".N_H1.work/*/*.json")))
    assert finished >= 4, "only the last two may still have been on their way"
    rest = Left()
    resumed = made(sets, rest, batch=2)
    assert len(rest.asked) == 12 - finished
    whole = made(sets, number=2)
    for path in sorted((resumed.train / "masks").iterdir()):
        assert path.read_bytes() == (whole.train / "masks" / path.name).read_bytes()
    assert not list(sets.root.glob(".N_H*"))


def test_what_else_lies_in_a_given_work_folder_stays(sets, tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work/notes.txt").write_text("mine", encoding="utf-8")
    make_hybrid_set(sets, Improver(Left(), "m1"), HybridSetConfig(copies=0), work=tmp_path / "work", engine=ONE)
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["notes.txt"]


def test_another_model_does_not_go_on_with_the_masks_of_the_first(sets):
    class Stopped(Left):
        def __call__(self, pictures):
            if len(self.asked) >= 6:
                raise KeyboardInterrupt
            return super().__call__(pictures)

    with pytest.raises(KeyboardInterrupt):
        made(sets, Stopped(), batch=2)
    second = Left()
    made(sets, second, model="m2")
    assert len(second.asked) == 12


def test_the_provenance_tells_model_mode_and_the_fate_of_every_box(sets):
    result = made(sets, mode={"name": "per_box", "limit": 0.9}, copies=0)
    told = provenance(result.train)
    assert told["model"] == "m1"
    assert told["config"]["mode"]["name"] == "per_box"
    assert told["config"]["mode"]["limit"] == 0.9
    assert told["config"]["mode"]["threshold"] == 0.75
    boxes = [row["boxes"] for row in told["pictures"] if row["origin"] == "hybrid"]
    assert {entry["fate"] for some in boxes for entry in some} == {"whole"}
    assert result.table["reason"][0] == "The prediction fills 0.25 of it, less than 0.9, so it is kept whole."
    assert result.table.select("x1", "y1", "x2", "y2").row(0) == tuple(map(float, BOX))
    assert str(result).startswith("N_H1 and N_H1_VAL: 4 manual, 12 hybrid pictures.")


def test_logits_and_a_wrong_number_of_maps_stop_the_run(sets):
    with pytest.raises(DataError, match="put logits through a sigmoid"):
        made(sets, lambda pictures: [np.full((1, *p.shape[:2]), 3.0, np.float32) for p in pictures])
    with pytest.raises(DataError, match="gives 2 maps and there are 1 classes"):
        made(sets, Left(classes=2))
    with pytest.raises(ModelError, match="0 answers to 4 pictures"):
        made(sets, lambda _: [])
    with pytest.raises(DataError, match="exchanged"):
        made(sets, lambda pictures: [np.zeros((1, p.shape[1], p.shape[0]), np.float32) for p in pictures])


def test_several_classes_have_beliefs_each(tmp_path):
    pixels = np.zeros((12, 16), bool)
    pixels[1:5, 1:6] = True
    rows = []
    for image in range(1, 10):
        weak = [box(image, 0, [1, 1, 12, 9]), box(image, 1, [9, 1, 15, 9])]
        rows += [mask(image, 0, pixels), mask(image, 1, pixels[::-1])] if image <= 5 else weak
    dataset = pictured(tmp_path / "d", [f"images/{n}.png" for n in range(9)], rows, ["a/b", "c"])
    for number in range(9):
        write_picture(tmp_path / f"d/images/{number}.png", number, size=(16, 12))
    prepare(dataset, PrepareConfig.make(name="N"), engine=ONE).save(tmp_path)
    result = made(open_sets(tmp_path, "N"), Left(classes=2), copies=1, mode={"name": "per_box", "limit": 0.1})
    name = next(row["name"] for row in provenance(result.train)["pictures"] if row["origin"] == "hybrid" and not row["copy_of"])
    first, second = (mask_of(result.train / f"beliefs/{folder}/{name}.png") for folder in ("a%2F;b", "c"))
    assert np.flatnonzero(first[2]).tolist() == [10, 11]
    assert np.flatnonzero(second[2]).tolist() == [10, 11, 12, 13]
    assert set(np.unique(mask_of(result.train / f"masks/{name}.png"))) == {0, 1, 2}
    assert burnish.open(result.train).annotations["class"].n_unique() == 2


def test_two_models_or_a_prompted_one_take_part_where_the_mode_asks_for_them(sets):
    class Whole:
        """Draws each box itself; what it is shown is what it gives."""

        def segment(self, pictures, prompts=None):
            drawn = []
            for picture, prompt in zip(pictures, prompts, strict=True):
                mask = np.zeros(picture.shape[:2], bool)
                mask[6:9, 9:12] = True
                drawn.append(replace(prompt, masks=tuple(rle.compress(rle.encode(mask)) for _ in prompt.boxes)))
            return drawn

    def other(pictures):
        return [np.roll(one, 2, axis=2) for one in Left()(pictures)]

    improver = Improver(Left(), "two", second=other, segmenter=Whole())
    seen = {}
    for number, mode in enumerate(("agreement", "prompted"), start=1):
        result = make_hybrid_set(sets, improver, HybridSetConfig.make(number=number, mode=mode, copies=0), engine=ONE)
        name = next(name for name in names_in(result.train) if int(name) >= 8)
        seen[mode] = mask_of(result.train / f"masks/{name}.png")
    assert seen["agreement"][10, 8:18].tolist() == [0, 0, 128, 128, 255, 255, 128, 128, 0, 0]
    assert np.count_nonzero(seen["prompted"]) == 9
    with pytest.raises(DataError, match=r"give the other \(--second RUN, Evidence\.second\)"):
        made(sets, number=3, mode="agreement")


def test_the_older_name_of_the_validation_set_is_read(sets):
    (sets.root / "N_BASELINE_VAL").rename(sets.root / "N_VAL")
    again = open_sets(sets.root, "N")
    assert again.folders["BASELINE_VAL"].name == "N_VAL"
    assert made(again, copies=0).counts["manual"] == 4


def test_a_picture_of_the_evaluation_set_that_came_into_training_is_refused(sets):
    told = provenance(sets.root / "N_EVAL")
    other = provenance(sets.root / "N_WEAK")
    other["pictures"][0]["hash"] = told["pictures"][0]["hash"]
    (sets.root / "N_WEAK/provenance.json").write_text(json.dumps(other), encoding="utf-8")
    with pytest.raises(DataError, match="evaluation would leak"):
        open_sets(sets.root, "N")


def test_sets_that_are_missing_or_not_ours_are_named(tmp_path):
    with pytest.raises(FormatError, match="there is no set N_BASELINE; make the sets with burnish prepare"):
        open_sets(tmp_path, "N")
    for part in ("BASELINE", "BASELINE_VAL", "WEAK"):
        (tmp_path / f"N_{part}").mkdir()
    with pytest.raises(FormatError, match=r"no provenance\.json"):
        open_sets(tmp_path, "N")


def test_masks_of_instances_do_not_fit_into_a_set():
    with pytest.raises(ConfigError, match="call the mode itself"):
        HybridSetConfig.make(mode={"name": "soft", "instances": True})


def test_weak_masks_that_are_no_boxes_gate_by_their_own_shape(tmp_path):
    root = seed_dataset(tmp_path / "N", hand=8, weak=4)
    corner = np.zeros((24, 32), np.uint8)
    corner[4:20, 8:12] = corner[16:20, 8:24] = 255
    for number in range(8, 12):
        write_mask(root / f"masks/{number}.png", corner)
    prepare(burnish.open(root), engine=ONE).save(tmp_path)
    result = made(open_sets(tmp_path, "N"), copies=0)
    name = next(name for name in names_in(result.train) if int(name) >= 8)
    assert np.array_equal(mask_of(result.train / f"masks/{name}.png") > 0, corner > 0)


def test_a_refined_set_opens_as_a_dataset_of_its_classes(sets):
    opened = burnish.open(made(sets, copies=0).train)
    assert list(opened.class_names().values()) == ["object"]
    assert opened.annotations.height == len(opened)


def test_real_cracks_are_refined_by_a_predictor_of_dark_pixels(shared_data, tmp_path):
    root = shared_data / "deepcrack/train"
    opened = burnish.open(root / "boxes.coco.json")
    prepare(opened, PrepareConfig.make(masks=str(root), hand=24, name="crack", copies=0), engine=ONE).save(tmp_path)

    def dark(pictures):
        grey = [p.mean(axis=2) for p in pictures]
        return [(1 / (1 + np.exp((g - g.mean() + 25) / 8))).astype(np.float32)[None] for g in grey]

    result = make_hybrid_set(
        open_sets(tmp_path, "crack"), Improver(dark, "dark pixels"), HybridSetConfig.make(copies=0, mode="soft"), engine=ONE
    )
    better = []
    for name in names_in(result.train) - names_in(tmp_path / "crack_BASELINE"):
        truth = mask_of(root / f"masks/{name}.png") > 0
        weak, refined = (mask_of(folder / f"masks/{name}.png") > 127 for folder in (tmp_path / "crack_WEAK", result.train))
        better.append(_iou(refined, truth) > _iou(weak, truth))
    assert len(better) > 60
    assert np.mean(better) > 0.8
    assert result.table.filter(pl.col("fate") == "accepted").height > 100


def _iou(one, other):
    return np.count_nonzero(one & other) / np.count_nonzero(one | other)
