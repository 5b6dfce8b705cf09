"""Well-known identifiers."""

MAIN_AGENT = "main"
"""``agent_id`` of the conversation that the user talks to."""
