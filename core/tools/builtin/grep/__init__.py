"""The grep tool."""
