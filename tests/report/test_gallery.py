import json
import re
from urllib.parse import parse_qs

import numpy as np
import pytest

from burnish.errors import DataError
from burnish.report.gallery import Card, Evidence, Neighbour, gallery, gallery_link
from burnish.report.pictures import thumbnail

PICTURE = thumbnail(np.zeros((8, 8, 3), np.uint8))
OTHER = thumbnail(np.full((8, 8, 3), 200, np.uint8))
EVIL = """</script><img src=x onerror="alert('x')">"""


def _card(key, **changes):
    return Card(
        **({"key": key, "picture": PICTURE, "title": f"images/{key}.jpg", "given": "cat", "suggested": "dog", "score": 0.5} | changes)
    )


def _data(markup):
    return json.loads(re.search(r'<script type="application/json" id="[^"]*">(.*?)</script>', markup)[1])


def test_all_cards_are_in_the_data_issues_first_and_most_suspect_first():
    cards = [_card("a", score=0.9, is_issue=False), _card("b", score=0.2), _card("c", score=0.7), _card("d", score=None)]
    assert [card["key"] for card in _data(gallery(cards))["cards"]] == ["c", "b", "d", "a"]


def test_equal_suspects_keep_their_order():
    assert [card["key"] for card in _data(gallery([_card(str(number)) for number in range(50)]))["cards"]] == [str(n) for n in range(50)]


def test_a_picture_that_many_cards_show_travels_once():
    evidence = (Evidence("nearest cats", (Neighbour(OTHER, "near"), Neighbour(PICTURE))),)
    data = _data(gallery([_card(str(number), evidence=evidence) for number in range(20)]))
    assert len(data["pictures"]) == 2
    assert data["pictures"][0] == [PICTURE.uri, 8, 8, 1]
    assert data["cards"][0]["evidence"] == [["nearest cats", [[1, "near"], [0, ""]]]]


def test_a_picture_that_cannot_be_read_is_told_apart():
    assert _data(gallery([_card("a", picture=None)]))["cards"][0]["picture"] == -1


def test_no_text_of_a_card_becomes_markup():
    evidence = (Evidence(EVIL, (Neighbour(PICTURE, EVIL),)),)
    card = _card(EVIL, title=EVIL, given=EVIL, suggested=EVIL, kind=EVIL, reason=EVIL, evidence=evidence)
    markup = gallery([card, _card("b")], title=EVIL, folder=EVIL)
    assert "<img" not in markup
    assert markup.count("</script>") == 1
    assert _data(markup)["cards"][0]["title"] == EVIL


def test_filters_list_every_label_and_kind_with_its_number():
    cards = [_card("a", given="кот"), _card("b", given="кот", kind="outlier"), _card("c", given="пёс")]
    markup = gallery(cards, kinds={"outlier": "Odd picture"})
    assert '<option value="кот">кот (2)</option>' in markup
    assert '<option value="outlier">Odd picture (1)</option>' in markup
    assert 'name="score"' not in markup
    assert 'name="issues"' not in markup


def test_a_gallery_without_filters_has_no_tools():
    assert "<form" not in gallery([_card("a")], filters=False)


def test_an_empty_gallery_says_so():
    assert "Nothing was found" in gallery([])


def test_two_cards_with_one_key_are_refused():
    with pytest.raises(DataError, match=r"1 keys name more than one card .*'a'"):
        gallery([_card("a"), _card("a"), _card("b")])


@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan")])
def test_a_score_that_is_no_suspicion_is_refused(score):
    with pytest.raises(DataError, match="expected a number from 0 to 1"):
        _card("a", score=score)


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("../images/кот 1.jpg", "../images/%D0%BA%D0%BE%D1%82%201.jpg"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29"),
        ("//elsewhere/a.jpg", ""),
        ("/etc/passwd", ""),
        ("\\\\elsewhere\\a.jpg", ""),
        ("", ""),
    ],
)
def test_an_original_is_a_plain_path_beside_the_page(path, address):
    assert _data(gallery([_card("a", original=path)]))["cards"][0]["original"] == address


def test_a_link_carries_what_is_filtered():
    link = gallery_link("suspects", given="a&b=c", suggested='<b>"x"</b> é', score=0.5)
    place, _, query = link.partition("?")
    assert place == "#suspects"
    assert parse_qs(query) == {"given": ["a&b=c"], "suggested": ['<b>"x"</b> é'], "score": ["0.5"]}


def test_predictions_are_not_called_suspicions():
    markup = gallery([_card("a", score=None), _card("b", score=None)], look="predictions")
    assert 'class="gallery labelled"' in markup
    assert "Predicted <select" in markup
    assert "suspect first" not in markup
    assert 'class="gallery labelled broad"' in gallery([_card("a")], look="panels")


def test_what_has_changed_is_shown_in_rows_under_its_own_words():
    text = gallery([_card("a", score=0.2), _card("b", score=0.9)], look="rows")
    assert 'class="gallery broad rows"' in text
    assert "Change from" in text
    assert "Suspicion" not in text
