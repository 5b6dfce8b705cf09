"""The calibration: a Textual app that shows one Static and one Input, and nothing else."""

from textual.app import App, ComposeResult
from textual.widgets import Input, Static


class BareApp(App[None]):
    """As little as Textual can be."""

    def compose(self) -> ComposeResult:
        yield Static("ready")
        yield Input()


if __name__ == "__main__":
    BareApp().run()
