"""Turns events into what the widgets show: one method per event."""
