"""MOTChallenge: one folder a sequence, as the benchmark and CVAT write it.

```
MOT17-02/seqinfo.ini              name, imDir, frameRate, seqLength, imWidth, imHeight, imExt
MOT17-02/gt/gt.txt                frame,id,left,top,width,height,flag,class,visibility
MOT17-02/gt/labels.txt            names of the classes, as CVAT writes it
MOT17-02/det/det.txt              frame,-1,left,top,width,height,score
MOT17-02/img1/000001.jpg          pictures, counted from 1 as in the text files
```

Ids stay as `track`; `flag` 0 becomes the attribute `ignored`, and visibility an attribute too. Every line is a view of its track, none of
them a key frame: where a track has no line, its object is not seen.
"""

from burnish.formats.mot.layout import recognise
from burnish.formats.mot.reading import read
from burnish.formats.mot.writing import CARRIES, write

NAME = "mot"
NUMBERS_PICTURES = True

__all__ = ["CARRIES", "NAME", "NUMBERS_PICTURES", "read", "recognise", "write"]
