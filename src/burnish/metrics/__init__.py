"""NumPy-first metrics."""
