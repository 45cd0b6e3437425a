"""Learning rates and optimisers."""
