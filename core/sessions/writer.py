"""Appends records to a transcript as things happen. A disk that fails never stops the session."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from core.bus.bus import Publisher
from core.host.clock import iso_utc
from core.host.files import LineLog, lock_file
from core.host.host import Host
from core.protocol.errors import AgentError
from core.protocol.events import Notice
from core.sessions.entries import RecordBase, header_record


class TranscriptWriter:
    """The only writer of one transcript: holds a lock as long as it is open."""

    def __init__(
        self, log: LineLog, base: RecordBase, host: Host, publisher: Publisher, *, last_uuid: str | None = None
    ) -> None:
        self._log = log
        self._base = base
        self._host = host
        self._publisher = publisher
        self._last_uuid = last_uuid
        self._has_failed = False
        self._is_new = last_uuid is None
        self._lock: int | None = None

    @property
    def path(self) -> Path:
        """The transcript."""
        return self._log.path

    def lock(self) -> None:
        """Take the transcript. Raises ``AgentError`` where another program has it open."""
        try:
            self._lock = lock_file(self._log.path)
        except OSError as error:
            self._report(error)
            return
        if self._lock is None:
            raise AgentError(
                "This session is open in another agent-tui.", "Close it there, or start a new session here."
            )

    def write(self, record: dict[str, Any], record_id: str | None = None) -> str:
        """Append a record to the chain and return its id. Never raises: a failure is told once to the user."""
        lines: list[dict[str, Any]] = []
        if self._is_new:
            self._is_new = False
            self.lock()
            lines.append(header_record())
        uuid = record_id or self._host.ids.uuid()
        lines.append(
            {
                "uuid": uuid,
                "parentUuid": self._last_uuid,
                "sessionId": self._base.session_id,
                "timestamp": iso_utc(self._host.clock.time()),
                "cwd": self._base.cwd,
                "version": self._base.version,
                "gitBranch": self._base.git_branch,
                "isSidechain": bool(self._base.agent_id),
                **self._sidechain(),
                **record,
            }
        )
        self._last_uuid = uuid
        data = b"\n".join(json.dumps(line, ensure_ascii=False).encode("utf-8", "surrogatepass") for line in lines)
        try:
            self._log.append(data)
        except OSError as error:
            self._report(error)
        else:
            self._recovered()
        return uuid

    def sync(self) -> None:
        """Force what was written to the disk: at the end of a turn."""
        try:
            self._log.sync()
        except OSError as error:
            self._report(error)
        else:
            self._recovered()

    def close(self) -> None:
        """Write what is left and let go of the transcript."""
        self.sync()
        self._log.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _sidechain(self) -> dict[str, str]:
        """What each record of a subagent says beside the usual."""
        base = self._base
        return {"agentId": base.agent_id, "parentToolUseId": base.parent_tool_use_id} if base.agent_id else {}

    def _report(self, error: OSError) -> None:
        if not self._has_failed:
            self._has_failed = True
            self._publisher.emit(
                Notice(
                    level="error",
                    text=f"The transcript cannot be written: {error.strerror or error} ({self._log.path}).",
                    hint="The session goes on in memory; free some space and what is missing will be written.",
                )
            )

    def _recovered(self) -> None:
        if self._has_failed:
            self._has_failed = False
            self._publisher.emit(
                Notice(level="info", text="The transcript is being written again; nothing is missing.")
            )
