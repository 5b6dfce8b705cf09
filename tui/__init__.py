"""The Textual window of agent-tui. It holds no engine state: it draws events and sends ops."""
