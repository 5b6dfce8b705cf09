"""Prices and the running account of a session."""
