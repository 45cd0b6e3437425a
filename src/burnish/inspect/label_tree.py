"""The hierarchy of label tables, each meaning with its label and the superlabel that it is trained as."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from burnish.data.numbering import position_text
from burnish.media.colours import STATUS_COLOURS
from burnish.report.trees import Twig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from burnish.data.taxonomy import LabelEntry, Superlabel, Taxonomy

LOOKS: Final = {status: f"stroke:rgb({red},{green},{blue}),stroke-width:2px" for status, (red, green, blue) in STATUS_COLOURS.items()}
"""Style of each status in diagrams, in the colours of previews."""


def label_twigs(taxonomy: Taxonomy) -> list[Twig]:
    """The tree of labels; without a table of labels the superlabels with what belongs to them."""
    if taxonomy.labels is None:
        return [twig for entry in taxonomy.superlabels or () for twig in _superlabel_twigs(entry)]
    superlabels = taxonomy.superlabel_of
    # The groups of a table without roman numbers lie at depth 2, so that the least depth counts as the top.
    top = min((len(entry.position) for entry in taxonomy.labels if entry.position), default=1)
    return [_label_twig(entry, superlabels, top) for entry in taxonomy.labels]


def _superlabel_twigs(entry: Superlabel) -> list[Twig]:
    return [Twig(entry.name, 0, _index_text(entry), entry.status), *(Twig(member.meaning, 1, "", entry.status) for member in entry.members)]


def _label_twig(entry: LabelEntry, superlabels: Mapping[str, Superlabel], top: int) -> Twig:
    text = f"{position_text(entry.position)} {entry.meaning}".strip()
    label = entry.label or entry.synonym.replace("\n", ", ")
    owner = superlabels.get(entry.meaning)
    note = f"{label} → {owner.name} ({_index_text(owner)})" if label and owner else label
    return Twig(text, max(len(entry.position) - top, 0), note, owner.status if label and owner else "")


def _index_text(entry: Superlabel) -> str:
    if entry.status != "used":
        return entry.status
    return "no index" if entry.index is None else str(entry.index)
