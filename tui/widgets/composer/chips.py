"""Chips: short labels in the text that stand for a long paste or an image. Knows nothing of an editor.

A label counts only while it stands there whole; one that was broken is plain text, in the editor and when sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.protocol.views import ImageAttachment

FOLD_LINES = 5
FOLD_CHARACTERS = 1_000
"""A paste with more than this is folded."""
LABEL = re.compile(r"\[(?:Pasted text|Image) #(\d+)[^\[\]\n]*\]")
MAX_NAME = 40


def is_long(text: str) -> bool:
    """Whether a paste should be folded."""
    return len(text) > FOLD_CHARACTERS or _count_lines(text) > FOLD_LINES


def _count_lines(text: str) -> int:
    """Lines of a paste; a line break at its end begins no new one."""
    return text.count("\n") + (not text.endswith("\n"))


class Chips:
    """The labels that were given out, and what they stand for."""

    def __init__(self) -> None:
        self.pastes: dict[str, str] = {}
        self.images: dict[str, ImageAttachment] = {}
        self._last_paste = self._last_image = 0

    def fold(self, text: str) -> str:
        """A label for a paste."""
        self._last_paste += 1
        lines = _count_lines(text)
        size = f"+{lines:,} lines" if lines > 1 else f"{len(text):,} characters"
        label = f"[Pasted text #{self._last_paste} {size}]"
        self.pastes[label] = text
        return label

    def attach(self, image: ImageAttachment) -> str:
        """A label for an image."""
        self._last_image += 1
        name = re.sub(r"[\[\]\s]+", " ", image.name).strip()
        if len(name) > MAX_NAME:
            name = f"{name[: MAX_NAME - 1]}…"
        label = f"[Image #{self._last_image} {name}]"
        self.images[label] = image
        return label

    def restore(self, pastes: Mapping[str, str]) -> None:
        """Take up the labels of an earlier run."""
        for label, text in pastes.items():
            found = LABEL.fullmatch(label)
            if found:
                self.pastes[label] = text
                self._last_paste = max(self._last_paste, int(found[1]))

    def spans(self, line: str) -> Iterator[tuple[int, int]]:
        """Where in a line chips stand: start and end column."""
        if not (self.pastes or self.images) or "#" not in line:
            return
        for found in LABEL.finditer(line):
            if found[0] in self.pastes or found[0] in self.images:
                yield found.span()

    def around(self, line: str, column: int) -> tuple[int, int] | None:
        """The chip that a column lies inside of, its edges not counted."""
        return next((span for span in self.spans(line) if span[0] < column < span[1]), None)

    def expand(self, text: str) -> str:
        """The text with every paste in full; the label of an image stays, it tells where the image belongs."""
        return LABEL.sub(lambda found: self.pastes.get(found[0], found[0]), text) if self.pastes else text

    def images_of(self, text: str) -> tuple[ImageAttachment, ...]:
        """The images whose labels stand in the text, each once, in their order."""
        labels = dict.fromkeys(found[0] for found in LABEL.finditer(text)) if self.images else {}
        return tuple(self.images[label] for label in labels if label in self.images)

    def pastes_of(self, *texts: str) -> dict[str, str]:
        """What is needed to show these texts again in another run."""
        labels = {found[0] for text in texts for found in LABEL.finditer(text)}
        return {label: text for label, text in self.pastes.items() if label in labels}

    def without_images(self, text: str) -> str:
        """The text with the path of an image in place of its label, where it came from a file."""

        def path(found: re.Match[str]) -> str:
            image = self.images.get(found[0])
            return image.path if image is not None and image.path else found[0]

        return LABEL.sub(path, text) if self.images else text
