"""Fetching from the web: addresses, connections, and what comes back as text."""
