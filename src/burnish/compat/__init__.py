"""Names that other projects know these functions by, as thin aliases."""
