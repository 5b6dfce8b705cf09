"""The enter_plan_mode tool."""
