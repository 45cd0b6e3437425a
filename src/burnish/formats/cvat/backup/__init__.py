"""CVAT backups of tasks and projects, zipped or not, at any depth of folders.

```
project.json                      a project; task folders beside it
task_0/task.json                  name, labels, jobs, which frames
task_0/annotations.json           a list with one entry a job
task_0/data/manifest.jsonl        the frames in order
task_0/data/…                     pictures, or one video
```
"""

from burnish.formats.cvat.backup.reading import read, recognise
from burnish.formats.cvat.backup.writing import CARRIES, write

NAME = "cvat"

__all__ = ["CARRIES", "NAME", "read", "recognise", "write"]
