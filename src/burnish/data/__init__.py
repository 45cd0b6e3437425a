"""What a dataset is: tables, one picture's view of them, versions, findings, splits; nothing here reads a pixel."""
