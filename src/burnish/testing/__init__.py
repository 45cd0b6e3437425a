"""Shipped to users: tiny datasets and contract suites."""
