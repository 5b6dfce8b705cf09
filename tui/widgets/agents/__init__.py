"""Tiles in which subagents are watched, messaged and stopped."""
