"""Checks whether a network, its loss and its data can do what a training and its target ask, before hours are spent on it."""
