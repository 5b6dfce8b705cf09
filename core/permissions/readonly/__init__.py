"""Which shell commands change nothing: an allow-list of programs with the options that are known to be harmless."""
