import json
import shutil

import numpy as np
import pytest
from PIL import Image

from burnish.errors import ConfigError
from burnish.media.hashing import hash_pictures
from burnish.media.images import encode_jpeg, encode_png, read_image, resize
from burnish.similarity.duplicates import find_duplicates

CHANGES = {
    "JPEG of quality 50": lambda p: encode_jpeg(p, 50),
    "half the size": lambda p: encode_png(resize(p, (p.shape[0] // 2, p.shape[1] // 2))),
    "mirrored": lambda p: encode_jpeg(p[:, ::-1]),
    "turned": lambda p: encode_jpeg(np.rot90(p)),
    "cropped": lambda p: encode_png(p[p.shape[0] // 33 :, p.shape[1] // 33 :]),
    "brighter": lambda p: encode_jpeg(np.clip(p * 1.2 + 8, 0, 255).astype(np.uint8)),
}


def scene(seed, size=(120, 160)):
    """A picture with structure at all scales, as photographs have."""
    rng = np.random.default_rng(seed)
    layers = [resize(rng.integers(0, 256, (k, k, 3), np.uint8), size).astype(float) / 2**n for n, k in enumerate((3, 6, 12, 24, 48))]
    return np.clip(sum(layers) / 1.9, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    for number in range(60):
        (folder / f"{number:02d}.png").write_bytes(encode_png(scene(number)))
    return sorted(folder.iterdir())


def pairs(result, *columns):
    return result.pairs.select("a", "b", *columns).rows()


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found_and_nothing_else(scenes, tmp_path, change):
    copies = [tmp_path / f"{number}" for number in range(10)]
    for path, copy in zip(scenes, copies, strict=False):
        copy.write_bytes(CHANGES[change](read_image(path)))
    result = find_duplicates(hash_pictures([*scenes, *copies]))
    assert pairs(result) == [(number, 60 + number) for number in range(10)]
    assert set(result.pairs["kind"]) == {"near"}
    assert result.groups[:10].tolist() == result.groups[60:].tolist() == list(range(10))
    assert result.groups[10:60].max() == -1
    assert result.expected_false <= 0.5
    assert result.pairs["expected_false"].max() <= result.expected_false


def test_the_turn_says_what_makes_the_second_look_like_the_first(scenes, tmp_path):
    turns = {"mirrored": np.fliplr, "turned left": lambda p: np.rot90(p, -1), "turned right": np.rot90}
    for name, change in turns.items():
        (tmp_path / name).write_bytes(encode_png(change(read_image(scenes[0]))))
        result = find_duplicates(hash_pictures([*scenes, tmp_path / name]))
        assert pairs(result, "turn") == [(0, 60, name)]


def test_equal_files_and_equal_pixels_are_told_apart(scenes, tmp_path):
    shutil.copy(scenes[0], tmp_path / "file.png")
    Image.open(scenes[1]).save(tmp_path / "pixels.bmp")
    result = find_duplicates(hash_pictures([*scenes, tmp_path / "file.png", tmp_path / "pixels.bmp"]))
    assert pairs(result, "kind", "similarity", "expected_false") == [(0, 60, "same file", 1.0, 0.0), (1, 61, "same pixels", 1.0, 0.0)]


def test_near_copies_of_one_of_several_equal_pictures_join_their_group(scenes, tmp_path):
    shutil.copy(scenes[0], tmp_path / "a.png")
    (tmp_path / "b.jpg").write_bytes(encode_jpeg(read_image(scenes[0]), 60))
    result = find_duplicates(hash_pictures([*scenes, tmp_path / "a.png", tmp_path / "b.jpg"]))
    assert result.groups[[0, 60, 61]].tolist() == [0, 0, 0]


def test_flat_pictures_are_no_near_copies_of_one_another(tmp_path):
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{number}.png" for number in range(40)]
    for number, path in enumerate(paths):
        Image.fromarray((rng.integers(0, 3, (64, 64)) + 3 * number).astype(np.uint8)).save(path)
    assert pairs(find_duplicates(hash_pictures(paths))) == []


def test_unreadable_and_few_pictures_are_no_problem(scenes, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"")
    shutil.copy(tmp_path / "bad.jpg", tmp_path / "bad2.jpg")
    result = find_duplicates(hash_pictures([tmp_path / "bad.jpg", scenes[0], tmp_path / "bad2.jpg"]))
    assert pairs(result, "kind") == [(0, 2, "same file")]
    for count in range(3):
        assert pairs(find_duplicates(hash_pictures(scenes[:count]))) == []


def test_two_pictures_alone_can_still_be_near_copies(scenes, tmp_path):
    (tmp_path / "a.jpg").write_bytes(encode_jpeg(read_image(scenes[0]), 60))
    assert pairs(find_duplicates(hash_pictures([scenes[0], tmp_path / "a.jpg"]))) == [(0, 1)]


def test_the_search_for_near_copies_can_be_left_out(scenes, tmp_path):
    (tmp_path / "a.jpg").write_bytes(encode_jpeg(read_image(scenes[0]), 60))
    assert pairs(find_duplicates(hash_pictures([*scenes, tmp_path / "a.jpg"]), near=False)) == []


def test_embeddings_add_pairs_that_prints_cannot_see(scenes):
    embeddings = np.random.default_rng(0).standard_normal((60, 32))
    embeddings[7] = embeddings[4]
    result = find_duplicates(hash_pictures(scenes), embeddings=embeddings)
    assert pairs(result, "kind") == [(4, 7, "near by embedding")]


def test_the_accepted_number_of_false_pairs_must_be_positive(scenes):
    with pytest.raises(ConfigError, match="false_pairs is 0"):
        find_duplicates(hash_pictures(scenes[:2]), false_pairs=0)


def test_most_photos_of_one_tile_under_different_light_are_found(shared_data):
    rows = [json.loads(line) for line in (shared_data / "magtile/labels.jsonl").read_text().splitlines()]
    groups = np.array([row["group"] for row in rows])
    first, second = np.nonzero(np.triu(groups[:, None] == groups[None], 1))
    truth = set(zip(first.tolist(), second.tolist(), strict=True))
    found = set(pairs(find_duplicates(hash_pictures([shared_data / "magtile" / row["image"] for row in rows]))))
    assert len(found & truth) >= 0.9 * len(truth)
    assert len(found - truth) <= 8  # they show the same tiles too; the list of groups is not complete
