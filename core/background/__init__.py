"""What the small model does beside the conversation, unasked: never in the way of a turn, off in one setting."""
