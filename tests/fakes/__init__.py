"""Stand-ins for what the program talks to: the API, and whatever else a test must control."""
