"""Complete training scripts, one module per task."""
