"""The pure parts of the composer: kill ring, chips, dropped paths, history."""

from __future__ import annotations

import pytest

from core.protocol.views import ImageAttachment
from tui.widgets.composer.chips import Chips
from tui.widgets.composer.dropped import image_paths
from tui.widgets.composer.history import History
from tui.widgets.composer.kill_ring import MAX_ENTRIES, KillRing


def test_kills_join_in_the_order_of_the_text() -> None:
    ring = KillRing()
    ring.kill("c", is_forward=False, joins=False)
    ring.kill("b", is_forward=False, joins=True)
    ring.kill("d", is_forward=True, joins=True)
    assert ring.yank() == "bcd"


def test_the_ring_goes_round_and_forgets_the_oldest() -> None:
    ring = KillRing()
    assert (ring.yank(), ring.rotate()) == ("", "")
    for number in range(MAX_ENTRIES + 5):
        ring.kill(str(number), is_forward=True, joins=False)
    ring.kill("", is_forward=True, joins=False)
    seen = [ring.yank(), *(ring.rotate() for _ in range(MAX_ENTRIES))]
    assert seen[0] == seen[-1] == str(MAX_ENTRIES + 4)
    assert len(set(seen)) == MAX_ENTRIES and "4" not in seen


def test_a_new_kill_is_what_is_yanked_next() -> None:
    ring = KillRing()
    for text in ("one", "two", "three"):
        ring.kill(text, is_forward=True, joins=False)
    assert (ring.rotate(), ring.rotate()) == ("two", "one")
    ring.kill("four", is_forward=True, joins=False)
    assert (ring.yank(), ring.rotate()) == ("four", "three")


def test_chips_expand_only_where_they_are_whole() -> None:
    chips = Chips()
    label = chips.fold("one\ntwo")
    assert label == "[Pasted text #1 +2 lines]"
    assert chips.fold("one\ntwo\n") == "[Pasted text #2 +2 lines]"
    assert chips.expand(f"<{label}> {label[:-1]} [Pasted text #9 +2 lines]") == (
        f"<one\ntwo> {label[:-1]} [Pasted text #9 +2 lines]"
    )
    assert chips.around(f"ab{label}", 2) is None
    assert chips.around(f"ab{label}", 3) == (2, 2 + len(label))


def test_what_a_paste_says_is_not_expanded_again() -> None:
    chips = Chips()
    first = chips.fold("plain")
    second = chips.fold(f"see {first}")
    assert chips.expand(second) == f"see {first}"


def test_labels_hold_no_brackets_and_images_come_once_each() -> None:
    chips = Chips()
    image = ImageAttachment(name="a [b]\n\x07c.png", media_type="image/png", data="AA==", path="/x/c.png")
    label = chips.attach(image)
    assert label.count("[") == label.count("]") == 1 and "\n" not in label
    assert chips.images_of(f"{label} and {label}") == (image,)
    assert chips.without_images(f"see {label}") == "see /x/c.png"


def test_restored_labels_are_not_given_out_again() -> None:
    chips = Chips()
    chips.restore({"[Pasted text #4 +2 lines]": "a\nb", "not a label": "x"})
    assert chips.fold("c\nd") == "[Pasted text #5 +2 lines]"
    assert "not a label" not in chips.pastes


@pytest.mark.parametrize(
    ("pasted", "paths"),
    [
        ("/a/b.png", ("/a/b.png",)),
        ("  /a/b.PNG \n", ("/a/b.PNG",)),
        ("'/a/b c.jpg'", ("/a/b c.jpg",)),
        ('"/a/b c.jpg"', ("/a/b c.jpg",)),
        ("/a/b\\ c.webp", ("/a/b c.webp",)),
        ("/a/b c.gif", ("/a/b c.gif",)),
        ("/a/it's.png", ("/a/it's.png",)),
        ("file:///a/b%20c.jpeg", ("/a/b c.jpeg",)),
        ("/a/1.png /a/2.png", ("/a/1.png", "/a/2.png")),
        ("/a/1.png\n/a/2.png", ("/a/1.png", "/a/2.png")),
        ("https://example.com/a.png", ()),
        ("look at /a/b.png", ()),
        ("/a/b.txt", ()),
        ("", ()),
    ],
)
def test_dropped_paths_are_recognised(pasted: str, paths: tuple[str, ...]) -> None:
    assert image_paths(pasted) == paths


def test_history_newest_first_holds_each_prompt_once() -> None:
    history = History()
    history.load(["a", "b", "a"])
    history.add("b")
    history.add("c")
    assert history.newest_first() == ["c", "b", "a"]
