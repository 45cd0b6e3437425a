"""The descriptions of all losses; nothing heavy, so that a config file is checked at once."""
