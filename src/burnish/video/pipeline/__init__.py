"""Filters over the frames of a stream, and pipelines of them.

A filter is a plain callable: it takes the frames of one stream and gives frames. Each call begins anew, so that whatever a filter remembers
(a random choice, the frames before) belongs to one stream and nothing is to be reset.

```python
from burnish.video.pipeline import pipeline, resize, timer

small = pipeline(resize(512), timer())
for frame in small(video.frames()):
    ...
```
"""

from burnish.video.pipeline.chain import Filter, each, last_frames, pipeline, skip_none
from burnish.video.pipeline.chances import random_crop, random_flip
from burnish.video.pipeline.colours import COLOUR_SPACES, as_double, as_uint8, colours
from burnish.video.pipeline.comparing import beside, compare, mix, with_target
from burnish.video.pipeline.models import model, overlay_classes
from burnish.video.pipeline.motion import flow_colours, stabilise, warp_previous
from burnish.video.pipeline.sizes import resize, resize_and_restore
from burnish.video.pipeline.texts import caption, sexagesimal, timer

__all__ = [
    "COLOUR_SPACES",
    "Filter",
    "as_double",
    "as_uint8",
    "beside",
    "caption",
    "colours",
    "compare",
    "each",
    "flow_colours",
    "last_frames",
    "mix",
    "model",
    "overlay_classes",
    "pipeline",
    "random_crop",
    "random_flip",
    "resize",
    "resize_and_restore",
    "sexagesimal",
    "skip_none",
    "stabilise",
    "timer",
    "warp_previous",
    "with_target",
]
