import json
import re
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest
from PIL import Image

from burnish.audit.page import MOST_GROUPS, audit_page
from burnish.audit.view import AuditView, Copy, CopyGroup
from burnish.report.gallery import Card, Evidence, Neighbour
from burnish.report.pictures import thumbnail

EVIL = """<b>"x"</b>"""
EVIL_PATH = """images/it's "quoted" </script>.jpg"""
CLASSES = ("cat", "dog", EVIL)
QUALITY = pl.DataFrame(
    {"class": CLASSES, "pictures": [50, 30, 0], "issues": [5, 6, 0], "share": [0.1, 0.2, None], "confidence": [0.9, 0.8, float("nan")]}
)


class _Text(HTMLParser):
    """The words of a page outside of scripts and styles, and its tags."""

    def __init__(self):
        super().__init__()
        self.words, self.tags, self._inside = "", [], ""

    def handle_starttag(self, tag, attrs):
        self._inside = tag
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words += "" if self._inside in {"script", "style"} else data


def _read(markup):
    text = _Text()
    text.feed(markup)
    text.close()
    return text


def _picture(shade):
    return thumbnail(np.full((12, 12, 3), shade, np.uint8))


def _card(number, **changes):
    evidence = (Evidence(f"nearest {EVIL}", (Neighbour(_picture(number % 200), EVIL_PATH),)),)
    values = {"key": f"{number}", "picture": _picture(number % 200), "title": EVIL_PATH, "given": EVIL, "suggested": "dog", "score": 0.9}
    return Card(**(values | {"kind": "label", "reason": EVIL, "evidence": evidence} | changes))


def _view(**changes):
    values = {
        "dataset": f"cells {EVIL}",
        "path": EVIL_PATH,
        "pictures": 80,
        "classes": CLASSES,
        "counts": {"label": 11, "near_duplicate": 3, EVIL: 1},
        "cards": tuple(map(_card, range(5))),
        "outliers": (_card(7, kind="outlier"),),
        "quality": QUALITY,
        "confused": pl.DataFrame({"given": [EVIL, "cat"], "suggested": ["dog", EVIL], "count": [4, 2]}),
        "noise": np.array([[45, 3, 2], [6, 24, 0], [0, 0, 0]]),
        "scores": np.linspace(0, 1, 80),
        "cutoff": 0.875,
        "copies": (
            CopyGroup("exact_duplicate", (Copy(_picture(1), "a.jpg", "cat"), Copy(None, "b.jpg", "cat"))),
            CopyGroup("near_duplicate", (Copy(_picture(2), EVIL_PATH, EVIL, "train"), Copy(_picture(3), "d.jpg", "dog", "test"))),
        ),
        "unreadable": pl.DataFrame({"path": [EVIL_PATH], "reason": [EVIL]}),
        "accuracy": 0.856,
        "method": (("Model", EVIL),),
        "settings": f"model: {EVIL}",
        "made": "2026-01-02 03:04",
        "results": ("findings.csv",),
    }
    return AuditView(**(values | changes))


def _cards(markup, key="suspects"):
    return json.loads(re.search(rf'id="{key}-cards">(.*?)</script>', markup)[1])["cards"]


def test_no_text_of_a_dataset_becomes_markup():
    markup = audit_page(_view())
    read = _read(markup)
    assert markup.count("<b>") == 1  # the program's own name
    assert markup.count("<script") == markup.count("</script>") == 3
    assert EVIL in read.words
    assert EVIL_PATH in read.words


def test_the_page_names_no_place_in_the_network():
    markup = audit_page(_view())
    addresses = [values[name] for _, values in _read(markup).tags for name in ("src", "href") if name in values]
    assert addresses
    assert all(address.startswith(("#", "data:")) for address in addresses)
    assert "http:" not in markup
    assert "https:" not in markup


def test_all_suspects_are_in_the_page():
    cards = tuple(_card(number, score=number / 2000) for number in range(2000))
    markup = audit_page(_view(cards=cards, counts={"label": 2000}))
    assert {card["key"] for card in _cards(markup)} == {str(number) for number in range(2000)}
    assert _cards(markup)[0]["key"] == "1999"


def test_the_head_tells_how_many_labels_look_wrong():
    words = _read(audit_page(_view())).words
    assert "11 of 80 labels look wrong, 13.8 %." in words
    assert "85.6 %" in words
    assert "No label of 80 looks wrong." in _read(audit_page(_view(counts={}))).words


def test_a_page_that_shows_only_some_suspects_says_so():
    assert "The 5 most suspect of 11 are shown" in audit_page(_view())


def test_classes_are_sorted_by_their_share_of_issues_and_lead_to_their_suspects():
    table = audit_page(_view()).split('id="classes"')[1]
    rows = re.findall(r'<tr><td><a href="([^"]*)">([^<]*)</a></td><td class="number" data-value="(\d+)"', table)
    assert [(name, pictures) for _, name, pictures in rows[:2]] == [("dog", "30"), ("cat", "50")]
    assert rows[0][0] == "#suspects?given=dog"


def test_groups_with_different_labels_and_across_splits_are_marked_and_come_first():
    markup = audit_page(_view())
    assert markup.index("labels differ") < markup.index("Exact copy <span")
    assert markup.count("labels differ") == markup.count("crosses splits") == 1
    assert "2 groups of pictures that are the same; with different labels: 1; across splits: 1." in markup


def test_copies_without_a_label_or_a_split_are_no_conflict():
    group = CopyGroup("near_duplicate", (Copy(None, "a.jpg", "cat", "train"), Copy(None, "b.jpg")))
    assert not group.conflict
    assert not group.leak


def test_very_many_groups_are_cut_and_it_is_told():
    groups = (CopyGroup("near_duplicate", (Copy(None, "a.jpg"), Copy(None, "b.jpg"))),) * (MOST_GROUPS + 5)
    markup = audit_page(_view(copies=groups))
    assert markup.count("<article") == MOST_GROUPS
    assert f"The first {MOST_GROUPS} are shown." in markup


def test_an_audit_that_found_nothing_has_a_page():
    markup = audit_page(AuditView(dataset="empty", pictures=0, classes=(), counts={}, cards=()))
    assert "Nothing was found" in markup
    assert "Nothing to draw" in markup
    assert 'href="#suspects?' not in markup


@pytest.mark.parametrize("count", [1, 50])
def test_any_number_of_classes_has_a_page(count):
    names = tuple(f"класс {index}" for index in range(count))
    quality = pl.DataFrame(
        {"class": names, "pictures": [3] * count, "issues": [1] * count, "share": [1 / 3] * count, "confidence": [0.5] * count}
    )
    _read(audit_page(_view(classes=names, quality=quality, noise=np.full((count, count), 2))))


def test_five_hundred_suspects_of_real_pictures_stay_under_ten_megabytes(shared_data):
    files = sorted((shared_data / "bccd" / "JPEGImages").glob("*.jpg"))[:12]
    if not files:
        pytest.skip("the BCCD pictures are not in the shared data")
    sheets = [np.asarray(Image.open(file).convert("RGB")) for file in files]
    random = np.random.default_rng(0)

    def crop(longest):
        sheet, side = sheets[random.integers(len(sheets))], int(random.integers(70, 240))
        y, x = random.integers(sheet.shape[0] - side), random.integers(sheet.shape[1] - side)
        return thumbnail(sheet[y : y + side, x : x + side], longest=longest)

    def evidence():
        return tuple(Evidence("nearest", tuple(Neighbour(crop(80), "cell.jpg") for _ in range(5))) for _ in range(2))

    cards = tuple(_card(number, picture=crop(160), evidence=evidence()) for number in range(100))
    assert len(audit_page(_view(cards=cards))) < 10e6 / 5
