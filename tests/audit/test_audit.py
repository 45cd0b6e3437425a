"""The audit from end to end: on real cells with exchanged labels, on hard cases, and on boxes."""

import json
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest
from builders import boxes_dataset, labels_folder, write_class_picture, write_lines
from PIL import Image

import burnish
from burnish.audit.folds import make_folds
from burnish.audit.result import AuditResult
from burnish.audit.settings import AuditConfig
from burnish.data.schema import FINDINGS
from burnish.errors import DataError

CELLS = Path(__file__).parents[2] / "examples/bccd_cells"
NUMBER = 150
QUICK = {"model": "patches", "folds": 3, "repeats": 1, "size": 24}


@dataclass(frozen=True)
class Audited:
    dataset: Path
    out: Path
    result: AuditResult
    lines: list[bytes]
    truth: dict[str, dict]


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    """150 real cells, whose lines are written in several ways and carry fields of their own, audited and saved."""
    folder = tmp_path_factory.mktemp("audit") / "cells <b>"
    rows = [json.loads(line) for line in (CELLS / "labels.jsonl").read_text().splitlines()[:NUMBER]]
    lines = [_line(number, row) for number, row in enumerate(rows)]
    (folder / "images").mkdir(parents=True)
    for row in rows:
        (folder / row["image"]).write_bytes((CELLS / row["image"]).read_bytes())
    (folder / "labels.jsonl").write_bytes(b"\xef\xbb\xbf" + b"".join(lines))
    result = burnish.audit(burnish.open(folder), AuditConfig(**{**QUICK, "repeats": 2, "size": 32}))
    out = folder.parent / "out"
    result.save(out)
    truth = {row["image"]: row for row in map(json.loads, (CELLS / "truth.jsonl").read_text().splitlines())}
    return Audited(folder, out, result, lines, {row["image"]: truth[row["image"]] for row in rows if row["image"] in truth})


def _line(number: int, row: dict) -> bytes:
    """Odd lines have other blanks, another order and more fields, as files of other tools do."""
    if number % 2:
        return (
            json.dumps({"by": "Żółw", "label": row["label"], "image": row["image"], "n": 1.50}, separators=(" ,", " :  ")) + "\r\n"
        ).encode()
    return (json.dumps({**row, "more": {"a": [1, None]}}, ensure_ascii=False) + "\n").encode()


def test_most_exchanged_labels_are_found_and_few_others_are_suspected(audited):
    suspected = set(audited.result.labels.filter("is_issue")["path"])
    found = suspected & set(audited.truth)
    assert len(found) >= 0.7 * len(audited.truth)
    assert len(suspected - set(audited.truth)) <= 0.1 * NUMBER


def test_most_suggestions_are_the_true_class(audited):
    suggested = dict(audited.result.labels.filter("is_issue").select("path", "suggested").iter_rows())
    hits = [suggested[path] == row["true"] for path, row in audited.truth.items() if path in suggested]
    assert sum(hits) >= 0.8 * len(hits)


def test_the_labels_file_itself_is_never_touched(audited):
    assert (audited.dataset / "labels.jsonl").read_bytes() == b"\xef\xbb\xbf" + b"".join(audited.lines)


def test_corrected_labels_keep_every_row_in_order_and_unchanged_lines_byte_for_byte(audited):
    corrected = (audited.dataset / "corrected_labels.jsonl").read_bytes().removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True)
    changes = audited.result.corrections()
    assert len(corrected) == NUMBER
    for number, (before, after) in enumerate(zip(audited.lines, corrected, strict=True), start=1):
        if number in changes:
            assert json.loads(after) == {**json.loads(before), "label": changes[number]}
            assert after.replace(changes[number].encode(), b"") == before.replace(json.loads(before)["label"].encode(), b"")
        else:
            assert after == before
    assert changes


def test_findings_have_the_declared_columns_in_both_files(audited):
    names = [column.name for column in FINDINGS]
    table = pl.read_parquet(audited.out / "findings.parquet")
    assert table.columns == names == pl.read_csv(audited.out / "findings.csv").columns
    assert table.filter(kind="label")["score"].is_between(0, 1).all()
    assert table["reason"].str.len_chars().min() > 10
    assert set(table.filter(kind="label").columns) >= {"score", "is_issue", "given", "suggestion", "reason"}


def test_every_judged_label_is_in_the_labels_table(audited):
    labels = pl.read_parquet(audited.out / "labels.parquet")
    assert labels.height == NUMBER
    assert labels.equals(audited.result.labels)
    assert labels["score"].is_between(0, 1).all()


def test_suspects_are_drawn_ten_a_page_and_the_last_page_holds_the_rest(audited):
    suspects = audited.result.labels["is_issue"].sum()
    pages = sorted((audited.out / "pages").iterdir(), key=lambda path: int(path.stem))
    assert [path.name for path in pages] == [f"{number}.jpg" for number in range(-(-suspects // 10))]
    sizes = set()
    for path in pages:
        with Image.open(path) as picture:
            assert picture.format == "JPEG"
            picture.load()
            sizes.add(picture.size)
    assert len(sizes) == 1


class _Addresses(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        del tag
        self.found += [value for name, value in attrs if name in {"src", "href", "srcset", "data", "action"} and value]


def test_the_report_is_one_file_that_fetches_nothing(audited):
    text = (audited.out / "report.html").read_text(encoding="utf-8")
    page = _Addresses()
    page.feed(text)
    assert "data:image/jpeg;base64,/9j/" in text
    fetched = [address for address in page.found if not address.startswith(("data:", "#"))]
    assert not [address for address in fetched if "//" in address]
    assert "@import" not in text
    assert not [word for word in ("url(http", "fetch(", "XMLHttpRequest", "sendBeacon", "import(") if word in text]


def test_the_report_shows_names_as_text(audited):
    text = (audited.out / "report.html").read_text(encoding="utf-8")
    assert "cells <b>" not in text
    assert "cells &lt;b&gt;" in text


def test_the_report_names_each_suspect_with_both_labels(audited):
    text = (audited.out / "report.html").read_text(encoding="utf-8")
    for path, suggested in audited.result.labels.filter("is_issue").select("path", "suggested").iter_rows():
        assert path in text
        assert suggested in text


def quick(folder, **changes):
    return burnish.audit(burnish.open(folder), AuditConfig(**{**QUICK, **changes}))


def test_a_class_rarer_than_the_folds_is_judged(tmp_path):
    folder = labels_folder(tmp_path, ["red"] * 10 + ["blue"] * 10 + ["green"] * 2)
    labels = quick(folder, folds=5).labels
    assert labels.height == 22
    assert not labels.filter(given="green")["reason"].str.contains("only example").any()


def test_fewer_pictures_than_folds_get_fewer_folds(tmp_path):
    result = quick(labels_folder(tmp_path, ["red", "blue", "red", "blue"]), folds=10)
    assert result.summary()["folds"] == 4


def test_the_only_example_of_a_class_is_told_and_keeps_its_label(tmp_path):
    folder = labels_folder(tmp_path, ["red"] * 8 + ["blue"] * 8 + ["green"])
    row = quick(folder).labels.filter(given="green").row(0, named=True)
    assert (row["is_issue"], row["suggested"], row["score"]) == (False, "green", 0.0)
    assert row["reason"].startswith("It is the only example of its class")


def test_two_copies_of_one_picture_are_too_little_to_judge(tmp_path):
    folder = labels_folder(tmp_path, ["red", "blue"])
    (folder / "images/001.jpg").write_bytes((folder / "images/000.jpg").read_bytes())
    with pytest.raises(DataError, match="at least two groups are needed"):
        quick(folder)


def test_copies_and_scenes_are_never_divided_between_training_and_prediction(tmp_path):
    folder = labels_folder(tmp_path, ["red", "blue", "green"] * 6)
    for copy, original in ((3, 0), (6, 0), (10, 1)):
        (folder / f"images/{copy:03d}.jpg").write_bytes((folder / f"images/{original:03d}.jpg").read_bytes())
    rows = [json.loads(line) for line in (folder / "labels.jsonl").read_text().splitlines()]
    write_lines(folder / "labels.jsonl", [{**row, "group": "film"} if index in {12, 13, 14} else row for index, row in enumerate(rows)])
    result = quick(folder, folds=6)
    groups = result.seen.copy_groups()
    assert groups[0] == groups[3] == groups[6] != groups[1] == groups[10]
    assert len(set(result.items.scenes[[12, 13, 14]])) == 1
    assert result.summary()["folds"] <= 6
    for seed in range(5):
        for keys in (groups, result.items.scenes):
            parts = make_folds(result.items.labels, 3, keys, 6, seed=seed).parts
            assert all(len(set(parts[keys == key])) == 1 for key in set(keys))


def test_different_labels_on_one_picture_are_told(tmp_path):
    folder = labels_folder(tmp_path, ["red", "blue", "green"] * 5)
    (folder / "images/001.jpg").write_bytes((folder / "images/000.jpg").read_bytes())
    table = quick(folder).table.filter(kind="label_conflict")
    assert set(table["path"]) == {"images/000.jpg", "images/001.jpg"}


def test_unreadable_pictures_and_those_without_a_label_stop_nothing(tmp_path):
    folder = labels_folder(tmp_path, ["red", "blue", "green"] * 5)
    (folder / "images/000.jpg").write_bytes(b"")
    (folder / "images/001.jpg").write_bytes((folder / "images/001.jpg").read_bytes()[:200])
    (folder / "images/002.jpg").unlink()
    write_class_picture(folder / "images/more.jpg", "red", 77)
    with (folder / "labels.jsonl").open("a") as stream:
        stream.write('{"image": "images/more.jpg", "label": null}\n')
    result = quick(folder)
    kinds = dict(result.table.filter(pl.col("kind").is_in(["unreadable_picture", "missing_file"])).select("path", "kind").iter_rows())
    assert kinds["images/000.jpg"] == "unreadable_picture"
    assert kinds["images/002.jpg"] == "missing_file"
    assert "images/more.jpg" not in set(result.labels["path"])
    result.save(tmp_path / "out")
    assert len((folder / "corrected_labels.jsonl").read_text().splitlines()) == 16
    assert '{"image": "images/more.jpg", "label": null}\n' in (folder / "corrected_labels.jsonl").read_text()


def test_an_existing_result_is_neither_worked_for_nor_replaced_without_force(tmp_path):
    folder = labels_folder(tmp_path, ["red", "blue"] * 4)
    (folder / "corrected_labels.jsonl").write_text("precious")
    with pytest.raises(DataError, match="is there already"):
        quick(folder)
    result = quick(folder, correct=False)
    result.save(tmp_path / "out")
    assert (folder / "corrected_labels.jsonl").read_text() == "precious"


def test_boxes_are_judged_by_their_cut_outs(tmp_path):
    root = tmp_path / "street"
    dataset = boxes_dataset(root, 16, classes=("red", "blue"))
    for index in range(16):
        left, right = tmp_path / "left.png", tmp_path / "right.png"
        write_class_picture(left, "red", 2 * index, (10, 24))
        write_class_picture(right, "blue", 2 * index + 1, (22, 24))
        whole = Image.new("RGB", (32, 24))
        for place, part in ((0, left), (10, right)):
            with Image.open(part) as picture:
                whole.paste(picture, (place, 0))
        whole.save(root / f"images/{index}.jpg", quality=95)
    wrong = dataset.annotations.with_columns(pl.when(pl.col("id") == 5).then(1 - pl.col("class")).otherwise(pl.col("class")).alias("class"))
    result = burnish.audit(dataset.with_tables(annotations=wrong), AuditConfig(**QUICK))
    worst = result.labels.sort("score", descending=True).row(0, named=True)
    assert result.labels.height == 32
    assert (worst["annotation"], worst["is_issue"], worst["given"], worst["suggested"]) == (5, True, "blue", "red")
    assert result.corrections() == {}
    result.save(tmp_path / "out")
    assert (tmp_path / "out/pages/0.jpg").is_file()


def test_a_finished_audit_is_not_worked_again(tmp_path):
    folder = labels_folder(tmp_path / "cells", ["red", "blue", "green"] * 5)
    dataset, config = burnish.open(folder), AuditConfig(**QUICK)
    first = burnish.audit(dataset, config, work=tmp_path / "work")
    folds = {path: path.stat().st_mtime_ns for path in (tmp_path / "work").rglob("*.npz")}
    again = burnish.audit(dataset, config, work=tmp_path / "work")
    assert len(folds) == 3
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "work").rglob("*.npz")} == folds
    assert again.labels.equals(first.labels)
