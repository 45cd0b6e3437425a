"""Label tables compared with the names that are in use, in a dataset or in a CVAT project, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from burnish.data.contradictions import cell
from burnish.data.findings import finding
from burnish.data.near_names import nearest_name
from burnish.data.taxonomy import synonym_parts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from burnish.data.taxonomy import LabelEntry, Taxonomy


def compared_names(taxonomy: Taxonomy, names: Collection[str], where: str, *, all_wanted: bool) -> Iterator[dict[str, Any]]:
    """Findings on names that the tables do not know, and on labels that are not among the names.

    Args:
        taxonomy: The tables; where there is no table of labels, the names are meanings.
        names: The names in use.
        where: Where they are in use, for the reasons.
        all_wanted: Whether each label of the tables is expected among the names; else its absence is no issue.
    """
    known = taxonomy.meanings if taxonomy.labels is not None else dict.fromkeys(taxonomy.superlabel_of)
    synonyms = {text.casefold() for text in taxonomy.synonyms}
    folded = {name.casefold(): name for name in known}
    for name in names:
        tidy = " ".join(name.split())
        if name in known or tidy in known or tidy.casefold() in synonyms:
            continue
        twin = folded.get(tidy.casefold())
        if twin is not None:
            reason = f"'{name}' in {where} is written '{twin}' in the tables."
            yield finding("letter_case", reason, given=name, suggestion=twin)
        else:
            reason = f"'{name}' in {where} is not in the label tables."
            yield finding("unknown_label", reason, given=name, suggestion=nearest_name(name, known))
    yield from _absent(taxonomy, names, where, all_wanted=all_wanted)


def _absent(taxonomy: Taxonomy, names: Collection[str], where: str, *, all_wanted: bool) -> Iterator[dict[str, Any]]:
    folded = {" ".join(name.split()).casefold() for name in names}
    for entry in taxonomy.labels or ():
        if entry.label and not folded & _spellings(entry):
            reason = f"The label '{entry.label}' is not in {where}."
            near = nearest_name(entry.label, names, cutoff=0.75)
            about: dict[str, Any] = {"given": entry.label, "suggestion": near, **cell(entry.place, "label")}
            yield finding("missing_label", reason, score=0.8 if all_wanted else 0.0, is_issue=all_wanted, **about)


def _spellings(entry: LabelEntry) -> set[str]:
    return {text.casefold() for text in (entry.label, entry.synonym, *synonym_parts(entry)) if text}
