"""CVAT: labels, shapes and frames once, for its backups, its XML and its server's API."""
