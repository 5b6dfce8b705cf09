"""Theme files: ours can be read by everybody, the user's are checked and cost only themselves."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import get_args

import pytest
from rich.color import Color, ColorSystem
from rich.style import Style

from core.protocol.agent_views import AgentColor
from themes.loader import choose_theme, load_theme, read_themes, theme_names
from themes.schema import COLORS, Theme, ThemeError

NAMES = theme_names()
COLOURED = [name for name in NAMES if not load_theme(name).is_ansi]
GROUNDS = ("background", "surface")
TEXTS = sorted(
    COLORS - {"background", "surface", "panel", "border", "muted", "faint"} - {n for n in COLORS if "_" in n}
)


def triplet(color: str) -> tuple[float, ...]:
    return tuple(int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in triplet(color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def in_256(color: str) -> str:
    """What a terminal without true colours shows."""
    shown = Color.parse(color).downgrade(ColorSystem.EIGHT_BIT).get_truecolor()
    return shown.hex


@pytest.mark.parametrize("name", COLOURED)
def test_text_can_be_read(name: str) -> None:
    colors = load_theme(name).colors
    enough = 7.0 if name == "high-contrast" else 4.5
    for text, ground in product(TEXTS, GROUNDS):
        assert contrast(colors[text], colors[ground]) >= enough, f"{text} on {ground}"
    for ground in ("panel", "added_background", "added_word", "removed_background", "removed_word"):
        assert contrast(colors["foreground"], colors[ground]) >= enough, f"foreground on {ground}"
    assert contrast(colors["background"], colors["warning"]) >= enough, "the badge"
    for change in ("added", "removed"):
        assert contrast(colors[change], colors[f"{change}_background"]) >= enough, f"the sign of what is {change}"


@pytest.mark.parametrize("name", COLOURED)
def test_the_colours_of_agents_can_be_read_and_are_several(name: str) -> None:
    colors = load_theme(name).colors
    agents = {color: value for color, value in colors.items() if color.startswith("agent_")}
    assert {color.removeprefix("agent_") for color in agents} == set(get_args(AgentColor)) - {""}
    assert len(set(agents.values())) == len(agents)
    enough = 7.0 if name == "high-contrast" else 4.5
    for (color, value), ground in product(agents.items(), GROUNDS):
        assert contrast(value, colors[ground]) >= enough, f"{color} on {ground}"
        assert contrast(in_256(value), in_256(colors["background"])) >= 3.5, color


@pytest.mark.parametrize("name", COLOURED)
def test_quieter_text_can_be_read_too(name: str) -> None:
    colors = load_theme(name).colors
    muted, faint = (7.0, 7.0) if name == "high-contrast" else (4.5, 3.0)
    for ground in GROUNDS:
        assert contrast(colors["muted"], colors[ground]) >= muted
        assert contrast(colors["faint"], colors[ground]) >= faint


@pytest.mark.parametrize("name", COLOURED)
def test_changed_code_can_be_read(name: str) -> None:
    """Syntax colours on the backgrounds of a diff."""
    colors = load_theme(name).colors
    for text, ground in product(
        ("keyword", "function", "type", "string", "number", "operator"),
        ("added_background", "added_word", "removed_background", "removed_word"),
    ):
        assert contrast(colors[text], colors[ground]) >= 3.0, f"{text} on {ground}"


@pytest.mark.parametrize("name", COLOURED)
def test_256_colours_are_enough(name: str) -> None:
    colors = load_theme(name).colors
    background = in_256(colors["background"])
    for text in TEXTS:
        assert contrast(in_256(colors[text]), background) >= 3.5, text
    assert contrast(in_256(colors["faint"]), background) >= 2.5


def seen_without_green(color: str) -> tuple[float, float]:
    """How bright and how yellow or blue a colour is to an eye that lacks the green cones: all that it tells apart."""
    red, green, blue = triplet(color)
    warm = 0.625 * red + 0.375 * green
    return luminance(color), warm - (0.3 * green + 0.7 * blue)


@pytest.mark.parametrize("name", ["colour-blind", "colour-blind-light"])
def test_changes_are_told_apart_without_red_and_green(name: str) -> None:
    colors = load_theme(name).colors
    for one, other in (("added", "removed"), ("added_word", "removed_word"), ("success", "error")):
        apart = seen_without_green(colors[one])[1] - seen_without_green(colors[other])[1]
        assert abs(apart) >= 0.25, f"{one} and {other}"


def test_one_theme_leaves_all_colours_to_the_terminal() -> None:
    theme = load_theme("ansi-16")
    assert theme.is_ansi
    assert all(value.startswith("ansi_") for value in theme.colors.values())
    assert not [style for style in theme.styles.values() if "#" in style]


@pytest.mark.parametrize("name", NAMES)
def test_every_style_is_one(name: str) -> None:
    for definition in load_theme(name).styles.values():
        Style.parse(definition)


def test_there_is_a_theme_for_everybody() -> None:
    assert {"dark", "light", "high-contrast", "colour-blind", "colour-blind-light", "ansi-16"} <= set(NAMES)
    assert {load_theme(name).dark for name in NAMES} == {True, False}
    assert len({load_theme(name).label for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize(
    ("wanted", "environ", "name"),
    [
        ("light", {}, "light"),
        ("auto", {}, "dark"),
        ("auto", {"COLORFGBG": "0;15"}, "light"),
        ("auto", {"COLORFGBG": "15;default;0"}, "dark"),
        ("no-such-theme", {}, "dark"),
        ("dark", {"COLORFGBG": "0;15"}, "dark"),
    ],
)
def test_the_theme_is_chosen(wanted: str, environ: dict[str, str], name: str) -> None:
    assert choose_theme(wanted, environ) == name


# The user's own


def write(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.toml").write_text(text)


def test_a_user_changes_some_colours_of_a_theme(tmp_path: Path) -> None:
    write(tmp_path, "rose", 'base = "light"\n[colors]\naccent = "#aa2255"\n[styles]\n"key" = "underline $accent"')
    rose, light = load_theme("rose", tmp_path), load_theme("light")
    assert (rose.name, rose.label, rose.dark) == ("rose", "rose", False)
    assert rose.colors == light.colors | {"accent": "#aa2255"}
    assert rose.styles["key"] == "underline #aa2255"
    assert rose.styles["state.running"] == "bold #aa2255"
    assert "rose" in theme_names(tmp_path)
    assert "rose" not in theme_names()


def test_a_user_may_change_a_theme_under_its_own_name(tmp_path: Path) -> None:
    write(tmp_path, "dark", 'label = "Mine"\nbase = "dark"\n[colors]\nbackground = "#000000"')
    assert load_theme("dark", tmp_path).colors["background"] == "#000000"
    assert load_theme("dark").colors["background"] != "#000000"
    assert [theme.label for theme in read_themes(tmp_path)[0]].count("Mine") == 1


def test_a_theme_stands_on_one_that_stands_on_another(tmp_path: Path) -> None:
    write(tmp_path, "mine", 'base = "colour-blind"')
    assert load_theme("mine", tmp_path).colors == load_theme("colour-blind").colors
    assert load_theme("mine", tmp_path).styles == load_theme("colour-blind").styles


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('base = "dark"\n[colors]\naccent = "red"', "colors.accent must be #rrggbb or an ansi_ name, not 'red'"),
        ('base = "dark"\n[colors]\naccent = 5', "colors.accent must be"),
        ('base = "dark"\n[colors]\naccent = "ansi_pink"', "colors.accent must be"),
        ('base = "dark"\n[colors]\naccnet = "#ffffff"', "colors.accnet is no colour of a theme"),
        ('[colors]\naccent = "#ffffff"', "colors lacks added"),
        ('base = "moon"', "base must be one of ansi-16"),
        ("base = 5", "base must be one of"),
        ('base = ["dark"]', "base must be one of"),
        ('base = "dark"\nlabel = 5', "label must be text"),
        ('base = "dark"\ndark = "yes"', "dark must be true or false"),
        ('base = "dark"\ncolors = 5', "colors must be a table"),
        ('base = "dark"\ncolours = 5', "colours is unknown"),
        ('base = "dark"\n[styles]\nkey = "blink $accent"', "styles.key: 'blink' is neither a colour nor one of"),
        ('base = "dark"\n[styles]\nkey = "$pink"', "styles.key: there is no colour '$pink'"),
        ('base = "dark"\n[styles]\nkey = "bold on"', "styles.key: 'on' needs a colour"),
        ('base = "dark"\n[styles]\nkey = "not $accent"', "styles.key: 'not' needs an attribute"),
        ('base = "dark"\ncolors = [', "mine.toml: "),
    ],
)
def test_a_mistake_is_told_by_file_and_key(tmp_path: Path, text: str, says: str) -> None:
    write(tmp_path, "mine", text)
    with pytest.raises(ThemeError) as told:
        load_theme("mine", tmp_path)
    assert says in str(told.value)
    assert str(tmp_path / "mine.toml") in str(told.value)
    themes, problems = read_themes(tmp_path)
    assert problems == [str(told.value)]
    assert sorted(theme.name for theme in themes) == NAMES


def test_names_that_cannot_be_one_are_told(tmp_path: Path) -> None:
    for name in ("my theme", "auto", "ß"):
        write(tmp_path, name, 'base = "dark"')
    themes, problems = read_themes(tmp_path)
    assert len(themes) == len(NAMES)
    assert len(problems) == 3


def test_no_folder_no_themes(tmp_path: Path) -> None:
    themes, problems = read_themes(tmp_path / "none")
    assert all(isinstance(theme, Theme) for theme in themes)
    assert problems == []
