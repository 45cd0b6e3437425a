"""Searching the settings of a training: the space, the trials, who runs them, and the report."""
