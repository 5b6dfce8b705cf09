"""The multi_edit tool."""
