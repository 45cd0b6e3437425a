"""Looking at a dataset and turning it over: convert, check, stats, split, preview, apply, history, diff, undo."""
