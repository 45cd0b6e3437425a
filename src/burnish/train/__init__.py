"""The training toolkit: verbs that train, predict and evaluate, and all around the network below them."""

from burnish.rooms import callable_room

callable_room(__name__)
