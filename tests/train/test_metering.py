"""Meters count tensors as the metrics count arrays."""

import numpy as np
import pytest
import torch

from burnish.errors import DataError
from burnish.metrics.metric import build as build_metric
from burnish.metrics.segmentation import counts
from burnish.train.metering import build, tensor_counts

CASES = [
    ({}, (3, 4, 5, 6), (3, 5, 6), 4),
    ({}, (7, 4), (7,), 4),
    ({"num_classes": 4}, None, (3, 5, 6), 4),
    ({"mode": "binary"}, (3, 5, 6), (3, 5, 6), 2),
    ({"mode": "binary"}, (3, 1, 5, 6), (3, 5, 6), 2),
    ({"mode": "binary"}, (7,), (7,), 2),
    ({"mode": "multilabel", "threshold": 0.0}, (3, 4, 5, 6), (3, 4, 5, 6), 2),
    ({"mode": "multilabel"}, (7, 4), (7, 4), 2),
]


@pytest.mark.parametrize("ignore", [None, 9])
@pytest.mark.parametrize(("settings", "shape", "target", "values"), CASES)
def test_tensors_are_counted_as_arrays_are(settings, shape, target, values, ignore):
    torch.manual_seed(0)
    given = torch.randint(0, values, target)
    predicted = torch.randint(0, values, target) if shape is None else torch.randn(shape)
    if ignore is not None:
        given.view(-1)[::3] = ignore
    config = build_metric({"name": "iou", "ignore_index": ignore, **settings}).description
    assert tensor_counts(config, predicted, given).tolist() == counts(config, predicted.numpy(), given.numpy()).tolist()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_a_meter_measures_in_any_precision_and_begins_again(dtype):
    meter = build({"name": "surfaces", "mode": "binary"})
    scores = torch.zeros(1, 1, 8, 8, dtype=dtype)
    scores[..., 2:5, 2:5] = 1
    meter.update(scores, scores > 0.5)
    assert meter.compute() == {"hd95": 0, "assd": 0, "nsd": 1}
    meter.reset()
    assert np.isnan(meter.compute()["hd95"])


def test_the_confusion_matrix_itself_is_in_the_merged_state():
    meter = build("confusion")
    meter.update(torch.eye(3), torch.tensor([0, 1, 1]))
    assert meter.merged_state().sums["confusion"].tolist() == [[1, 0, 0], [0, 1, 1], [0, 0, 0]]


def test_labels_that_are_no_class_are_told():
    meter = build("iou")
    with pytest.raises(DataError, match="labels outside of 0 to 2"):
        meter.update(torch.zeros(1, 3, 2), torch.tensor([[0, 255]]))
