"""Pascal VOC: one XML file a picture, lists of the splits, and palette pictures of the segmentation.

```
Annotations/2007_000001.xml   JPEGImages/2007_000001.jpg   ImageSets/Main/train.txt
SegmentationClass/2007_000001.png   SegmentationObject/2007_000001.png   labelmap.txt
```

VOC counts pixels from 1 and names the last one that belongs to an object: `x1 = xmin - 1`, `x2 = xmax` (likewise y). Many tools write
plain corners instead; `count_from=0` reads and writes those as they are, and files that CVAT exported are read so by themselves.
Fractions are kept to the last digit.

The segmentation alone (CVAT's "Segmentation mask 1.1") is read too: classes by their colours in labelmap.txt, objects by theirs.
"""

from burnish.formats.voc.layout import recognise
from burnish.formats.voc.reading import read
from burnish.formats.voc.writing import CARRIES, write

NAME = "voc"

__all__ = ["CARRIES", "NAME", "read", "recognise", "write"]
