"""Small datasets for tests, with real picture files: those that ship with the package."""

from burnish.testing.datasets import boxes_dataset, labels_folder, tags_dataset, write_class_picture, write_lines, write_picture

__all__ = ["boxes_dataset", "labels_folder", "tags_dataset", "write_class_picture", "write_lines", "write_picture"]
