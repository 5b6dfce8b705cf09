"""Where files live, what a setting may be, and how the layers of settings are read."""
