"""KITTI: a text file of boxes for each picture, and pictures of the classes and objects of each pixel.

```
training/image_2/000001.png    the pictures
training/label_2/000001.txt    type truncated occluded alpha left top right bottom height width length x y z rotation_y [score]
training/instance/000001.png   16 bits: 256 times the number of the class, plus the number of the object
training/semantic/000001.png   the number of the class alone
label_colors.txt               red green blue name, the classes from 0 (CVAT and Datumaro write it; else they are Cityscapes's)
```

`training` and `testing` are the splits train and test; CVAT names folders as its subsets. Corners are plain coordinates from 0. What the
line says beyond the box becomes attributes: `truncated`, `occlusion` (where it is more than yes or no), and of the object in space `alpha`,
`dimensions`, `location` and `rotation_y`. Boxes are written; masks are only read.
"""

from burnish.formats.kitti.layout import recognise
from burnish.formats.kitti.reading import read
from burnish.formats.kitti.writing import CARRIES, write

NAME = "kitti"

__all__ = ["CARRIES", "NAME", "read", "recognise", "write"]
