"""Model families behind the Protocols."""
