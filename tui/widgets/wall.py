"""The wall of the window: a fault costs the message it came up in, not the widget or the session."""

from __future__ import annotations

from textual.message import Message
from textual.message_pump import MessagePump


class Walled(MessagePump):
    """Goes on with the next message after a fault; Textual itself would end the loop, and the widget were dead."""

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as error:  # noqa: BLE001  the wall: the app logs it and tells it
            self.app._handle_exception(error)  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType]
