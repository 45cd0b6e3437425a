"""Balancing classes by repeating whole pictures, with a proof of how good that can be."""

from burnish.rooms import callable_room

callable_room(__name__)
