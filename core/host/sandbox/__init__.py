"""Confinement of commands by the operating system: bubblewrap, else Landlock, else none, and never silently less."""
