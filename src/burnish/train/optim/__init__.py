"""Optimisers, the parameters that they get, and learning rates; nothing heavy is loaded before one is built."""
