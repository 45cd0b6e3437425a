"""Tables, charts, galleries and one self-contained page: the one look of all reports."""
