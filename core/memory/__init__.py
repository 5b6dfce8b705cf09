"""Instruction files that the user and the project wrote for the model."""
