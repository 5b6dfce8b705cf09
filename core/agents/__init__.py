"""Subagents: their definitions, how they are started, run, resumed and kept within limits."""
