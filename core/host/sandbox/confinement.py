"""What a confined command may do, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """Reading is always free. Without a writable folder a command writes to its private temp folder only."""

    writable: tuple[Path, ...] = ()
    network: bool = False
    protected: tuple[Path, ...] = ()
    """Places in the writable folders that stay as they are. What is made where nothing was is found afterwards."""
    names: frozenset[str] = frozenset()
    """The same for whatever has one of these names, in small letters, directly in a writable folder."""
    reserved: tuple[Path, ...] = ()
    """Protected folders that cannot even be made: where one is missing an empty one holds its place meanwhile."""

    @property
    def roots(self) -> tuple[Path, ...]:
        """The writable places that exist, links resolved, without those that lie in another."""
        real = sorted({path.resolve() for path in self.writable if path.exists()})
        return tuple(path for path in real if not any(path != other and path.is_relative_to(other) for other in real))


READ_ONLY = Confinement()
"""For commands that nobody was asked about because they only read."""
