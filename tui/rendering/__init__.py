"""Pure data to styled lines: Markdown, code, diffs, safe text."""
