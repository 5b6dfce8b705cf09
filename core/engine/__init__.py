"""The session and the op handlers; wiring is the only place that builds things."""
