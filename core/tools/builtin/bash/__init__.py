"""The bash tool."""
