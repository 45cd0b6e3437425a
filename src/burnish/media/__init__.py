"""Pixels in and out: reading pictures, hashing, drawing, the decoded cache."""
