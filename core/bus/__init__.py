"""The event bus: publish, subscribe, record."""
