"""The debug log: a rotating file, because the terminal belongs to the window."""

from __future__ import annotations

import logging
import logging.handlers
from pathlib import Path

LOG_BYTES = 2_000_000
LOGGER = logging.getLogger("agent_tui")


def start_log(path: Path, level: str = "INFO") -> None:
    """Send the program's log to ``path``. A folder that cannot be written leaves the program without a log."""
    LOGGER.propagate = False
    LOGGER.setLevel(level.upper() if level.upper() in logging.getLevelNamesMapping() else "INFO")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handler: logging.Handler = logging.handlers.RotatingFileHandler(
            path, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8"
        )
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    for old in LOGGER.handlers:
        old.close()
    LOGGER.handlers = [handler]
