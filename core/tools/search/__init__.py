"""Finding files and text: ripgrep where it is installed, the same in Python where it is not."""
