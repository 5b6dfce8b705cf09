"""The tools there are."""

from __future__ import annotations

from core.tools.builtin.ask_user_question.tool import AskUserQuestion
from core.tools.builtin.bash.tool import Bash
from core.tools.builtin.bash_output.tool import BashOutput
from core.tools.builtin.edit.tool import Edit
from core.tools.builtin.enter_plan_mode.tool import EnterPlanMode
from core.tools.builtin.exit_plan_mode.tool import ExitPlanMode
from core.tools.builtin.glob.tool import Glob
from core.tools.builtin.grep.tool import Grep
from core.tools.builtin.kill_shell.tool import KillShell
from core.tools.builtin.ls.tool import LS
from core.tools.builtin.multi_edit.tool import MultiEdit
from core.tools.builtin.notebook_edit.tool import NotebookEdit
from core.tools.builtin.read.tool import Read
from core.tools.builtin.task_create.tool import TaskCreate
from core.tools.builtin.task_get.tool import TaskGet
from core.tools.builtin.task_list.tool import TaskList
from core.tools.builtin.task_update.tool import TaskUpdate
from core.tools.builtin.todo_write.tool import TodoWrite
from core.tools.builtin.web_fetch.tool import WebFetch
from core.tools.builtin.web_search.tool import WebSearch
from core.tools.builtin.write.tool import Write
from core.tools.registry import AnyTool

TOOLS: tuple[type[AnyTool], ...] = (
    Read,
    Write,
    Edit,
    MultiEdit,
    NotebookEdit,
    Glob,
    Grep,
    LS,
    Bash,
    BashOutput,
    KillShell,
    WebFetch,
    WebSearch,
    TodoWrite,
    TaskCreate,
    TaskGet,
    TaskUpdate,
    TaskList,
    AskUserQuestion,
    EnterPlanMode,
    ExitPlanMode,
)
"""In the order they are sent; the search comes behind them where there is anything to search for."""
