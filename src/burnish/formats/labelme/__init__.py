"""LabelMe: a JSON file beside each picture; the XML files of the older web tool are read too.

```
1.jpg   1.json   {"imagePath": "1.jpg", "shapes": [{"label": "cat", "shape_type": "polygon", "points": [[1, 2], ...]}], ...}
```

A flag of a picture that is set is read as a tag, flags of a shape as attributes that are true or false. `labels.txt` gives the order of the
classes. Coordinates are the same as ours: plain corners and fractions.
"""

from burnish.formats.labelme.layout import recognise
from burnish.formats.labelme.reading import read
from burnish.formats.labelme.writing import CARRIES, write

NAME = "labelme"

__all__ = ["CARRIES", "NAME", "read", "recognise", "write"]
