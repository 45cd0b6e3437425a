"""Better masks out of weak ones: preparing small hand-labelled sets, merging predictions with boxes, and the loop of both."""

from burnish.rooms import callable_room

callable_room(__name__)
