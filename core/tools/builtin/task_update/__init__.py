"""The task_update tool."""
