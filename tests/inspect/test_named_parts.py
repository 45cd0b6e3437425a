import polars as pl
import pytest

import burnish
from burnish.data.dataset import make_dataset
from burnish.errors import ConfigError, DataError
from burnish.inspect.settings import SplitConfig


def tasks(*, names=("cam1", "cam2", "cam3"), subsets=("Train", "vaLIdation", None), frames=4):
    """Tasks of one video each."""
    numbers = range(len(names))
    return make_dataset(
        "/nowhere",
        media=pl.DataFrame({"id": list(numbers), "path": [f"{name}/clip.mp4" for name in names], "kind": "video"}),
        tasks=pl.DataFrame({"id": list(numbers), "name": list(names), "subset": list(subsets)}, schema_overrides={"subset": pl.String}),
        images=pl.DataFrame(
            [
                {"id": 10 * task + frame, "media": task, "task": task, "frame": frame, "true_frame": frame}
                for task in numbers
                for frame in range(frames)
            ]
        ),
        classes=pl.DataFrame({"id": [0], "name": ["car"]}),
    )


def parts(dataset, **config):
    made = burnish.split(dataset, SplitConfig.make(**config)).dataset
    rows = made.images.group_by("task", maintain_order=True).agg(pl.col("split").unique())
    return dict(rows.iter_rows())


def test_subsets_of_tasks_name_their_parts_in_any_letter_case():
    assert parts(tasks(), by="subset") == {0: ["train"], 1: ["val"], 2: ["other"]}


def test_patterns_fit_paths_and_names_of_tasks_and_the_rest_is_for_training():
    assert parts(tasks(), by="pattern", pattern=["val=*cam3*", "test=re:m2$"]) == {0: ["train"], 1: ["test"], 2: ["val"]}


def test_the_first_pattern_that_fits_counts():
    assert parts(tasks(), by="pattern", pattern=["val=cam*", "test=*"]) == {0: ["val"], 1: ["val"], 2: ["val"]}


def test_tasks_are_never_cut_though_nobody_named_scenes():
    found = parts(tasks(names=tuple("abcdefgh"), subsets=(None,) * 8), val=0.25, stratify=False)
    assert all(len(names) == 1 for names in found.values())
    assert sum(names == ["val"] for names in found.values()) == 2


def test_frames_of_a_video_without_a_task_stay_together():
    lone = tasks()
    bare = lone.with_tables(images=lone.images.with_columns(task=pl.lit(None, dtype=pl.Int64)), tasks=lone.tasks.clear())
    made = burnish.split(bare, SplitConfig(val=0.3)).dataset
    assert made.images.group_by("media").agg(pl.col("split").n_unique())["split"].to_list() == [1, 1, 1]


def test_scenes_may_part_a_task_unless_whole_tasks_are_asked_for():
    dataset = tasks(names=("one",), subsets=(None,), frames=8)
    scenes = dataset.with_tables(images=dataset.images.with_columns(scene=pl.format("s{}", pl.col("frame") // 2)))
    assert len(parts(scenes, val=0.25)[0]) == 2
    assert len(parts(scenes, val=0.25, group="task")[0]) == 1


def test_names_that_would_cut_a_task_are_refused():
    dataset = tasks()
    mixed = dataset.with_tables(images=dataset.images.with_columns(subset=pl.when(pl.col("frame") > 1).then(pl.lit("Test"))))
    with pytest.raises(DataError, match=r"3 groups would be cut \(cam1/clip.mp4 and others: train, test"):
        burnish.split(mixed, SplitConfig(by="subset"))
    assert len(parts(mixed, by="subset", group="none")[0]) == 2


def test_patterns_are_checked():
    with pytest.raises(ConfigError, match="PART=PATTERN"):
        SplitConfig.make(by="pattern", pattern=["cam3"])
    with pytest.raises(ConfigError, match="belong together"):
        SplitConfig.make(pattern=["val=cam3"])
    with pytest.raises(ConfigError, match="no regular expression"):
        burnish.split(tasks(), SplitConfig(by="pattern", pattern=("val=re:(",)))


def test_marked_scenes_are_kept_and_named():
    dataset = tasks(names=("one",), subsets=(None,), frames=10)
    marks = pl.DataFrame({"id": [1, 2, 3, 4], "image": [1, 3, 6, 8], "class": [1, 2, 1, 2], "kind": "tag"})
    names = pl.DataFrame({"id": [0, 1, 2], "name": ["car", "scene-start", "scene-finish"]})
    made = burnish.split(dataset.with_tables(annotations=marks, classes=names), SplitConfig(scenes=True, val=0.5, stratify=False)).dataset
    assert made.images["frame"].to_list() == [1, 2, 3, 6, 7, 8]
    assert made.images.group_by("scene").agg(pl.col("split").n_unique())["split"].to_list() == [1, 1]
    assert set(made.images["split"]) == {"train", "val"}


def test_a_recorded_project_is_divided_by_its_subsets(backups):
    project = burnish.open(backups / "13_backup.012.zip")
    made = burnish.split(project, SplitConfig(by="subset"))
    assert str(made) == "train 6, other 66 of 72 pictures; 4 groups, none of them cut"
