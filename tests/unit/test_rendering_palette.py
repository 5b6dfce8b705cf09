"""Style names to Rich styles."""

from rich.segment import Segment
from rich.style import Style

from tui.rendering.palette import Palette

PALETTE = Palette({"text": "#aaaaaa", "added": "on #003300", "syntax": "#777777", "syntax.string": "bold #00ff00"})


def test_names_are_looked_up_and_layered() -> None:
    assert PALETTE.style("syntax.string") == Style.parse("bold #00ff00")
    assert PALETTE.style("added syntax.string") == Style.parse("bold #00ff00 on #003300")
    assert PALETTE.style("added syntax.string") is PALETTE.style("added syntax.string")


def test_unknown_names_fall_back() -> None:
    assert PALETTE.style("syntax.string.doc") == Style.parse("bold #00ff00")
    assert PALETTE.style("syntax.keyword.type") == Style.parse("#777777")
    assert PALETTE.style("nothing.known") == Style.parse("#aaaaaa")
    assert PALETTE.style("added nothing") == Style.parse("on #003300")
    assert Palette({}).style("x") == Style.null()


def test_programs_bring_their_own_colours() -> None:
    assert PALETTE.style("text fg.#102030 bg.#405060") == Style.parse("#102030 on #405060")
    assert PALETTE.style("ansi.bright_red bold") == Style.parse("bold bright_red")
    assert PALETTE.style("ansi.on_blue") == Style.parse("on blue")
    assert PALETTE.style("fg.nonsense") == PALETTE.style("text")
    assert Palette({"ansi.red": "#ff0000"}).style("ansi.red") == Style.parse("#ff0000")


def test_the_cache_is_bounded() -> None:
    for number in range(5000):
        PALETTE.style(f"fg.#{number:06x}")
    assert PALETTE.style("fg.#000001") == Style(color="#000001")


def test_segments_carry_text_as_it_is() -> None:
    line = (("[bold]x[/]", "text"), ("y", "syntax.string"))
    assert PALETTE.segments(line) == [
        Segment("[bold]x[/]", Style.parse("#aaaaaa")),
        Segment("y", Style.parse("bold #00ff00")),
    ]
