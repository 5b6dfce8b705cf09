"""The task_create tool."""
