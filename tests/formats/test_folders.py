import pytest
from format_builders import box, class_names, differing, fresh_folders, pictured, put_picture
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.engine.names import natural_key
from burnish.formats import folders


def labels_of(dataset) -> dict[str, str]:
    names, paths = dataset.class_names(), dict(dataset.image_files().select("image", "path").iter_rows())
    return {paths[image]: names[number] for image, number in dataset.annotations.select("image", "class").iter_rows()}


def test_folders_are_classes_and_empty_ones_stay(tmp_path):
    for path in ("cat/1.png", "dog/2.png", "dog/deeper/3.png"):
        put_picture(tmp_path / path)
    (tmp_path / "cow").mkdir()
    dataset = folders.read(tmp_path)
    assert labels_of(dataset) == {"cat/1.png": "cat", "dog/2.png": "dog", "dog/deeper/3.png": "dog"}
    assert list(dataset.class_names().values()) == ["cat", "cow", "dog"]
    assert dataset.notes.is_empty()


def test_train_val_and_test_above_the_classes_are_splits(tmp_path):
    for path in ("train/cat/1.png", "valid/cat/2.png", "test/dog/3.png"):
        put_picture(tmp_path / path)
    dataset = folders.read(tmp_path)
    assert sorted(dataset.images["split"].to_list()) == ["test", "train", "val"]
    assert list(dataset.class_names().values()) == ["cat", "dog"]


def test_a_class_may_be_called_train(tmp_path):
    dataset = pictured(tmp_path / "in", ["1.png", "2.png"], [{"image": i, "class": i - 1, "kind": "tag"} for i in (1, 2)], ["train", "val"])
    folders.write(dataset, tmp_path / "out")
    assert sorted(labels_of(folders.read(tmp_path / "out")).values()) == ["train", "val"]


def test_pictures_beside_the_class_folders_are_findings(tmp_path):
    for path in ("cat/1.png", "stray.png"):
        put_picture(tmp_path / path)
    dataset = folders.read(tmp_path)
    assert dataset.notes.select("kind", "path").rows() == [("no_class_folder", "stray.png")]
    assert len(dataset) == 2


def test_the_order_of_names_is_that_of_classes_txt_or_of_the_caller(tmp_path):
    for path in ("a/1.png", "b/2.png"):
        put_picture(tmp_path / path)
    (tmp_path / "classes.txt").write_text("b\na\n")
    assert list(folders.read(tmp_path).class_names().values()) == ["b", "a"]
    assert list(folders.read(tmp_path, names=["a", "b"]).class_names().values()) == ["a", "b"]


def test_class_folders_are_recognised_and_other_folders_are_not(tmp_path):
    for path in ("classes/cat/1.png", "split/train/cat/1.png", "plain/images/1.png", "nothing/train/1.png", "nothing/val/1.png"):
        put_picture(tmp_path / path)
    found = {name: folders.recognise(tmp_path / name) for name in ("classes", "split", "plain", "nothing")}
    assert found == {"classes": True, "split": True, "plain": False, "nothing": False}


def test_unlabelled_pictures_second_labels_odd_splits_and_boxes_are_told(tmp_path):
    rows = [{"image": 1, "class": 0, "kind": "tag"}, {"image": 1, "class": 1, "kind": "tag"}, box(2, 0, (1, 2, 3, 4))]
    dataset = pictured(tmp_path / "in", ["a.png", "b.png"], rows, ["cat", "dog"], split=["fold1", None])
    findings = folders.write(dataset, tmp_path / "out")
    assert set(findings["kind"]) == {"not_carried"}
    assert findings["annotation"].drop_nulls().sort().to_list() == [2, 3]
    assert findings.filter(findings["annotation"].is_null())["image"].sort().to_list() == [1, 2]


def test_pictures_of_one_name_and_class_are_both_kept(tmp_path):
    rows = [{"image": i, "class": 0, "kind": "tag"} for i in (1, 2)]
    findings = folders.write(pictured(tmp_path / "in", ["a/1.png", "b/1.png"], rows, ["cat"]), tmp_path / "out")
    assert len(list((tmp_path / "out/cat").iterdir())) == 2
    assert findings["kind"].to_list() == ["renamed"]


@given(class_names, st.data())
@settings(max_examples=40, deadline=None)
def test_what_is_written_reads_as_it_was(names, data):
    names = sorted(names, key=natural_key) if data.draw(st.booleans()) else names
    count = data.draw(st.integers(1, 5))
    numbers = data.draw(st.lists(st.integers(0, len(names) - 1), min_size=count, max_size=count))
    splits = data.draw(st.lists(st.sampled_from([None, "train", "val", "test"]), min_size=count, max_size=count))
    rows = [{"image": i, "class": n, "kind": "tag"} for i, n in enumerate(numbers, start=1)]
    with fresh_folders() as (source, target):
        dataset = pictured(source, [f"{n}.png" for n in range(count)], rows, names, split=splits)
        assert folders.write(dataset, target, media="link").is_empty()
        back = folders.read(target)
        assert differing(_by_name(dataset), _by_name(back)) == []


def _by_name(dataset):
    """Folders give pictures the order of their paths; here that of their names counts, and class ids are told by name."""
    files = dataset.image_files().select(id="image", name="path").with_columns(name=_last(dataset.image_files()["path"]))
    order = dict(zip(files.sort("name")["id"].to_list(), range(1, len(dataset) + 1), strict=True))
    images = dataset.images.with_columns(id=_mapped(dataset.images["id"], order), media=_mapped(dataset.images["media"], order)).sort("id")
    tags = dataset.annotations.with_columns(image=_mapped(dataset.annotations["image"], order)).sort("image").with_columns(id=_ids(dataset))
    media = dataset.media.with_columns(id=_mapped(dataset.media["id"], order)).sort("id")
    return dataset.with_tables(images=images, annotations=tags, media=media)


def _last(paths):
    return paths.str.split("/").list.last()


def _mapped(column, order):
    return column.replace_strict(order)


def _ids(dataset):
    return dataset.annotations["id"].sort()


@pytest.mark.parametrize(
    "files",
    [
        ["JPEGImages/a.png", "SegmentationObject/a.png"],
        ["default/semantic/a.png", "default/instance/a.png"],
        ["WIDER_train/images/0--Parade/a.png", "cat/a.png"],
        ["bounding_box_train/0001_c1s1_000151_01.png", "query/0001_c1s1_000151_01.png"],
        ["leftImg8bit/train/a.png", "gtFine/train/a.png", "cat/a.png"],
        ["cat/a.png", "cat/a.txt"],
        ["train/cat/a.png", "train/cat/labels.csv"],
    ],
)
def test_folders_of_other_layouts_are_no_classes(tmp_path, files):
    for file in files:
        put_picture(tmp_path / file)
    assert not folders.recognise(tmp_path)
