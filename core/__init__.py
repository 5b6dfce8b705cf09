"""The engine of agent-tui: everything but the window. It knows no user interface."""
