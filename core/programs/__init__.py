"""Commands of the command line that need no session and no window."""
