import json
import unicodedata
from pathlib import Path

import pytest
from format_builders import box, class_names, differing, fresh_folders, pictured, put_picture
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.data.dataset import extra_fields
from burnish.errors import DataError, FormatError
from burnish.formats import jsonl


def labels_file(folder: Path, *lines: str | bytes, pictures: int = 3) -> Path:
    for number in range(1, pictures + 1):
        put_picture(folder / f"images/{number}.png")
    file = folder / "labels.jsonl"
    file.write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines) + b"\n")
    return file


def line(number: int, label: object = "cat", **more: object) -> str:
    return json.dumps({"image": f"images/{number}.png", "label": label, **more}, ensure_ascii=False)


def labels_of(dataset) -> dict[int, str]:
    names = dataset.class_names()
    return {image: names[number] for image, number in dataset.annotations.select("image", "class").iter_rows()}


def kinds(dataset) -> list[str]:
    return sorted(dataset.notes["kind"].to_list())


def test_a_picture_s_id_is_the_number_of_its_line(tmp_path):
    labels_file(tmp_path, line(1), "", line(2, "dog"), "   ", line(3))
    dataset = jsonl.read(tmp_path)
    assert labels_of(dataset) == {1: "cat", 3: "dog", 5: "cat"}
    assert dataset.notes.is_empty()


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path):
    file = labels_file(tmp_path)
    file.write_bytes(b"\xef\xbb\xbf" + line(1).encode() + b"\r\n" + line(2, "dog").encode() + b"\r\n")
    assert labels_of(jsonl.read(file)) == {1: "cat", 2: "dog"}


def test_further_fields_are_kept_in_order_and_come_back(tmp_path):
    labels_file(tmp_path / "in", line(1, camera="B", note=None, group=7, split="val", z=[1, 2.5]))
    dataset = jsonl.read(tmp_path / "in")
    assert dataset.images.select("scene", "split").row(0) == ("7", "val")
    jsonl.write(dataset, tmp_path / "out")
    written = json.loads((tmp_path / "out/labels.jsonl").read_text())
    assert written == {"image": "images/1.png", "label": "cat", "split": "val", "camera": "B", "note": None, "group": 7, "z": [1, 2.5]}
    assert differing(dataset, jsonl.read(tmp_path / "out")) == []


def test_classes_follow_the_names_given_then_classes_txt_then_natural_order(tmp_path):
    file = labels_file(tmp_path, line(1, "class10"), line(2, "class9"), line(3, "class9"))
    assert list(jsonl.read(file).class_names().values()) == ["class9", "class10"]
    (tmp_path / "classes.txt").write_text("class10\nclass9\nclass1\n")
    assert list(jsonl.read(file).class_names().values()) == ["class10", "class9", "class1"]
    assert list(jsonl.read(file, names=["class9", "class10"]).class_names().values()) == ["class9", "class10"]


def test_a_label_outside_the_names_is_kept_and_told_once(tmp_path):
    file = labels_file(tmp_path, line(1, "cow"), line(2, "cow"), line(3))
    dataset = jsonl.read(file, names=["cat"])
    assert labels_of(dataset) == {1: "cow", 2: "cow", 3: "cat"}
    assert dataset.notes.select("kind", "given").rows() == [("unknown_label", "cow")]


@pytest.mark.parametrize(("label", "read"), [(3, "3"), (3.5, "3.5"), (True, "true")])
def test_a_label_that_is_no_text_is_kept_as_text_and_told(tmp_path, label, read):
    dataset = jsonl.read(labels_file(tmp_path, line(1, label)))
    assert labels_of(dataset) == {1: read}
    assert kinds(dataset) == ["label_type"]


def test_a_list_of_labels_is_several_tags_and_comes_back(tmp_path):
    dataset = jsonl.read(labels_file(tmp_path / "in", line(1, ["cat", "dog"]), line(2)))
    assert dataset.annotations["image"].to_list() == [1, 1, 2]
    assert dataset.notes.select("kind", "is_issue").rows() == [("several_labels", False)]
    jsonl.write(dataset, tmp_path / "out")
    assert differing(dataset, jsonl.read(tmp_path / "out")) == []


@pytest.mark.parametrize("label", [{"a": 1}, [], "", "  ", [["cat"]]])
def test_a_label_that_names_nothing_is_kept_and_the_picture_is_unlabelled(tmp_path, label):
    dataset = jsonl.read(labels_file(tmp_path / "in", line(1, label), line(2)))
    assert labels_of(dataset) == {2: "cat"}
    assert kinds(dataset) == ["label_type"]
    jsonl.write(dataset, tmp_path / "out")
    assert json.loads((tmp_path / "out/labels.jsonl").read_text().splitlines()[0])["label"] == label


def test_null_is_unlabelled_without_a_finding_and_a_missing_label_with_one(tmp_path):
    dataset = jsonl.read(labels_file(tmp_path, line(1, None), '{"image": "images/2.png"}', line(3)))
    assert labels_of(dataset) == {3: "cat"}
    assert dataset.notes.select("kind", "position").rows() == [("no_label", "line 2")]


@pytest.mark.parametrize(
    "broken", ["{", "[1]", '"x"', '{"label": "cat"}', '{"image": 3}', '{"image": ""}', b'{"image": "\xff.png"}', r'{"image": "\ud800"}']
)
def test_a_broken_line_is_a_finding_with_its_number_and_the_rest_is_read(tmp_path, broken):
    dataset = jsonl.read(labels_file(tmp_path, line(1), broken, line(3)))
    assert labels_of(dataset) == {1: "cat", 3: "cat"}
    assert dataset.notes.select("kind", "position").rows() == [("broken_line", "line 2")]


def test_a_file_of_broken_lines_only_is_an_error_that_shows_the_first(tmp_path):
    with pytest.raises(FormatError, match=r"none of its 2 lines can be read; line 1"):
        jsonl.read(labels_file(tmp_path, "{", "nonsense"))


def test_an_empty_file_is_an_empty_dataset_with_a_finding(tmp_path):
    dataset = jsonl.read(labels_file(tmp_path, ""))
    assert len(dataset) == 0
    assert kinds(dataset) == ["empty_file"]


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(FormatError, match=r"Expected labels\.jsonl"):
        jsonl.read(tmp_path)


def test_pictures_that_are_missing_twice_there_or_outside_are_findings_and_all_rows_stay(tmp_path):
    put_picture(tmp_path / "outside.png")
    lines = [line(1), line(1, "dog"), '{"image": "../outside.png", "label": "cat"}', '{"image": "gone.png", "label": "cat"}']
    dataset = jsonl.read(labels_file(tmp_path / "in", *lines))
    assert len(dataset) == 4
    assert kinds(dataset) == ["duplicate_path", "missing_file", "outside_path"]


def test_backslashes_absolute_paths_spaces_and_either_normal_form_find_their_files(tmp_path):
    name = "й и ё.png"
    put_picture(tmp_path / "images" / unicodedata.normalize("NFD", name))
    lines = [r'{"image": "images\\1.png", "label": "a"}', json.dumps({"image": str(tmp_path / "images/2.png"), "label": "a"})]
    dataset = jsonl.read(labels_file(tmp_path, *lines, json.dumps({"image": f"images/{unicodedata.normalize('NFC', name)}", "label": "a"})))
    assert dataset.notes.is_empty()
    assert dataset.image_files()["path"].to_list()[:2] == ["images/1.png", "images/2.png"]


def test_labels_in_two_normal_forms_are_one_class(tmp_path):
    forms = [unicodedata.normalize(form, "красный") for form in ("NFC", "NFD")]
    dataset = jsonl.read(labels_file(tmp_path, line(1, forms[0]), line(2, forms[1])))
    assert dataset.classes.height == 1


def test_what_is_no_tag_is_not_carried_and_told(tmp_path):
    dataset = pictured(tmp_path / "in", ["a.png"], [box(1, 0, (1, 2, 3, 4))], ["cat"])
    findings = jsonl.write(dataset, tmp_path / "out")
    assert findings.select("kind", "annotation").rows() == [("not_carried", 1)]


def test_a_folder_and_a_file_are_recognised_and_other_jsonl_is_not(tmp_path):
    file = labels_file(tmp_path, line(1))
    other = tmp_path / "other.jsonl"
    other.write_text('{"text": "a"}\n')
    assert jsonl.recognise(tmp_path)
    assert jsonl.recognise(file)
    assert not jsonl.recognise(other)
    assert not jsonl.recognise(tmp_path / "images")


def test_rewriting_changes_only_the_labels_named(tmp_path):
    source = labels_file(tmp_path)
    raw = '\ufeff{"label" :"cat" , "image":"a.png"}\r\n\r\n{"image": "b.png", "x": {"label": "no"}, "label": "dog"}  \n{"image": "c.png"}'
    source.write_bytes(raw.encode())
    jsonl.rewrite_labels(source, tmp_path / "new.jsonl", {1: "кот", 4: "cow"})
    expected = raw.replace('"cat"', '"кот"').replace('"c.png"}', '"c.png", "label": "cow"}')
    assert (tmp_path / "new.jsonl").read_bytes() == expected.encode()
    assert source.read_bytes() == raw.encode()


def test_rewriting_keeps_the_way_a_line_is_written(tmp_path):
    source = labels_file(
        tmp_path, r'{"image": "\u0430.png", "label": "\u0430"}', '{"image": "b", "label": 3}', '{"image": "c", "label": 3}', line(4)
    )
    jsonl.rewrite_labels(source, tmp_path / "new.jsonl", {1: "б", 2: "5", 3: "five", 4: None})
    lines = (tmp_path / "new.jsonl").read_text().splitlines()
    assert lines == [
        r'{"image": "\u0430.png", "label": "\u0431"}',
        '{"image": "b", "label": 5}',
        '{"image": "c", "label": "five"}',
        line(4, None),
    ]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), min_size=1, max_size=5), st.data())
@settings(max_examples=40, deadline=None)
def test_rewriting_any_line_sets_its_label_and_no_other_byte(labels, data):
    chosen = data.draw(st.integers(0, len(labels) - 1))
    ascii_only = data.draw(st.booleans())
    texts = [
        json.dumps({"a": [i, {"label": "}"}], "label": label, "image": "i", "b": '"'}, ensure_ascii=ascii_only)
        for i, label in enumerate(labels)
    ]
    with fresh_folders() as (folder, _):
        (folder / "a.jsonl").write_text("\n".join(texts), encoding="utf-8", newline="")
        jsonl.rewrite_labels(folder / "a.jsonl", folder / "b.jsonl", {chosen + 1: "new"})
        lines = (folder / "b.jsonl").read_bytes().split(b"\n")
    assert json.loads(lines[chosen])["label"] == "new"
    assert [x for i, x in enumerate(lines) if i != chosen] == [x.encode() for i, x in enumerate(texts) if i != chosen]


def test_rewriting_refuses_the_source_itself_missing_lines_and_broken_ones(tmp_path):
    source = labels_file(tmp_path, line(1), "{")
    for target, changes in ((source, {1: "a"}), (tmp_path / "b.jsonl", {9: "a"}), (tmp_path / "b.jsonl", {2: "a"})):
        with pytest.raises(DataError):
            jsonl.rewrite_labels(source, target, changes)
    assert not (tmp_path / "b.jsonl").exists()


@given(class_names, st.data())
@settings(max_examples=40, deadline=None)
def test_what_is_written_reads_as_it_was(names, data):
    numbers = data.draw(st.lists(st.none() | st.integers(0, len(names) - 1), min_size=1, max_size=5))
    texts = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
    names = [name if name.strip() else f"{name}x" for name in names]
    rows = [{"image": i, "class": n, "kind": "tag"} for i, n in enumerate(numbers, start=1) if n is not None]
    columns = {c: data.draw(st.lists(texts, min_size=len(numbers), max_size=len(numbers))) for c in ("split", "scene")}
    with fresh_folders() as (source, target):
        dataset = pictured(source, [f"images/{n}.png" for n in range(len(numbers))], rows, list(dict.fromkeys(names)), **columns)
        assert jsonl.write(dataset, target, media="link").is_empty()
        assert differing(dataset, jsonl.read(target)) == []


def test_human_labels_of_cifar_are_read_with_all_classes(shared_data):
    dataset = jsonl.read(shared_data / "cifar10n")
    assert (len(dataset), dataset.classes.height, dataset.annotations.height) == (3000, 10, 3000)
    assert dataset.notes.is_empty()


def test_groups_of_magnetic_tiles_are_scenes(shared_data):
    dataset = jsonl.read(shared_data / "magtile")
    assert dataset.images["scene"].null_count() == 0
    assert extra_fields(dataset, "jsonl", "images")[1] == {"group": 40}
    assert dataset.notes.select("kind", "given").rows() == [("unknown_label", "free")]
