"""The input: editor, history."""
