"""The exit_plan_mode tool."""
