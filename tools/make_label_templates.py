"""Write the templates of the two label tables, which ship with the package: the ranks of living things as an example to write over.

python tools/make_label_templates.py
"""

from __future__ import annotations

import sys
from pathlib import Path

from burnish.data.taxonomy import LabelEntry, Member, Superlabel, Taxonomy
from burnish.formats.label_tables import write_tables

FOLDER = Path(__file__).resolve().parents[1] / "src" / "burnish" / "formats" / "label_tables" / "templates"
_RANKS = {
    "domain": ("Домен", "Домен_(биология)"),
    "kingdom": ("Царство", "Царство_(биология)"),
    "phylum": ("Отдел", "Отдел_(биология)"),
    "class": ("Класс", "Класс_(биология)"),
    "order": ("Порядок (отряд)", "Порядок_(биология)"),
    "family": ("Семейство", "Семейство"),
    "genus": ("Род", "Род_(биология)"),
    "species": ("Вид", "Биологический_вид"),
}
_SUPERLABELS = (
    (1, "Виды и рода", ("Род", "Вид"), "Обычный"),
    (2, "Классы, отряды и семейства", ("Класс", "Порядок (отряд)", "Семейство"), "Высокий"),
    (0, "Неиспользуемые объекты", ("Царство", "Отдел"), "Нет"),
    (-1, "Исключаемые объекты", ("Домен",), "Нет"),
)


def template() -> Taxonomy:
    """The tables of the templates: a roman group, and each rank one level below the rank before."""
    labels = [
        LabelEntry(meaning, label, position=(1,) * (depth + 1), url=f"https://ru.wikipedia.org/wiki/{page}")
        for depth, (label, (meaning, page)) in enumerate(_RANKS.items())
    ]
    superlabels = [Superlabel(name, tuple(map(Member, meanings)), number, priority) for number, name, meanings, priority in _SUPERLABELS]
    return Taxonomy(tuple(labels), tuple(superlabels))


def main() -> int:
    """Write both files."""
    for path in write_tables(template(), FOLDER, force=True):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
