"""COCO's own evaluation by pycocotools, against which ours is held."""

import contextlib
import io

import pytest


def coco_numbers(pictures, annotations, results, *, classes, kind):
    """The twelve numbers of COCO for boxes (`bbox`) or masks (`segm`); pictures and annotations as its files have them."""
    coco, cocoeval = pytest.importorskip("pycocotools.coco"), pytest.importorskip("pycocotools.cocoeval")
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco.COCO()
        truth.dataset = {"images": pictures, "annotations": annotations, "categories": [{"id": number} for number in classes]}
        truth.createIndex()
        evaluation = cocoeval.COCOeval(truth, truth.loadRes(results), kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats
