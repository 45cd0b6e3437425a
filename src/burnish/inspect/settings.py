"""Settings of the verbs in this room; nothing heavy is loaded here, so that help is quick."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from burnish.config import Config
from burnish.data.chains import ChainChoice

Share = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]


def _scale_text(value: Any) -> str:
    """One spelling of the scales, whichever was given."""
    from burnish.data.scales import parse_scales  # noqa: PLC0415 - only where a scale is given

    return str(parse_scales(value))


def _tiles_text(value: Any) -> str:
    """One spelling of the size of tiles."""
    from burnish.data.tile_size import parse_tiles  # noqa: PLC0415 - only where tiles are asked for

    return str(parse_tiles(value))


class SamplesConfig(Config):
    """What samples of a training set show, beside their scales and tiles."""

    min_visible: Fraction = 0.5
    """Share of an object that a tile must show to get its label."""
    min_visible_of: dict[str, Fraction] = Field(default_factory=dict[str, float])
    """The same for some classes, by name."""
    background: Annotated[float, Field(ge=0)] | None = None
    """Most tiles without an object for each tile with one, in pictures that show objects; all are kept when not given."""
    negatives: Fraction = 1.0
    """Share of the pictures without any object that is kept."""
    stride: Annotated[int, Field(ge=1)] = 1
    """Take each how many-th frame of videos and sequences."""


class MasksConfig(Config):
    """How objects become pixels in masks and panoptic files."""

    paint: Literal["priority", "z"] = "priority"
    """What decides first where objects overlap: the priority of their classes, or their own drawing order."""
    ignore: tuple[str, ...] = ()
    """Classes whose pixels count for nothing: value 255 in masks (65535 in 16 bits)."""
    stuff: tuple[str, ...] = ()
    """Classes of panoptic files whose objects are not told apart, such as road or sky."""


class ConvertConfig(Config):
    """Which format to write, and what to do with the picture files."""

    to: str
    """Format to write: burnish, jsonl, folders, coco, yolo, voc, masks, via_csv or labelme."""
    media: Literal["copy", "link", "none"] = "copy"
    """Copy the pictures, link them, or leave them where they are."""
    task: str | None = None
    """Variant: detect, segment, obb, pose, classify of yolo; semantic, palette, binary, instance, panoptic of masks; panoptic of coco."""
    labels: str | None = None
    """Table of labels (xlsx, csv, tsv): what each class of the dataset means."""
    superlabels: str | None = None
    """Table of superlabels: the classes to write, and which are unused (number 0) or forbidden (number -1)."""
    chain: ChainChoice = "auto"
    """What the tables make of a class; auto goes as far as they lead, mark keeps its name and only marks what is unused or forbidden."""
    loose: bool = False
    """Take labels in any letter case, and a label's meaning in place of the label."""
    scale: Annotated[str, BeforeValidator(_scale_text)] = "1"
    """Scale of pictures: a number, a list for a sample at each (0.5,1), or any: and a list to draw one from; 0.7..1.2 is a range."""
    tiles: Annotated[str, BeforeValidator(_tiles_text)] | None = None
    """Cut larger pictures into overlapping tiles of at most HEIGHTxWIDTH pixels, such as 1080x1920; +64 behind it is the least overlap."""
    masks: MasksConfig = MasksConfig()
    """How objects become pixels."""
    samples: SamplesConfig = SamplesConfig()
    """What samples show."""
    seed: int = 0
    """Another seed draws other scales, tiles and pictures."""

    @property
    def named_files(self) -> tuple[str, ...]:
        """The files that these settings name."""
        return tuple(path for path in (self.labels, self.superlabels) if path)


class LabelsConfig(Config):
    """What the label tables are compared with, and how they are shown."""

    dataset: str | None = None
    """Compare with the classes of this dataset."""
    cvat: str | None = None
    """Compare with the labels of a CVAT project: its raw labels as .json, project.json of a backup, or one name a line."""
    tree: Literal["text", "mermaid", "none"] = "text"
    """Show the hierarchy as text, as a Mermaid diagram, or not."""
    chain: ChainChoice = "auto"
    """Which part of label, meaning, superlabel, index is listed; mark lists none."""
    loose: bool = False
    """Take labels in any letter case, and a label's meaning in place of the label."""
    strict: bool = False
    """End with exit code 3 when there is an issue, for use in scripts."""
    write: Literal["none", "xlsx", "csv", "tsv"] = "none"
    """Also write the tables, tidied, as files of this kind; into the folder given with --out."""
    template: str | None = None
    """Put templates of both tables into this folder, and do nothing else."""


class CheckConfig(Config):
    """What to look at, and whether an issue makes the command fail."""

    files: bool = True
    """Also look at the picture files: missing, unreadable, of another size than declared."""
    decode: bool = False
    """Decode every picture wholly, which also finds damage before the end of a file; takes longer."""
    strict: bool = False
    """End with exit code 3 when there is an issue, for use in scripts."""


class StatsConfig(Config):
    """How the counts are laid out."""

    by: Literal["split", "subset", "none"] = "split"
    """Count each class in each split, each subset, or only in all."""
    labels: str | None = None
    """Table of labels (xlsx, csv, tsv): what each class of the dataset means; counted are the classes that the tables make."""
    superlabels: str | None = None
    """Table of superlabels: the classes to count."""
    chain: ChainChoice = "auto"
    """Which part of the chain from label to index the tables are for; mark keeps the classes and only takes their superclasses."""
    loose: bool = False
    """Take labels in any letter case, and a label's meaning in place of the label."""


class SplitConfig(Config):
    """How large each part is, and what must stay together."""

    val: Share = 0.2
    """Share of the pictures for validation when below 1, number of pictures from 1 on."""
    test: Share = 0.0
    """Share or number of the pictures for testing."""
    stratify: bool = True
    """Give each part its share of every class."""
    group: Literal["scene", "task", "subset", "none"] = "scene"
    """What stays together: scenes (where none is named, tasks and videos), whole tasks and videos, or subsets."""
    by: Literal["share", "subset", "pattern"] = "share"
    """Divide by share; by the subsets of the tasks (Train, Validation, Test, others); or by the names in `pattern`."""
    pattern: tuple[str, ...] = ()
    """PART=PATTERN, such as val=*cam3* or test=re:night, for paths and names of tasks; the first that fits counts, the rest is train."""
    scenes: bool = False
    """Keep only the scenes that people marked by scene-start and scene-finish, each a scene of its own."""
    copies: bool = False
    """Keep near copies of a picture together too; reads every picture."""
    to: str = "burnish"
    """Format to write the result in."""
    media: Literal["copy", "link", "none"] = "none"
    """Copy the pictures, link them, or leave them where they are."""
    seed: int = 0
    """Another seed gives another division."""

    @model_validator(mode="after")
    def _patterns_name_parts(self) -> Self:
        wrong = [text for text in self.pattern if not all(text.partition("=")[::2])]
        if wrong:
            raise ValueError(f"found the pattern '{wrong[0]}', expected PART=PATTERN, such as val=*cam3*")
        if bool(self.pattern) != (self.by == "pattern"):
            raise ValueError("by pattern and pattern belong together; give both, for instance by: pattern, pattern: [val=*cam3*]")
        return self

    @model_validator(mode="after")
    def _leave_some_for_training(self) -> Self:
        shares = [share for share in (self.val, self.test) if share < 1]
        if sum(shares) >= 1:
            raise ValueError(f"val and test together take {sum(shares):.0%} of the pictures; leave some for training")
        return self


class TidyConfig(Config):
    """What is mended, in this order."""

    track_overlap: Annotated[float, Field(gt=0, le=1)] | None = None
    """Join untracked shapes of neighbouring frames into tracks from this overlap of their boxes on, such as 0.6; off when not given."""
    memory: Annotated[int, Field(ge=1)] = 20
    """Frames for which a track that is not seen stays open."""
    key_frame: int | None = None
    """Frame to track from, forwards and backwards; the first when not given."""
    shortest: Annotated[int, Field(ge=1)] = 1
    """Tracks of fewer shapes are taken back."""
    untracked: Literal["keep", "drop"] = "keep"
    """What becomes of shapes whose track was taken back."""
    one_label: bool = True
    """Give every view of a track the class that most of its views have."""
    hide_after: Annotated[int, Field(ge=0)] = 1
    """Frames from one view of a track to the next that are bridged; after longer gaps it is hidden. 0 leaves all as it is."""
    which: Literal["views", "automatic", "all"] = "automatic"
    """Tracks whose gaps are hidden: those without key frames, also those that no one drew, or all."""
    fuse_groups: bool = False
    """Join shapes of one picture, class and group into one object."""
    fit_segments: bool = False
    """Divide pixels that several masks or polygons hold, so that each belongs to one."""
    scenes: bool = False
    """Keep only marked scenes, with tracks shown on every frame of them."""
    to: str = "burnish"
    """Format to write the result in."""
    media: Literal["copy", "link", "none"] = "none"
    """Copy the pictures, link them, or leave them where they are."""


class HomeConfig(Config):
    """How labels of samples go back to what the samples were made of."""

    merge: Fraction | None = 0.6
    """Overlap from which views of one object in several samples are one; null keeps all."""
    manifest: str | None = None
    """The samples.csv or samples.parquet, or its folder; searched beside the labels when not given."""
    to: str = "burnish"
    """Format to write the result in."""
    media: Literal["copy", "link", "none"] = "none"
    """Copy the pictures, link them, or leave them where they are."""


class PreviewConfig(Config):
    """Which pictures to draw, and how."""

    count: Annotated[int, Field(ge=1)] = 100
    """Number of pictures to draw; fewer when the dataset has fewer."""
    seconds: Annotated[float, Field(gt=0)] | None = None
    """How much of each video to draw, from its beginning; all of it when not given."""
    classes: tuple[str, ...] = ()
    """Draw only annotations of these classes; all when none is named."""
    captions: bool = True
    """Write class, score and track beside each annotation."""
    fill: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Opacity of the fill of masks and polygons."""
    shuffle: bool = False
    """Take pictures at random rather than the first ones."""
    seed: int = 0
    """Seed of the random choice, and of augmentations."""
    augs: Literal["classification", "detection", "segmentation", "keypoints"] | None = None
    """Draw a sheet of each picture as training changes it at random: the task whose augmentations are shown."""
    strength: Literal["none", "light", "medium", "strong"] = "medium"
    """How much it is changed (with augs)."""
    versions: Annotated[int, Field(ge=1, le=99)] = 7
    """How many changed versions of each picture stand on its sheet (with augs)."""


class ApplyConfig(Config):
    """Which findings to apply."""

    min_score: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Apply only findings that are at least this suspicious."""
    kinds: tuple[str, ...] = ()
    """Apply only findings of these kinds; all that can be applied when none is named."""
    dataset: str | None = None
    """The dataset to apply them to; the one that they were made from when not given."""


class DiffConfig(Config):
    """How two datasets are matched."""

    by: Literal["path", "id"] = "path"
    """Pictures are the same when their paths, or their ids, are."""


class HistoryConfig(Config):
    """How much history is shown."""

    everything: bool = False
    """Also show versions that were undone."""


class UndoConfig(Config):
    """How far to go back."""

    to: int | None = None
    """The version to return to, also a later one that was undone; the parent of the current one when not given."""
