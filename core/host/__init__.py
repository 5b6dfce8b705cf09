"""The machine: the only package that touches the operating system, files and processes directly."""
