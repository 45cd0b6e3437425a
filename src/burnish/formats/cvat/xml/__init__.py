"""CVAT XML 1.1 in both flavours, zipped or not: what a server exports and imports as "CVAT for images" and "CVAT for video".

```
annotations.xml                   one task, job or project
images/…                          its pictures, where they were exported too
task_1/annotations.xml            several tasks: a folder each
```

For images, every picture has its shapes and tracks are dissolved into them. For video, every object is a track, which tells each frame
on which it is seen.
"""

from burnish.formats.cvat.xml.layout import recognise
from burnish.formats.cvat.xml.reading import read
from burnish.formats.cvat.xml.writing import CARRIES, annotations_xml, write

NAME = "cvat_xml"

__all__ = ["CARRIES", "NAME", "annotations_xml", "read", "recognise", "write"]
