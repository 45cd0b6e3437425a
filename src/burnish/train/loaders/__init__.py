"""Batches for training: which rows, in which order, and how they reach the network."""
