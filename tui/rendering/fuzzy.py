"""Finding paths by a few of their characters, fast enough for every key typed over 100,000 of them.

Nothing is scored that need not be. Paths lie in one long text, shortest first, and each tier of the ranking is one
search in that text by the C library: exact name, beginning of the name, part of the name, part of the path. Only what
these leave open is looked for as a subsequence. The work comes in slices, so that the window can draw between them.
"""

from __future__ import annotations

import asyncio
import re
from bisect import bisect_right
from collections.abc import Generator, Iterable, Sequence
from itertools import accumulate
from time import perf_counter

SLICE = 1_000
"""Paths that are looked at in one go; some milliseconds at most."""
TURN_S = 0.002
"""How long the event loop is held before others get their turn."""
MAX_SCORED = 2_000
"""Subsequence matches that are compared with each other: the shortest ones."""
BOUNDARIES = "/_-. "


class FuzzyPaths:
    """An index over paths; folders end with a slash. Making it takes a while: do it in a thread."""

    def __init__(self, paths: Iterable[str]) -> None:
        by_length: dict[int, list[str]] = {}
        for path in paths:
            by_length.setdefault(len(path), []).append(path)
        self.paths = [path for length in sorted(by_length) for path in by_length[length]]
        self.top = sorted(path for path in self.paths if path.find("/", 0, -1) < 0)
        """What lies in the folder itself."""
        self._exact = _Texts(self.paths)
        self._folded = _Texts([path.lower() for path in self.paths])
        self._found: tuple[str, list[int]] = ("", [])
        """The newest query that was looked for to the end as a subsequence, and what fits it."""

    async def find(self, query: str, limit: int) -> list[str]:
        """The best matches, the best first. Lets everything else on the event loop run between two slices."""
        work = self.search(query, limit)
        pause_at = perf_counter() + TURN_S
        while True:
            try:
                next(work)
            except StopIteration as done:
                return done.value
            if perf_counter() >= pause_at:
                await asyncio.sleep(0)
                pause_at = perf_counter() + TURN_S

    def search(self, query: str, limit: int) -> Generator[None, None, list[str]]:
        """The best matches, the best first; to be stepped through, with pauses in between."""
        # Smart case: one capital letter makes all letters count as they are.
        texts = self._exact if query != query.lower() else self._folded
        found: dict[int, None] = {}
        for tier in texts.tiers(query):
            for place in tier:
                found.setdefault(place)
                if len(found) >= limit:
                    break
            yield
            if len(found) >= limit:
                return [self.paths[place] for place in found]
        rest = yield from self._subsequences(texts, query, found)
        rest = rest[: limit - len(found)]
        return [self.paths[place] for place in (*found, *rest)]

    def _subsequences(self, texts: _Texts, query: str, but: dict[int, None]) -> Generator[None, None, list[int]]:
        """Places of what holds the characters in order, the best first."""
        regex = re.compile("".join(f"[^{re.escape(c)}]*{re.escape(c)}" for c in query))
        earlier, known = self._found
        places: Sequence[int] = known if earlier and query.startswith(earlier) else range(len(self.paths))
        fits: list[int] = []
        for start in range(0, len(places), SLICE):
            lines = texts.lines
            fits += [place for place in places[start : start + SLICE] if regex.match(lines[place])]
            yield
        self._found = (query, fits)
        scored: list[tuple[int, int]] = []
        for count, place in enumerate([place for place in fits if place not in but][:MAX_SCORED]):
            scored.append((-score(query, self.paths[place]), place))
            if count % 200 == 199:
                yield
        return [place for _score, place in sorted(scored)]


class _Texts:
    """The paths as lines of one text, and their names as lines of another."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        names = [line.rstrip("/").rpartition("/")[2] for line in lines]
        self._paths = "\n" + "\n".join(lines) + "\n"
        self._names = "\n" + "\n".join(names) + "\n"
        self._path_starts = list(accumulate((len(line) + 1 for line in lines), initial=1))
        self._name_starts = list(accumulate((len(name) + 1 for name in names), initial=1))

    def tiers(self, query: str) -> Iterable[Iterable[int]]:
        """Places of the paths that fit, tier by tier; in each the shortest first, and some of earlier tiers again."""
        if "/" not in query:
            yield _places(self._names, self._name_starts, f"\n{query}\n")
            yield _places(self._names, self._name_starts, f"\n{query}")
            yield _places(self._names, self._name_starts, query)
        yield _places(self._paths, self._path_starts, f"\n{query}")
        yield _places(self._paths, self._path_starts, query)


def _places(text: str, starts: Sequence[int], wanted: str) -> Generator[int, None, None]:
    """The numbers of the lines in which ``wanted`` begins, each once."""
    at = text.find(wanted)
    while at >= 0:
        # A line break at the beginning of what is wanted is the one before the line.
        line = bisect_right(starts, at + wanted.startswith("\n")) - 1
        yield line
        at = text.find(wanted, starts[line + 1] - 1)


def score(query: str, path: str) -> int:
    """How well a subsequence fits: beginnings of words count most, then neighbours, then what is in the name."""
    name_at = path.rstrip("/").rfind("/") + 1
    total, previous = 0, -2
    for place in matched(query, path):
        total += 8 * _is_boundary(path, place) + 5 * (place == previous + 1) + 2 * (place >= name_at)
        previous = place
    return total


def matched(query: str, path: str) -> tuple[int, ...]:
    """Places of the query's characters in the path: together where they stand together, else at beginnings of words."""
    ignore = query == query.lower()
    shown = path.lower() if ignore and len(path.lower()) == len(path) else path
    at = shown.find(query, shown.rstrip("/").rfind("/") + 1)
    if at < 0:
        at = shown.find(query)
    if at >= 0:
        return tuple(range(at, at + len(query)))
    places: list[int] = []
    limits = _latest(query, shown)
    start = 0
    for character, latest in zip(query, limits, strict=True):
        place = shown.find(character, start)
        if place < 0 or latest < 0:
            return ()
        at_word = place
        while 0 <= at_word <= latest and not _is_boundary(path, at_word):
            at_word = shown.find(character, at_word + 1)
        follows = bool(places) and place == places[-1] + 1
        if not follows and 0 <= at_word <= latest:
            place = at_word
        places.append(place)
        start = place + 1
    return tuple(places)


def _latest(query: str, text: str) -> list[int]:
    """The last place at which each character may stand, so that the ones after it still fit."""
    end, limits = len(text), [-1] * len(query)
    for number in range(len(query) - 1, -1, -1):
        end = text.rfind(query[number], 0, end)
        if end < 0:
            break
        limits[number] = end
    return limits


def _is_boundary(path: str, place: int) -> bool:
    if place == 0 or path[place - 1] in BOUNDARIES:
        return True
    return path[place].isupper() and path[place - 1].islower()
