"""Where the paths of one call led when it was judged: there, and nowhere else, it may act."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from core.permissions.access import Access
from core.permissions.paths import resolve
from core.protocol.errors import AgentError


class PathChangedError(AgentError):
    """Between the decision and the act a folder or link on the way was replaced."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} leads elsewhere than when this call was judged: a folder or link on the way was changed "
            "meanwhile. Nothing was done.",
            "Look at the folder, then call again to have it judged anew.",
        )


class JudgedPaths:
    """Belongs to one call. Taken when it is judged, asked when it acts."""

    def __init__(self) -> None:
        self._real: dict[Path, Path] | None = None

    def take(self, access: Access) -> Access:
        """Note where each path leads now. What is given back names these places too: they are judged as they are
        written here, whatever their names lead to a moment later."""
        self._real = {path: resolve(path) for path in (*access.reads, *access.writes)}
        return replace(access, reads=self._both(access.reads), writes=self._both(access.writes))

    def real(self, path: Path) -> Path:
        """The place that was judged. Raises ``PathChangedError`` where the path leads elsewhere by now, or was not
        judged; of a call that nobody judges it is where the path leads."""
        real = resolve(path)
        if self._real is not None and self._real.get(path) != real:
            raise PathChangedError(path)
        return real

    def _both(self, paths: tuple[Path, ...]) -> tuple[Path, ...]:
        assert self._real is not None
        return tuple(dict.fromkeys(spelling for path in paths for spelling in (path, self._real[path])))
