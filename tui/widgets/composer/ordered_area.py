"""A text area in which keys act in the order they came in, however fast they come."""

from __future__ import annotations

from typing import cast

from textual import events
from textual.app import App
from textual.widgets import TextArea


class OrderedArea(TextArea):
    """Carries out its own bindings at once."""

    async def _on_key(self, event: events.Key) -> None:
        # Left to Textual a letter is put in at once, but the action of a key only after the key has gone all the way
        # up to the app: of "a", Backspace, "b" that come in one go the "b" would be deleted.
        if event.is_printable:
            return
        app = cast("App[object]", self.app)  # pyright: ignore[reportUnknownMemberType]
        bindings = self._bindings.copy()
        bindings.apply_keymap(app._keymap)  # pyright: ignore[reportPrivateUsage]
        for binding in bindings.key_to_bindings.get(event.key, ()):
            if not binding.priority and await app.run_action(binding.action, self):
                event.stop()
                event.prevent_default()
                return
