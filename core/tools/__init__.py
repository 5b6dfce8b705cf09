"""The tool contract and the built-in tools."""
