import numpy as np
import pytest

from burnish.engine.pieces import fingerprint, open_pieces


def test_a_finished_piece_is_not_computed_again(tmp_path):
    calls = []

    def compute():
        calls.append(1)
        return {"a": np.arange(3)}

    for _ in range(2):
        assert open_pieces(tmp_path, {"x": 1}).keep("one", compute)["a"].tolist() == [0, 1, 2]
    assert len(calls) == 1


def test_other_inputs_have_other_pieces(tmp_path):
    open_pieces(tmp_path, {"x": 1}).keep("one", lambda: {"a": np.zeros(1)})
    assert open_pieces(tmp_path, {"x": 2}).find("one") is None


def test_a_damaged_piece_is_computed_again(tmp_path):
    pieces = open_pieces(tmp_path, {"x": 1})
    pieces.keep("one", lambda: {"a": np.zeros(1)})
    path = pieces.folder / "one.npz"
    path.write_bytes(path.read_bytes()[:20])
    assert pieces.keep("one", lambda: {"a": np.ones(1)})["a"].tolist() == [1.0]


def test_an_interrupted_computation_leaves_no_piece(tmp_path):
    pieces = open_pieces(tmp_path, {})

    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pieces.keep("one", interrupted)
    assert pieces.find("one") is None


def test_a_fingerprint_knows_where_one_text_ends():
    assert fingerprint("ab", "c") != fingerprint("a", "bc")
