"""Networks by name: one description each, one function that builds them all."""
