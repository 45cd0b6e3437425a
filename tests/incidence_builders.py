"""Small and random incidence tables."""

import numpy as np
from hypothesis import strategies as st

from burnish.balance.incidence import incidence_from_lists

GOLDEN = {"a": [[0, 1], [2]], "b": [[0]], "c": [[3], [3, 4], [5]], "d": [[1], [5]]}
SUPERCLASSES = {"X": {"a", "b"}, "Y": {"c", "d"}}


def golden():
    """The worked example: six pictures, four classes, two superclasses."""
    return incidence_from_lists(GOLDEN, SUPERCLASSES, [f"{number}.jpg" for number in range(6)])


def long_tail(pictures, classes, seed=0, power=1.2, superclasses=0):
    """Pictures with one to several objects whose classes follow a power law; every class has an object."""
    rng = np.random.default_rng(seed)
    chance = np.arange(1, classes + 1) ** -power
    lists = {f"class {number}": [] for number in range(classes)}
    names = list(lists)
    for picture in range(pictures):
        drawn = rng.choice(classes, size=1 + rng.poisson(3), p=chance / chance.sum())
        for number in drawn:
            lists[names[number]].append([picture])
    for number, name in enumerate(names):
        if not lists[name]:
            lists[name].append([number % pictures])
    above = {f"super {s}": {name for number, name in enumerate(names) if number % superclasses == s} for s in range(superclasses)}
    return incidence_from_lists(lists, above, [f"{number}.jpg" for number in range(pictures)])


@st.composite
def incidences(draw, most_pictures=6, most_classes=4):
    """Any few objects of any few classes on any few pictures, with or without superclasses."""
    pictures = draw(st.integers(1, most_pictures))
    classes = draw(st.integers(1, most_classes))
    seen = st.lists(st.integers(0, pictures - 1), min_size=1, max_size=3)
    lists = {f"c{number}": draw(st.lists(seen, min_size=1, max_size=4)) for number in range(classes)}
    above = draw(st.lists(st.integers(0, 1), min_size=classes, max_size=classes)) if draw(st.booleans()) else []
    superclasses = {f"s{s}": {f"c{n}" for n, of in enumerate(above) if of == s} for s in sorted(set(above))}
    return incidence_from_lists(lists, superclasses, [f"{number}.jpg" for number in range(pictures)])
