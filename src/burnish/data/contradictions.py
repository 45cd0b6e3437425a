"""What label tables say against themselves and against each other; every problem is a finding with the address of its cell."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from burnish.data.findings import finding
from burnish.data.near_names import nearest_name
from burnish.data.numbering import expected_positions, position_text
from burnish.data.taxonomy import synonym_parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from burnish.data.taxonomy import LabelEntry, Member, Place, Superlabel, Taxonomy


def contradictions(taxonomy: Taxonomy) -> list[dict[str, Any]]:
    """Findings on duplicates, meanings that are missing or stand twice, letter case, numbering and gaps, in the order of the tables."""
    labels, superlabels = taxonomy.labels or (), taxonomy.superlabels or ()
    found = [*_numbering(labels), *_repeated_labels(labels), *_repeated_synonyms(labels)]
    found += [*_repeated_superlabels(superlabels), *_superlabel_numbers(superlabels), *_priorities(superlabels)]
    found += [*_repeated_members(superlabels), *_empty(superlabels)]
    if taxonomy.labels is not None and taxonomy.superlabels is not None:
        found += [*_absent_meanings(labels, superlabels), *_unmapped_meanings(labels, superlabels)]
    return found


def cell(place: Place | None, column: str) -> dict[str, Any]:
    """Path and position of a finding about a cell."""
    return {} if place is None else {"path": place.path, "position": place.cell(column)}


def _numbering(labels: Iterable[LabelEntry]) -> Iterator[dict[str, Any]]:
    """Numbers that stand twice, have no parent, or do not follow the row above."""
    numbered = [entry for entry in labels if entry.position]
    seen: dict[tuple[int, ...], LabelEntry] = {}
    previous: tuple[int, ...] = ()
    for entry in numbered:
        position, given = entry.position, position_text(entry.position)
        where: dict[str, Any] = {**cell(entry.place, "meaning"), "given": f"{given} {entry.meaning}"}
        following = [p for p in expected_positions(previous) if p not in seen] if previous else [(1,), (0, 1)]
        near = next((p for p in following if len(p) == len(position)), following[0])
        if position in seen:
            reason = f"The number {given} stands twice, first for '{seen[position].meaning}'{_at(seen[position].place, 'meaning')}."
            yield finding("wrong_numbering", reason, suggestion=position_text(near), **where)
        elif len(position) > 1 and position[:-1] not in seen and position[:-1] != (0,):
            reason = f"Nothing with the number {position_text(position[:-1])} stands above {given}."
            yield finding("wrong_numbering", reason, suggestion=position_text(near), **where)
        elif position not in following:
            reason = f"The number {given} does not follow {position_text(previous) or 'the heading'}; expected {position_text(near)}"
            yield finding("wrong_numbering", reason, score=0.5, suggestion=position_text(near), **where)
        seen.setdefault(position, entry)
        previous = position


def _repeated_labels(labels: Iterable[LabelEntry]) -> Iterator[dict[str, Any]]:
    first: dict[str, LabelEntry] = {}
    for entry in (entry for entry in labels if entry.label):
        other = first.setdefault(entry.label.casefold(), entry)
        where: dict[str, Any] = {**cell(entry.place, "label"), "given": entry.label}
        there = f"'{other.label}'{_at(other.place, 'label')} with the meaning '{other.meaning}'"
        if other is entry:
            continue
        if other.label != entry.label:
            reason = f"The label '{entry.label}' differs only in letter case from {there}; they are two labels."
            yield finding("letter_case", reason, suggestion=other.label, **where)
        elif other.meaning == entry.meaning:
            yield finding("repeated_label", f"The label stands twice, first as {there}.", score=0.5, **where)
        else:
            reason = f"The label has the meaning '{entry.meaning}', but stands before as {there}; the first counts."
            yield finding("repeated_label", reason, **where)


def _repeated_synonyms(labels: Iterable[LabelEntry]) -> Iterator[dict[str, Any]]:
    """Synonyms are looked up in any letter case, so that they are compared so too."""
    named = {entry.label.casefold(): entry for entry in reversed([*labels]) if entry.label}
    first: dict[str, LabelEntry] = {}
    for entry in labels:
        for text in synonym_parts(entry):
            other = named.get(text.casefold()) or first.setdefault(text.casefold(), entry)
            if other.meaning != entry.meaning:
                reason = f"The synonym '{text}' of '{entry.meaning}' also stands for '{other.meaning}'{_at(other.place, 'label')}."
                yield finding("repeated_label", f"{reason} That one counts.", given=text, **cell(entry.place, "synonym"))


def _repeated_superlabels(superlabels: Iterable[Superlabel]) -> Iterator[dict[str, Any]]:
    first: dict[str, Superlabel] = {}
    for entry in superlabels:
        other = first.setdefault(entry.name.casefold(), entry)
        where: dict[str, Any] = {**cell(entry.place, "name"), "given": entry.name}
        if other is entry:
            continue
        if other.name != entry.name:
            reason = f"The superclass '{entry.name}' differs only in letter case from '{other.name}'{_at(other.place, 'name')}."
            yield finding("letter_case", reason, suggestion=other.name, **where)
        elif other.number != entry.number:
            reason = f"The superclass has the number {entry.number}, but {other.number} before{_at(other.place, 'number')}."
            yield finding("repeated_superclass", f"{reason} The first counts.", suggestion=str(other.number), **where)
        else:
            reason = f"The superclass stands twice, first{_at(other.place, 'name')}; its rows are taken together."
            yield finding("repeated_superclass", reason, score=0.3, is_issue=False, **where)


def _superlabel_numbers(superlabels: Iterable[Superlabel]) -> Iterator[dict[str, Any]]:
    """Exported indices must be 0, 1, 2, ... without gaps, each for one superclass; several may be unused or forbidden."""
    first: dict[int, Superlabel] = {}
    for entry in superlabels:
        if entry.number is None or entry.number < 1:
            continue
        other = first.setdefault(entry.number, entry)
        if other.name != entry.name:
            reason = f"The number {entry.number} belongs to '{other.name}'{_at(other.place, 'number')} already."
            free = next(n for n in range(1, len(first) + 2) if n not in first)
            yield finding("repeated_number", reason, given=str(entry.number), suggestion=str(free), **cell(entry.place, "number"))
    missing = [number for number in range(1, max(first, default=0)) if number not in first]
    if missing:
        behind = first[min(number for number in first if number > missing[0])]
        told = ", ".join(map(str, missing[:10]))
        reason = f"No superclass has the number {told}; trainers need indices without gaps."
        yield finding("number_gap", reason, given=str(behind.number), suggestion=str(missing[0]), **cell(behind.place, "number"))


def _priorities(superlabels: Iterable[Superlabel]) -> Iterator[dict[str, Any]]:
    for entry in superlabels:
        if entry.rank is None:
            known = "Нет, Низкий, Обычный, Высокий (none, low, normal, high) or a number"
            reason = f"The priority '{entry.priority}' is not known; expected {known}."
            yield finding("unknown_priority", reason, given=entry.priority, **cell(entry.place, "priority"))


def _repeated_members(superlabels: Iterable[Superlabel]) -> Iterator[dict[str, Any]]:
    first: dict[str, tuple[Superlabel, Member]] = {}
    for entry, member in [(superlabel, member) for superlabel in superlabels for member in superlabel.members]:
        owner, other = first.setdefault(member.meaning.casefold(), (entry, member))
        if other is member:
            continue
        where: dict[str, Any] = {**cell(member.place, "meaning"), "given": member.meaning}
        if owner.name == entry.name:
            reason = f"'{member.meaning}' stands in '{entry.name}' twice, first as '{other.meaning}'{_at(other.place, 'meaning')}."
            yield finding("repeated_meaning", reason, score=0.5, **where)
        else:
            reason = f"'{member.meaning}' belongs to '{owner.name}'{_at(other.place, 'meaning')} already; a meaning has one superclass."
            yield finding("repeated_meaning", f"{reason} The first counts.", suggestion=owner.name, **where)


def _empty(superlabels: Iterable[Superlabel]) -> Iterator[dict[str, Any]]:
    held: defaultdict[str, int] = defaultdict(int)
    for entry in superlabels:
        held[entry.name] += len(entry.members)
    for entry in superlabels:
        if not held[entry.name] and entry.name:
            yield finding("empty_superclass", f"The superclass '{entry.name}' holds no meaning.", **cell(entry.place, "meaning"))


def _absent_meanings(labels: Iterable[LabelEntry], superlabels: Iterable[Superlabel]) -> Iterator[dict[str, Any]]:
    known = {entry.meaning: entry for entry in reversed([*labels])}
    folded = {meaning.casefold(): meaning for meaning in known}
    for member in (member for entry in superlabels for member in entry.members if member.meaning not in known):
        where: dict[str, Any] = {**cell(member.place, "meaning"), "given": member.meaning}
        twin = folded.get(member.meaning.casefold())
        if twin is not None:
            reason = (
                f"'{member.meaning}' is written '{twin}' in the table of labels{_at(known[twin].place, 'meaning')}; so they do not meet."
            )
            yield finding("letter_case", reason, suggestion=twin, **where)
        else:
            reason = f"The table of labels has no meaning '{member.meaning}'."
            yield finding("absent_meaning", reason, suggestion=nearest_name(member.meaning, known), **where)


def _unmapped_meanings(labels: Iterable[LabelEntry], superlabels: Iterable[Superlabel]) -> Iterator[dict[str, Any]]:
    """Meanings with a label that no superclass takes; those that only letter case keeps apart are told with the superclass."""
    members = {member.meaning for entry in superlabels for member in entry.members}
    folded = {meaning.casefold() for meaning in members}
    for entry in labels:
        if (entry.label or entry.synonym) and entry.meaning.casefold() not in folded:
            reason = f"'{entry.meaning}', the meaning of '{entry.label or entry.synonym}', is in no superclass, not even an unused one."
            near = nearest_name(entry.meaning, members, cutoff=0.8)
            yield finding("unmapped_meaning", reason, given=entry.meaning, suggestion=near, **cell(entry.place, "meaning"))


def _at(place: Place | None, column: str) -> str:
    return "" if place is None else f" ({place.cell(column)})"
