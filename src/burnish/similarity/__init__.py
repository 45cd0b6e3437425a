"""Copies, near copies, groups, neighbours, outliers."""
