"""The event log on disk: what a reader of the bus saw, one JSON line an envelope, after a header line."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.bus.bus import Bus
from core.host.files import LineLog
from core.host.log import LOGGER
from core.protocol.codec import EVENT_LOG_VERSION, envelope_from_json, envelope_to_json
from core.protocol.envelope import Envelope

WRITE_INTERVAL_S = 0.5
"""Events are written in batches at least this far apart, so that deltas fold before they reach the disk."""


class Recorder:
    """Writes every event of a bus. A disk that fails costs the log, never the session."""

    def __init__(self, bus: Bus, log: LineLog) -> None:
        self._log = log
        self._bus = bus
        self._subscription = bus.subscribe()
        self._start = log.path.stat().st_size if log.path.exists() else 0
        """Where this run begins in the file: an earlier run of the session counted from 1 too."""
        self._has_header = self._start > 0

    async def run(self) -> None:
        """Record until cancelled or the bus reader is closed."""
        while await self._subscription.ready():
            # First the pause: what comes with this event may be in a hurry, the log is not.
            await asyncio.sleep(WRITE_INTERVAL_S)
            self.flush()

    def flush(self) -> None:
        """Write what is queued now."""
        self._write(self._subscription.take())

    def close(self) -> None:
        """Write what is left and close the file."""
        self._bus.unsubscribe(self._subscription)
        self.flush()
        self._log.close()

    def after(self, seq: int) -> list[Envelope]:
        """Every recorded envelope after ``seq``: the backlog of a reader that fell behind."""
        self.flush()
        return [envelope for envelope in read_event_log(self._log.path, self._start) if envelope.seq > seq]

    def _write(self, batch: list[Envelope]) -> None:
        if not batch:
            return
        lines = [] if self._has_header else [_line({"kind": "header", "version": EVENT_LOG_VERSION})]
        self._has_header = True
        lines += [_line(envelope_to_json(envelope)) for envelope in batch]
        try:
            self._log.append(b"\n".join(lines))
        except OSError as error:
            LOGGER.warning("event log %s: %s", self._log.path, error)


def _line(data: dict[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def read_event_log(path: Path, start: int = 0) -> Iterator[Envelope]:
    """The envelopes of a log from byte ``start`` on; what is not one (the header, a torn line) is passed over."""
    with path.open("rb") as stream:
        stream.seek(start)
        for line in stream:
            with contextlib.suppress(ValueError):
                yield envelope_from_json(json.loads(line))
