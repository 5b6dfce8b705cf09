"""One folder per tool: tool.py and, beside it, prompt.md that the model reads."""
