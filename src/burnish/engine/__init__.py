"""Where work runs: ordered parallel map, resumable pieces, progress, retry, timing, logging, safe file names and whole files."""
