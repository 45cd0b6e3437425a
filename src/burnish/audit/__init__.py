"""Finding wrong labels, copies, leaks and odd pictures."""

from burnish.rooms import callable_room

callable_room(__name__)
