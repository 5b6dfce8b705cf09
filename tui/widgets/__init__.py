"""Widgets; each draws what it is told and posts messages."""
