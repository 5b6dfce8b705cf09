"""The program's version, alone here so that asking for it costs nothing."""

__version__ = "0.6.0"
