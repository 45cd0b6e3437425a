"""Everything that a writer can be told."""

import numpy as np
from PIL import Image

PICTURE = np.arange(6 * 5 * 3, dtype=np.uint8).reshape(6, 5, 3)
ROWS = [{"class": "a|b", "iou": 0.5}, {"class": "c", "iou": 0.25}]


class Figure:
    """What a writer needs of a matplotlib figure."""

    def savefig(self, stream, format):  # noqa: A002 - as matplotlib calls it
        Image.fromarray(PICTURE).save(stream, format)


def tell_all(writer, folder):
    """Settings, numbers of two steps, pictures, a figure, a table, a text, a file, results; then close."""
    artifact = folder / "weights.bin"
    artifact.write_bytes(b"weights")
    writer.hyper_parameters({"optimizer": {"name": "adamw", "lr": 0.1}, "epochs": 3, "tags": ["x"]})
    for step in (1, 2):
        writer.scalars({"train/loss": 1.5 / step, "iou": step / 4}, step)
    writer.images("worst", [PICTURE, PICTURE], 2)
    writer.figure("curve", Figure(), 2)
    writer.table("per class", ROWS, 2)
    writer.text("note", "all < well, ä", 2)
    writer.artifact(artifact, "kept")
    writer.hyper_parameters({"epochs": 3}, {"iou": 0.625})
    writer.close()
