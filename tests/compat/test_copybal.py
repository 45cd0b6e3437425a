"""The names of copybal do what its users know."""

import polars as pl
import pytest

from burnish.balance.gradient import COLUMNS
from burnish.compat import copybal
from burnish.errors import DataError, LabelError

pytest.importorskip("torch")
FILE = "/path/to/file.jpg"
KEY = f"{FILE}\t1\t2\t3\tperson"


class Convertor:
    """Label tables with two classes."""

    class_meaning2superclass_meaning = {"person": "human", "car": "vehicle"}  # noqa: RUF012 - as the original has it

    def __init__(self, **indices):
        self.indices = indices

    def __call__(self, label):
        return self.indices.get(label, 0)

    def any_label2meaning(self, label):
        return label


def views(**columns):
    return pl.DataFrame(columns)


TASK = [(views(track_id=[1, 1, 2, 2, 3], label=["person", "person", "car", "car", "person"]), FILE, [1, 2, 3])]


def test_a_key_is_built_from_a_file_or_from_a_sequence():
    assert copybal.build_unigue_track_id(FILE, 1, 2, 3, "person") == KEY
    assert copybal.build_unigue_track_id(["/path/to/a.jpg", "/path/to/b.jpg"], 1, 2, 3, "person").startswith("/path/to/*\t")


@pytest.mark.parametrize(("file", "label"), [("a\tb.jpg", "person"), ("a.jpg", "per\tson"), (["x\ty/a.jpg"], "person")])
def test_a_tabulator_is_an_assertion_error(file, label):
    with pytest.raises(AssertionError):
        copybal.build_unigue_track_id(file, 1, 2, 3, label)


def test_splitting_turns_building_round():
    parts = copybal.split_unigue_track_id(KEY)
    assert parts == (FILE, 1, 2, 3, "person")
    assert [type(part) for part in parts] == [str, int, int, int, str]
    assert copybal.build_unigue_track_id(*parts) == KEY
    with pytest.raises(DataError, match="is no key of an object"):
        copybal.split_unigue_track_id("a\tb")


def test_a_graph_has_a_row_for_each_track_and_label():
    graph = copybal.init_object_file_graph_by_task(TASK, 0, Convertor())
    assert graph.columns == ["track_id", "file_list", "class_meaning", "superclass_meaning"]
    assert graph.height == 3
    assert set(graph["superclass_meaning"]) == {"human", "vehicle"}
    assert graph["file_list"].list.len().to_list() == [0, 0, 0]


def test_unused_classes_are_left_out():
    graph = copybal.init_object_file_graph_by_task(TASK, 0, Convertor(car=-1))
    assert graph["class_meaning"].to_list() == ["person", "person"]
    assert copybal.init_object_file_graph_by_task(TASK, 0, Convertor(car=-1, person=-2)).is_empty()


def test_tables_of_other_libraries_are_taken():
    task = [({"track_id": [1, 2], "label": ["person", "car"]}, FILE, [1])]
    assert copybal.init_object_file_graph_by_task(task, 0, Convertor()).height == 2


def test_a_meaning_without_superclass_is_told():
    with pytest.raises(LabelError, match="give the meaning 'dog' no superclass"):
        copybal.init_object_file_graph_by_task([(views(track_id=[1], label=["dog"]), FILE, [])], 0, Convertor())


def test_tasks_are_numbered():
    graphs = copybal.init_task_object_file_graphs([TASK, TASK], Convertor())
    assert [copybal.split_unigue_track_id(graph["track_id"][0])[1] for graph in graphs] == [0, 1]


def test_a_sample_is_added_to_what_is_visible_and_the_given_graph_stays():
    graph = copybal.init_object_file_graph_by_task(TASK, 0, Convertor())
    frame = views(track_id=[1, 2], label=["person", "car"], outside=[False, True])
    once = copybal.update_object_file_graphs(frame, graph, Convertor(), FILE, 0, 0, "0000001.jpg")
    twice = copybal.update_object_file_graphs(frame, once, Convertor(), FILE, 0, 0, "0000002.jpg")
    assert graph["file_list"].list.len().sum() == 0
    assert once["file_list"].to_list() == [["0000001.jpg"], [], []]
    assert twice["file_list"].to_list()[0] == ["0000001.jpg", "0000002.jpg"]
    with pytest.raises(DataError, match="1 objects that the graph does not know"):
        copybal.update_object_file_graphs(views(track_id=[9], label=["car"], outside=[False]), graph, Convertor(), FILE, 0, 0, "x.jpg")


def test_objects_without_a_sample_are_dropped():
    graphs = [pl.DataFrame({"file_list": [[], ["1.jpg"], []]}, schema={"file_list": pl.List(pl.String)})]
    assert copybal.drop_unused_track_ids_in_graphs(graphs)[0]["file_list"].to_list() == [["1.jpg"]]
    assert copybal.drop_unused_track_ids_in_graphs([]) == []


ARGUMENTS = {
    "files": [f"img{n}.jpg" for n in range(1, 6)],
    "file2index": {f"img{n}.jpg": n - 1 for n in range(1, 6)},
    "classes_collector": {"person": [[0, 1], [2, 3]], "car": [[0, 2], [1, 3]], "bicycle": [[0, 1, 2, 4], [3, 4]]},
    "superclass_meaning2class_meaning": {"human": {"person", "car"}, "vehicle": {"bicycle"}},
}


def test_the_optimiser_counts_every_file_and_tells_its_history():
    counts, history = copybal.torch_copy_bal(**ARGUMENTS, steps=5, max_file_copy_num=10, max_ds_increase_frac=2.0, device="cpu")
    assert list(counts) == ARGUMENTS["files"]
    assert all(type(count) is int and count >= 1 for count in counts.values())
    assert sum(counts.values()) <= 10
    assert history.columns == list(COLUMNS)


@pytest.mark.parametrize(("lists", "above"), [({"a": [[0]]}, {"X": {"a"}}), ({"a": [[0], [1]]}, {"X": {"a"}})])
def test_a_single_class_and_a_single_object_survive(lists, above):
    changed = {**ARGUMENTS, "classes_collector": lists, "superclass_meaning2class_meaning": above}
    counts, _ = copybal.torch_copy_bal(**changed, device="cpu", max_ds_increase_frac=2)
    assert len(counts) == 5


@pytest.fixture
def folder(tmp_path):
    """images/train and labels/train with eight samples, and a folder for statistics."""
    for name in ("images/train", "labels/train", "statistics"):
        (tmp_path / name).mkdir(parents=True)
    for number in range(8):
        (tmp_path / f"images/train/{number:07d}.jpg").write_bytes(b"picture")
        (tmp_path / f"labels/train/{number:07d}.txt").write_text(str(number), encoding="utf-8")
    return tmp_path


def graph_of(labels):
    """One object a sample."""
    keys = [copybal.build_unigue_track_id(FILE, 0, 0, number, label) for number, label in enumerate(labels)]
    above = [Convertor.class_meaning2superclass_meaning[label] for label in labels]
    files = [[f"{number:07d}.jpg"] for number in range(len(labels))]
    return pl.DataFrame({"track_id": keys, "file_list": files, "class_meaning": labels, "supeerclass_meaning": above})


def test_balancing_a_folder_links_exactly_as_many_samples_as_counted(folder):
    graphs = [graph_of(["person"] * 7 + ["car"])]
    history = copybal.make_copy_bal(graphs, folder / "images/train", device="cpu", max_ds_increase_frac=1.5)
    links = sorted(path.name for path in (folder / "images/train").glob("*_copy_*"))
    assert 1 <= len(links) <= 4
    assert all(name.startswith("0000007_copy_") for name in links)
    assert (folder / "images/train/0000007.jpg").stat().st_nlink == len(links) + 1
    assert len(list((folder / "labels/train").glob("*_copy_*"))) == len(links)
    assert (folder / "statistics/copy_bal_hist.csv").is_file()
    assert history.height
    copybal.make_copy_bal(graphs, folder / "images/train", device="cpu", max_ds_increase_frac=1.5)
    assert sorted(path.name for path in (folder / "images/train").glob("*_copy_*")) == links


def test_balanced_samples_are_left_alone(folder):
    copybal.make_copy_bal([graph_of(["person"] * 4 + ["car"] * 4)], folder / "images/train", device="cpu")
    assert not list((folder / "images/train").glob("*_copy_*"))


def test_files_that_are_not_in_the_folder_are_told(folder):
    (folder / "images/train/0000003.jpg").unlink()
    with pytest.raises(DataError, match=r"1 files that are not there: 0000003.jpg"):
        copybal.make_copy_bal([graph_of(["person"] * 7 + ["car"])], folder / "images/train", device="cpu")
    with pytest.raises(DataError, match="There is no folder"):
        copybal.make_copy_bal([], folder / "images/nothing", device="cpu")
    with pytest.raises(DataError, match="no sample shows an object"):
        copybal.make_copy_bal([], folder / "images/train", device="cpu")
