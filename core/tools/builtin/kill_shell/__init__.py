"""The kill_shell tool."""
