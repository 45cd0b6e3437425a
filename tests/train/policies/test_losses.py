"""Losses of tasks: what their parts are divided by is known before the network has said anything."""

import pytest

torch = pytest.importorskip("torch")

from burnish.descriptions import config_class, describe  # noqa: E402
from burnish.train.losses import LOSSES  # noqa: E402
from burnish.train.policies.losses import Batch, score_loss  # noqa: E402

ON_SCORES = sorted(
    name
    for name in LOSSES.entries
    if "mode" in config_class(LOSSES, name).model_fields and name not in {"box_supervised", "nll", "average_precision"}
)


@pytest.mark.parametrize("mode", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("name", ON_SCORES)
def test_counts_do_not_depend_on_what_the_network_says(name, mode):
    options = config_class(LOSSES, name).model_fields
    given = {"name": name, **({"empty": "ignore"} if "empty" in options else {})}
    try:
        loss = score_loss(describe(LOSSES, given), mode, ignore_index=255)
    except ValueError:
        pytest.skip(f"{name} is not for {mode}")
    draw = torch.Generator().manual_seed(3)
    outputs = 1 if mode == "binary" else 3
    target = torch.randint(0, 3 if mode == "multiclass" else 2, (4, 9, 9), generator=draw)
    target = target if mode != "multilabel" else torch.randint(0, 2, (4, 3, 9, 9), generator=draw).float()
    target[1], target[2, ..., :4] = 0, 255
    batch = Batch(torch.zeros((4, 3, 9, 9), dtype=torch.uint8), target)
    try:
        said = loss.of_scores(torch.randn((4, outputs, 9, 9), generator=draw), target).counts
    except ValueError:
        pytest.skip(f"{name} is not for {mode}")
    counted = loss.counts(batch, outputs)
    assert {part: float(count) for part, count in counted.items()} == {part: float(count) for part, count in said.items()}


def test_classes_of_pictures_are_counted_without_height_and_width():
    loss = score_loss(
        describe(LOSSES, {"name": "combined", "parts": {"a": {"loss": "cross_entropy"}, "b": {"loss": "focal"}}}), "multiclass"
    )
    counted = loss.counts(Batch(torch.zeros((5, 3, 8, 8), dtype=torch.uint8), torch.tensor([0, 1, 2, 0, 1])), 3)
    assert {part: float(count) for part, count in counted.items()} == {"a": 5.0, "b": 5.0}
