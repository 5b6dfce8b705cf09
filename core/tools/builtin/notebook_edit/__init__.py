"""The notebook_edit tool."""
