"""Mask pictures beside pictures: binary, class numbers, objects in 16 bits, palettes, colours.

```
images/1.jpg   masks/1.png   instances/1.png   classes.txt
```

Folders train, val and test may stand above or below; `1.jpg` with `1_mask.png` in one folder, CamVid's `train/` with `trainannot/`, and
`inp/` with `out/` are read too. Pictures and masks belong together by name, whatever their endings.

Value 0 is the background and value k the k-th class: classes.txt (one name a line) may name the background first. Value 255, where it is no
class, marks pixels that count for nothing; they become a mask without a class, and are written so.
"""

from burnish.formats.masks.layout import recognise
from burnish.formats.masks.reading import read
from burnish.formats.masks.writing import CARRIES, write

NAME = "masks"

__all__ = ["CARRIES", "NAME", "read", "recognise", "write"]
