"""The two spreadsheets of a project: what each label means, and which superlabel it is trained as; xlsx, csv and tsv, both ways."""

from burnish.formats.label_tables.names import read_names
from burnish.formats.label_tables.reading import LabelTables, read_tables
from burnish.formats.label_tables.writing import FILE_KINDS, copy_templates, write_tables

__all__ = ["FILE_KINDS", "LabelTables", "copy_templates", "read_names", "read_tables", "write_tables"]
