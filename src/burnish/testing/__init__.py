"""Shipped to users: tiny datasets with real pictures, and the contract that a format module keeps; nothing in burnish imports it."""
