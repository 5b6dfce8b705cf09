"""Conversations on disk: records, the writer, and loading with repair."""
