"""Commands of the command line that need no session and no window: ``agent-tui NAME …`` calls ``main`` of ``NAME``."""
