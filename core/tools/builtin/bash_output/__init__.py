"""The bash_output tool."""
