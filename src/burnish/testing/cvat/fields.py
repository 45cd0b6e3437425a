"""Checks of single fields, in the words of the framework below CVAT; an object's complaints are gathered before it is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from burnish.testing.cvat.answers import bad_request, forbidden

if TYPE_CHECKING:
    from collections.abc import Collection

    from burnish.testing.cvat.calls import Json

REQUIRED: Final = "This field is required."
_BLANK: Final = "This field may not be blank."
_TRUE: Final = frozenset({"true", "1", "yes", "on", "t", "y"})


class Complaints:
    """What is wrong with an object, field by field."""

    def __init__(self) -> None:
        self.found: dict[str, list[Any]] = {}

    def add(self, name: str, message: str) -> None:
        """Note one complaint about a field."""
        self.found.setdefault(name, []).append(message)

    def raise_any(self) -> None:
        """Refuse with 400 if there is anything to complain about."""
        if self.found:
            raise bad_request(self.found)


def check_text(body: Json, name: str, complaints: Complaints, *, required: bool = True, shortest: int = 1, longest: int = 256) -> None:
    """A text that is there, is not empty, and has a fitting length."""
    if name not in body:
        if required:
            complaints.add(name, REQUIRED)
        return
    value = body[name]
    if not isinstance(value, str):
        complaints.add(name, "Not a valid string.")
    elif not value.strip() and shortest:
        complaints.add(name, _BLANK)
    elif len(value) < shortest:
        complaints.add(name, f"Ensure this field has at least {shortest} characters.")
    elif len(value) > longest:
        complaints.add(name, f"Ensure this field has no more than {longest} characters.")


def check_choice(body: Json, name: str, choices: Collection[str], complaints: Complaints) -> None:
    """A word out of a list, where it is there."""
    if name in body and body[name] not in choices:
        complaints.add(name, f'"{body[name]}" is not a valid choice.')


def check_number(body: Json, name: str, complaints: Complaints, *, least: int | None = None, most: int | None = None) -> None:
    """A whole number within bounds, where it is there; text is read as a number."""
    if body.get(name) is None:
        return
    try:
        value = int(body[name])
    except (TypeError, ValueError):
        complaints.add(name, "A valid integer is required.")
        return
    if least is not None and value < least:
        complaints.add(name, f"Ensure this value is greater than or equal to {least}.")
    if most is not None and value > most:
        complaints.add(name, f"Ensure this value is less than or equal to {most}.")


def check_known(body: Json, known: Collection[str]) -> None:
    """CVAT decides field by field who may change what; a field that it does not know is refused there."""
    if set(body) - set(known):
        raise forbidden("Attempted to update an unknown field")


def as_bool(value: Any, *, default: bool = False) -> bool:
    """A truth value from JSON or from a form or query."""
    if value is None or value == "":
        return default
    return value if isinstance(value, bool) else str(value).lower() in _TRUE
