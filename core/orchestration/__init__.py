"""Running the tool calls of one response: partition, call, runner."""
