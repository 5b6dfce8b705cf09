"""Prompts that are docked above the composer."""
