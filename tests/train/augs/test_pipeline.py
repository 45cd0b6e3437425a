"""One generator decides all; what it drew can be written down and applied again."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_builders import assert_same, full_sample, task_sample

from burnish.descriptions import config_class
from burnish.errors import ConfigError
from burnish.train.augs import pipeline, sampling
from burnish.train.augs.names import AUGS
from burnish.train.augs.pipeline import build_augs, generator
from burnish.train.augs.pipeline_settings import AugsConfig
from burnish.train.augs.presets import BORDERS, PRESETS
from burnish.train.augs.steps import STEPS

EVERYTHING = {"steps": [{"name": name, "p": 1.0} for name in STEPS if name != "mixup"]}
CASES = [(task, strength) for task, strengths in PRESETS.items() for strength in strengths]


def draw(rng):
    return full_sample(seed=int(rng.integers(50)))


def test_every_name_has_a_step_and_a_description_of_that_name():
    assert set(AUGS.entries) == set(STEPS)
    for name in STEPS:
        assert config_class(AUGS, name)().model_dump()["name"] == name


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_what_was_drawn_is_written_as_json_and_gives_the_same_arrays(seed):
    augs = build_augs(EVERYTHING)
    choices = json.loads(json.dumps(augs.choose(np.random.default_rng(seed))))
    assert [choice["name"] for choice in choices] == [step.name for step in augs.steps]
    expected = augs.augment(full_sample(), np.random.default_rng(seed), draw)
    assert_same(augs.replay(full_sample(), choices, draw), expected)


@pytest.mark.parametrize("name", STEPS)
def test_each_augmentation_changes_something_and_not_in_place(name):
    sample = replace(full_sample(), mask=None) if name == "mixup" else full_sample()
    before = replace(full_sample(), mask=None) if name == "mixup" else full_sample()
    augs = build_augs({"steps": [{"name": name, "p": 1.0}]})
    changed = [augs.augment(sample, generator(0, 0, row), lambda rng: replace(draw(rng), mask=sample.mask)) for row in range(6)]
    assert any(not np.array_equal(one.picture, sample.picture) for one in changed)
    assert_same(sample, before)


def test_seed_epoch_and_row_each_count():
    augs = build_augs({"preset": "classification"})
    places = [(0, 0, 0), (0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    drawn = [json.dumps(augs.choose(generator(*place))) for place in places]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) == 4


def test_a_step_that_is_added_last_leaves_the_chance_of_the_others_alone():
    few = build_augs({"steps": ["horizontal_flip", {"name": "noise", "p": 1.0}]})
    more = build_augs({"steps": ["horizontal_flip", {"name": "noise", "p": 1.0}, {"name": "rain", "p": 1.0}]})
    for row in range(10):
        chosen = few.choose(generator(0, 0, row))
        assert more.choose(generator(0, 0, row))[: len(chosen)] == chosen


def test_all_changes_of_place_sample_the_picture_once(monkeypatch):
    calls = []
    real = sampling.cv2.warpPerspective
    monkeypatch.setattr(sampling.cv2, "warpPerspective", lambda *args, **options: calls.append(1) or real(*args, **options))
    names = [name for name in STEPS if pipeline.stage(name) in {1, 2}]
    augs = build_augs({"steps": [{"name": name, "p": 1.0} for name in names]})
    augs.augment(task_sample("classification"), generator(0, 0, 0))
    assert len(calls) == 1


def test_steps_act_in_their_order_however_they_are_given():
    names = [step.name for step in build_augs({"steps": ["noise", "rotation", "perspective", "mosaic", "horizontal_flip"]}).steps]
    assert names == ["mosaic", "perspective", "rotation", "horizontal_flip", "noise"]


def test_steps_replace_those_of_the_preset_or_are_added():
    augs = build_augs(
        {"preset": "detection", "strength": "light", "steps": [{"name": "scale", "p": 0, "factors": [1, 2]}, "vertical_flip"]}
    )
    plain = build_augs({"preset": "detection", "strength": "light"})
    assert [step.name for step in augs.steps] == ["horizontal_flip", "scale", "vertical_flip", "colour_jitter"]
    assert len(plain.steps) == 3
    assert next(step for step in augs.steps if step.name == "scale").factors == (1, 2)
    assert augs.rules.border == "black"


def test_a_step_with_p_0_never_comes():
    augs = build_augs({"steps": [{"name": "noise", "p": 0}]})
    assert not any(augs.choose(generator(0, 0, row)) for row in range(50))
    assert not build_augs({"steps": [{"name": "mosaic", "p": 0}]}).mixes


def test_a_step_comes_as_often_as_p_says():
    augs = build_augs({"steps": [{"name": "grey", "p": 0.3}]})
    assert sum(len(augs.choose(generator(0, 0, row))) for row in range(1000)) == pytest.approx(300, abs=50)


def test_mixing_without_other_samples_is_told_with_the_way_out():
    augs = build_augs({"steps": [{"name": "mosaic", "p": 1.0}]})
    assert augs.mixes
    with pytest.raises(ConfigError, match=r"give `draw`, or take the step out with \{name: mosaic, p: 0\}"):
        augs.augment(full_sample(), generator(0, 0, 0))


def test_wrong_names_keys_and_choices_are_told():
    with pytest.raises(ConfigError, match=r"no augmentation 'rotatoin'.*rotation"):
        build_augs({"steps": ["rotatoin"]})
    with pytest.raises(ConfigError, match="degrees"):
        build_augs({"steps": [{"name": "rotation", "degree": 3}]})
    with pytest.raises(ConfigError, match="'melt', which there is not"):
        build_augs().replay(full_sample(), [{"name": "melt"}])
    with pytest.raises(ConfigError, match="found one twice"):
        AugsConfig.make(mirror_points=[[0, 1], [1, 2]])
    with pytest.raises(ConfigError, match="lower end first"):
        build_augs({"steps": [{"name": "noise", "sigma": [5, 2]}]})


@pytest.mark.parametrize("name", ["color_jitter", "hflip", "RandomDust", "random_resized_crop"])
def test_the_names_that_others_use_are_known(name):
    assert len(build_augs({"steps": [name]}).steps) == 1


@pytest.mark.parametrize(("task", "strength"), CASES)
@pytest.mark.parametrize(("height", "width", "count"), [(48, 64, 3), (64, 40, 0), (1, 1, 0), (1, 30, 0)])
def test_every_preset_runs_on_every_picture(task, strength, height, width, count):
    augs = build_augs({"preset": task, "strength": strength, "mirror_points": [[0, 1]]})
    sample = task_sample(task, height, width, count)
    others = [task_sample(task, height + 3, width + 5, count, seed) for seed in range(4)]
    for row in range(12):
        changed = augs.augment(sample, generator(0, 0, row), lambda rng: others[int(rng.integers(4))])
        assert changed.size == sample.size
        assert changed.picture.dtype == np.uint8
        assert [name for name in ("mask", "boxes", "classes", "points", "label") if getattr(changed, name) is None] == [
            name for name in ("mask", "boxes", "classes", "points", "label") if getattr(sample, name) is None
        ]
        if changed.boxes is not None:
            assert len(changed.boxes) == len(changed.classes)
            assert (changed.boxes >= 0).all()
            assert (changed.boxes <= [width, height, width, height]).all()
        if changed.mask is not None:
            assert set(np.unique(changed.mask)) <= {0, 1, 2, 3, 255}


@pytest.mark.parametrize("task", PRESETS)
def test_presets_are_plain_data_of_every_strength(task):
    assert set(PRESETS[task]) == {"none", "light", "medium", "strong"}
    assert PRESETS[task]["none"] == ()
    assert json.loads(json.dumps(PRESETS[task]["strong"])) == list(PRESETS[task]["strong"])
    assert build_augs({"preset": task}).rules.border == BORDERS[task]


@pytest.mark.parametrize("task", PRESETS)
def test_stronger_presets_change_more(task):
    change = []
    for strength in ("none", "light", "medium", "strong"):
        augs = build_augs({"preset": task, "strength": strength})
        sample = task_sample(task)
        samples = [
            augs.augment(sample, generator(0, 0, row), lambda rng: task_sample(task, seed=int(rng.integers(9)))) for row in range(60)
        ]
        change.append(np.mean([np.abs(one.picture.astype(int) - sample.picture).mean() for one in samples]))
    assert change[0] == 0
    assert change == sorted(change)


def test_crops_have_the_size_that_is_asked_for():
    augs = build_augs({"steps": [{"name": "random_crop", "p": 1.0, "size": [32, 20]}]})
    assert augs.augment(full_sample(), generator(0, 0, 1)).size == (32, 20)


def test_a_crop_of_kept_proportions_keeps_them():
    augs = build_augs({"steps": [{"name": "random_crop", "p": 1.0, "size": 40, "area": [0.3, 0.3], "ratio": [1, 1]}]})
    sample = replace(full_sample(100, 200, count=1), boxes=np.array([[90, 40, 110, 60]], np.float32), instances=None, mask=None)
    changed = augs.augment(sample, generator(0, 0, 3))
    assert changed.size == (40, 40)
    for row in range(5):
        boxes = augs.augment(sample, generator(0, 0, row)).boxes
        if len(boxes) and boxes.min() > 0 and boxes.max() < 40:
            assert boxes[0, 2] - boxes[0, 0] == pytest.approx(boxes[0, 3] - boxes[0, 1], rel=0.02)


def test_settings_load_nothing_heavy():
    program = (
        "import sys; import burnish.train.augs.pipeline_settings, burnish.train.augs.names, burnish.train.augs.presets\n"
        "from burnish.descriptions import describe\n"
        "for name in burnish.train.augs.names.AUGS.entries: describe(burnish.train.augs.names.AUGS, name)\n"
        "print([name for name in ('cv2', 'torch', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
