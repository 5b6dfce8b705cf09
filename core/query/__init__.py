"""The loop: one prompt until the model stops."""
