"""The machine as one object, so that tests can hand the engine another one."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.host.clock import Clock, SystemClock
from core.host.files import LineLog
from core.host.ids import IdSource, RandomIds
from core.host.process import ProcessHost
from core.host.sandbox.sandbox import Sandbox


def _environment() -> Mapping[str, str]:
    return dict(os.environ)


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """Clock, identifiers, processes and their confinement, environment, logs on disk, and chance."""

    clock: Clock = field(default_factory=SystemClock)
    ids: IdSource = field(default_factory=RandomIds)
    processes: ProcessHost = field(default_factory=ProcessHost)
    sandbox: Sandbox = field(default_factory=Sandbox)
    environ: Mapping[str, str] = field(default_factory=_environment)
    open_log: Callable[[Path], LineLog] = LineLog
    chance: Callable[[], float] = random.random
    """A number from 0 up to 1, for what must not happen everywhere at the same moment."""
