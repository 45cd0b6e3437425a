"""From a label to what it is trained as: the chain label -> meaning -> superlabel -> index, or a part of it."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, get_args

from burnish.data.near_names import nearest_name
from burnish.data.taxonomy import FORBIDDEN, UNUSED, first_of_each
from burnish.errors import ChainError, LabelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from burnish.data.taxonomy import Superlabel, Taxonomy

ChainName = Literal["label2superind", "label2superlabel", "meaning2superind", "label2meaning", "meaning2superlabel", "superlabel2superind"]
CHAINS: Final[tuple[ChainName, ...]] = get_args(ChainName)
"""Every chain, the one that "auto" prefers first."""

ChainChoice = Literal[
    "auto",
    "mark",
    "label2superind",
    "label2superlabel",
    "meaning2superind",
    "label2meaning",
    "meaning2superlabel",
    "superlabel2superind",
]
"""What settings say: a chain, "auto" for the longest, or "mark" to keep the names and mark what is unused or forbidden."""

Value = str | int
_MOST_LISTED: Final = 20


@dataclass(frozen=True, slots=True)
class Chain:
    """One way through the label tables; called with a name it gives what the name becomes.

    Attributes:
        name: Which chain it is.
        mapping: What each name becomes.
        unused: Values whose objects are skipped.
        forbidden: Values whose pictures are left out. Asking for such a value is no error.
        folded: Further names, in folded letter case, that are understood.
    """

    name: ChainName
    mapping: Mapping[str, Value]
    unused: frozenset[Value]
    forbidden: frozenset[Value]
    folded: Mapping[str, Value]

    def __call__(self, name: str) -> Value:
        """What a name becomes.

        Raises:
            LabelError: The chain does not know the name.
        """
        value = self._value(name)
        if value is None:
            raise LabelError(f"The label tables do not know '{name}'.{self._hint(name)}")
        return value

    def asdict(self) -> dict[str, Value]:
        """What each name becomes."""
        return dict(self.mapping)

    def unknown(self, names: Iterable[str]) -> set[str]:
        """Those of some names that the chain does not know."""
        return {name for name in names if self._value(name) is None}

    def refuse_unknown(self, names: Iterable[str]) -> None:
        """Do nothing when the chain knows all names.

        Raises:
            LabelError: It does not; all such names are listed, each with the nearest known one.
        """
        strangers = sorted(self.unknown(names))
        if strangers:
            shown = "\n".join(f"  '{name}'{self._hint(name)}" for name in strangers[:_MOST_LISTED])
            more = f"\n  ... and {len(strangers) - _MOST_LISTED} more" if len(strangers) > _MOST_LISTED else ""
            raise LabelError(f"The label tables ({self.name}) do not know {len(strangers)} of the labels:\n{shown}{more}")

    def status(self, value: Value) -> str:
        """used, unused or forbidden."""
        return "forbidden" if value in self.forbidden else "unused" if value in self.unused else "used"

    def _value(self, name: str) -> Value | None:
        tidy = " ".join(name.split())
        return next((table[key] for table, key in _looks(self, name, tidy) if key in table), None)

    def _hint(self, name: str) -> str:
        near = nearest_name(name, self.mapping)
        return f" Did you mean '{near}'?" if near else ""


def make_chain(
    taxonomy: Taxonomy,
    name: ChainName | Literal["auto"] = "auto",
    *,
    unused: Iterable[Value] | None = None,
    forbidden: Iterable[Value] | None = None,
    loose: bool = False,
) -> Chain:
    """Make a chain of label tables.

    Synonyms are understood in any letter case, labels only as they are written.

    Args:
        taxonomy: The tables.
        name: Which chain; "auto" takes the longest that the tables have.
        unused: Values whose objects are skipped, in place of those that the tables say.
        forbidden: Values whose pictures are left out, in place of those that the tables say.
        loose: Take labels in any letter case too, and a label's meaning in place of the label.

    Raises:
        ChainError: There is no chain of that name, or the tables lack a part of it.
    """
    mappings = _mappings(taxonomy)
    chosen = _chosen(mappings, name)
    mapping = mappings[chosen]
    return Chain(
        chosen,
        MappingProxyType(mapping),
        _marked(taxonomy, chosen, UNUSED) if unused is None else frozenset(unused),
        _marked(taxonomy, chosen, FORBIDDEN) if forbidden is None else frozenset(forbidden),
        MappingProxyType(_folded(taxonomy, chosen, mappings, loose=loose)),
    )


def _looks(chain: Chain, name: str, tidy: str) -> list[tuple[Mapping[str, Value], str]]:
    return [(chain.mapping, name), (chain.mapping, tidy), (chain.folded, tidy.casefold())]


def _mappings(taxonomy: Taxonomy) -> dict[str, dict[str, Value]]:
    """What each name becomes in each chain that the tables have."""
    parts: dict[str, dict[str, Value]] = {}
    superlabels = taxonomy.superlabel_of
    if taxonomy.labels is not None:
        parts["label2meaning"] = dict(taxonomy.meanings)
    if taxonomy.superlabels is not None:
        parts["meaning2superlabel"] = {meaning: entry.name for meaning, entry in superlabels.items()}
        if indices := _indices(taxonomy.superlabels):
            parts["superlabel2superind"] = dict(indices)
            parts["meaning2superind"] = {m: indices[e.name] for m, e in superlabels.items() if e.name in indices}
    for end in ("superlabel", "superind"):
        if "label2meaning" in parts and f"meaning2{end}" in parts:
            further = parts[f"meaning2{end}"]
            parts[f"label2{end}"] = {label: further[m] for label, m in taxonomy.meanings.items() if m in further}
    return parts


def _indices(superlabels: Iterable[Superlabel]) -> dict[str, int]:
    return first_of_each((entry.name, entry.index) for entry in superlabels if entry.index is not None)


def _chosen(mappings: Mapping[str, object], name: str) -> ChainName:
    there: list[ChainName] = [known for known in CHAINS if known in mappings]
    if name != "auto" and name not in CHAINS:
        raise ChainError(f"There is no chain '{name}'. Known: auto, {', '.join(CHAINS)}.")
    for known in there:
        if name in {"auto", known}:
            return known
    if not there:
        raise ChainError("The label tables are empty; expected a table of labels, one of superlabels, or both.")
    raise ChainError(f"The chain '{name}' needs a table that was not given. With what was given: {', '.join(there)}.")


def _marked(taxonomy: Taxonomy, chain: ChainName, index: int) -> frozenset[Value]:
    """Values of a chain that stand for a superlabel of an index."""
    if chain.endswith("superind"):
        return frozenset({index})
    entries = [entry for entry in taxonomy.superlabels or () if entry.index == index]
    if chain.endswith("superlabel"):
        return frozenset(entry.name for entry in entries)
    return frozenset(member.meaning for entry in entries for member in entry.members)


def _folded(taxonomy: Taxonomy, chain: ChainName, mappings: Mapping[str, Mapping[str, Value]], *, loose: bool) -> dict[str, Value]:
    mapping, start, end = mappings[chain], *chain.split("2")
    names = [*mapping] if loose else [name for name in mapping if start == "label" and name in taxonomy.synonyms]
    folded = first_of_each((name.casefold(), mapping[name]) for name in names)
    if not loose or start != "label":
        return folded
    onward = {m: m for m in taxonomy.meanings.values()} if end == "meaning" else mappings[f"meaning2{end}"]
    return {meaning.casefold(): value for meaning, value in onward.items()} | folded
