"""A live CVAT server: its tree, pull and push, backups, issues; nothing is lost on either side."""
