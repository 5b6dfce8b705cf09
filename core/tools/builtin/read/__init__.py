"""The read tool."""
