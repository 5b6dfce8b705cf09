"""What is sent before the conversation: the system prompt, reminders, and cache breakpoints."""
