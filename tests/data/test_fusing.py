import numpy as np
from moving import moving

from burnish.data.fusing import fuse_groups
from burnish.geometry import rle

LEFT, RIGHT = [0.0, 0.0, 4.0, 0.0, 4.0, 4.0], [10.0, 0.0, 14.0, 0.0, 14.0, 4.0]


def polygon(points, group, **more):
    return {"frame": 0, "kind": "polygon", "points": points, "group": group, "x1": points[0], "y1": 0.0, "x2": points[2], "y2": 4.0, **more}


def test_polygons_of_a_group_become_one_with_several_rings():
    dataset = fuse_groups(moving(1, [polygon(LEFT, 3), polygon(RIGHT, 3), polygon(LEFT, 0)]))
    row = dataset.annotations.row(0, named=True)
    assert (row["points"], row["parts"], row["x1"], row["x2"]) == (LEFT + RIGHT, [3, 3], 0.0, 14.0)
    assert dataset.annotations["id"].to_list() == [1, 3]


def test_other_classes_pictures_and_groups_stay_apart():
    rows = [polygon(LEFT, 3), polygon(RIGHT, 4), polygon(RIGHT, 3, **{"class": 1}), {**polygon(RIGHT, 3), "frame": 1}]
    assert fuse_groups(moving(2, rows)).annotations.height == 4


def test_masks_of_a_group_become_their_union():
    one, two = np.zeros((80, 100), bool), np.zeros((80, 100), bool)
    one[:5, :5], two[3:8, 3:8] = True, True
    rows = [
        {"frame": 0, "kind": "mask", "mask": rle.compress(rle.encode(m)), "group": 1, "x1": 0.0, "y1": 0.0, "x2": 8.0, "y2": 8.0}
        for m in (one, two)
    ]
    fused = fuse_groups(moving(1, rows)).annotations.row(0, named=True)["mask"]
    assert (rle.decode(rle.decompress(fused), 80, 100) == (one | two)).all()
