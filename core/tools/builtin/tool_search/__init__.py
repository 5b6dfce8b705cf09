"""The tool_search tool."""
