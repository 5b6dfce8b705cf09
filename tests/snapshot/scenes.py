"""All scenes by name: the window as it looks after certain events."""

from __future__ import annotations

from collections.abc import Callable

from tests.snapshot.consents import alike, commanded
from tests.snapshot.contexts import compacted, compacting, uncompacted
from tests.snapshot.stage import CWD, StageApp, answered, asking, planned, questioned, started, trouble, working
from tui.dialogs.start import bypass_question, credentials_question, trust_question

Scene = Callable[[str], StageApp]

SCENES: dict[str, Scene] = {
    "welcome": lambda theme: StageApp(theme, started()),
    "working": lambda theme: StageApp(theme, working()),
    "answered": lambda theme: StageApp(theme, answered()),
    "permission": lambda theme: StageApp(theme, asking()),
    "command": lambda theme: StageApp(theme, commanded()),
    "alike": lambda theme: StageApp(theme, alike()),
    "questions": lambda theme: StageApp(theme, questioned()),
    "plan": lambda theme: StageApp(theme, planned()),
    "trouble": lambda theme: StageApp(theme, trouble()),
    "compacting": lambda theme: StageApp(theme, compacting()),
    "compacted": lambda theme: StageApp(theme, compacted()),
    "uncompacted": lambda theme: StageApp(theme, uncompacted()),
    "no-key": lambda theme: StageApp(theme, question=credentials_question()),
    "bypass": lambda theme: StageApp(theme, question=bypass_question()),
    "trust": lambda theme: StageApp(theme, question=trust_question(CWD)),
}
