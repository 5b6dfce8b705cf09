"""The task_get tool."""
