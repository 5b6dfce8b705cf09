"""The task_list tool."""
