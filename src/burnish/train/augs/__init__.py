"""Random changes to training pictures, one module per task."""
