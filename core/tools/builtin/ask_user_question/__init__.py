"""The ask_user_question tool."""
