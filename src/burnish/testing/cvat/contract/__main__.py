"""`python -m burnish.testing.cvat.contract FOLDER`: how much of recorded exchanges the test server answers alike."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from burnish.errors import BurnishError
from burnish.testing.cvat.contract.recordings import load
from burnish.testing.cvat.contract.replay import replay

if TYPE_CHECKING:
    from collections.abc import Iterable

    from burnish.testing.cvat.contract.replay import Outcome


def main() -> int:
    """Replay a folder of recordings, print the shares and the first differences; 0 if everything matches."""
    parser = argparse.ArgumentParser(prog="python -m burnish.testing.cvat.contract", description=__doc__)
    parser.add_argument("folder", type=Path, help="recorded exchanges: 00_server.json, 01_auth.json, ..., bodies/")
    parser.add_argument("--shown", type=int, default=20, help="how many exchanges that differ are shown (default: 20)")
    parser.add_argument("--first-id", type=int, default=1, help="where the fresh server begins to count (default: 1)")
    choices = parser.parse_args()
    try:
        outcomes = replay(load(choices.folder), first_id=choices.first_id)
    except BurnishError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write("\n".join(_report(outcomes, choices.shown)) + "\n")
    return 0 if all(outcome.matches for outcome in outcomes) else 1


def _report(outcomes: list[Outcome], shown: int) -> Iterable[str]:
    for scenario in dict.fromkeys(outcome.exchange.scenario for outcome in outcomes):
        yield _share(scenario, [outcome for outcome in outcomes if outcome.exchange.scenario == scenario])
    yield _share("what a client needs", [outcome for outcome in outcomes if outcome.exchange.is_clients])
    yield _share("all", outcomes)
    for outcome in [outcome for outcome in outcomes if not outcome.matches][:shown]:
        yield f"\n{outcome.exchange.name}"
        yield from (f"    {difference}" for difference in outcome.differences[:3])


def _share(name: str, outcomes: list[Outcome]) -> str:
    matching = sum(outcome.matches for outcome in outcomes)
    return f"{name:32} {matching:4d} of {len(outcomes):4d} ({matching / max(len(outcomes), 1):.1%})"


if __name__ == "__main__":
    sys.exit(main())
