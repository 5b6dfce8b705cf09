"""The conversation: one widget that draws only the lines in view."""
