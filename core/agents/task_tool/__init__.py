"""The tool with which the main agent starts others."""
