"""Where work runs: ordered parallel map, resumable pieces, progress, retry, timing, logging, file names."""
