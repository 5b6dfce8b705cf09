"""The ls tool."""
