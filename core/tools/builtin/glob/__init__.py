"""The glob tool."""
