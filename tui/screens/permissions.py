"""The permission rules, what was decided lately, and why: three sections of a panel that keeps up with the session."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

from textual import events
from textual.message import Message
from textual.widgets import Input

from core.protocol.ops import AddRule, DeleteRule
from core.protocol.views import Behavior, RuleInfo, RuleLayer
from tui.dialogs.question import key_line
from tui.presenter.permission_log import Decision, PermissionLog
from tui.rendering.line import Line, Span, truncate, wrap
from tui.rendering.palette import Palette
from tui.rendering.rule_views import (
    answer_words,
    decision_details,
    decision_row,
    rule_details,
    rule_row,
    rule_source,
)
from tui.screens.pick import PickPanel

Section = Literal["rules", "recent", "why"]
SECTIONS: tuple[Section, ...] = ("rules", "recent", "why")
TITLES = {"rules": "Rules", "recent": "Recent", "why": "Why"}
LAYERS: tuple[RuleLayer, ...] = ("session", "local", "user")
LAYER_WORDS = {"session": "this session", "local": "this project, for you", "user": "everywhere, for you"}
ROWS = 14
"""Rows of the list at most: the box is as high in every section."""
RULE = re.compile(r"(allow|ask|deny)\s+(\S.*)", re.IGNORECASE | re.DOTALL)
BEHAVIORS: dict[str, Behavior] = {"allow": "allow", "ask": "ask", "deny": "deny"}
Entry = RuleInfo | Decision


class PermissionsScreen(PickPanel[Entry]):
    """Typing filters; ``+`` writes a new rule, Delete takes one away."""

    COLUMNS = 110

    class Wanted(Message):
        """The user wants to add a rule, or to delete one."""

        def __init__(self, op: AddRule | DeleteRule) -> None:
            super().__init__()
            self.op = op

    def __init__(self, palette: Palette, log: PermissionLog, cwd: str = "") -> None:
        super().__init__(palette, log.rules)
        self._log = log
        self._cwd = cwd
        self._section: Section = "rules"
        self._looked_at: Entry | None = None
        self._doomed: RuleInfo | None = None
        """A rule that goes away when Delete is pressed once more."""
        self._remark = ""
        self._layer: RuleLayer = "session"
        self._input: Input | None = None
        self._unwatch: Callable[[], None] = lambda: None

    def on_mount(self) -> None:
        self._unwatch = self._log.watch(self._refresh)

    def on_unmount(self) -> None:
        self._unwatch()

    def wanted_rows(self, width: int) -> int:
        return ROWS

    # What stands in it

    def head(self, width: int) -> Line:
        counts = {"rules": f" {len(self._log.rules)}", "recent": f" {len(self._log.decisions)}", "why": ""}
        spans: list[Span] = [("Permissions  ", "heading")]
        for section in SECTIONS:
            is_here = section == self._section
            spans.append(("▸ " if is_here else "  ", "accent"))
            spans.append((f"{TITLES[section]}{counts[section]}  ", "strong accent" if is_here else "muted"))
        if self._section != "why":
            spans += [(self.typed, "strong"), ("▏", "accent")] if self.typed else [(self.HINT, "faint")]
        return truncate(tuple(spans), width)

    def body(self, width: int) -> list[Line]:
        if self._section == "why":
            return self._details(width)
        if not self._shown:
            return [((self._nothing(), "muted"),)]
        lines: list[Line] = []
        for at, item in enumerate(self._shown):
            mark: Span = ("❯ ", "accent") if at == self.at else ("  ", "text")
            lines.append((mark, *self._row(item, width - 2)))
        return lines

    def tail(self, width: int) -> list[Line]:
        if self._input is not None:
            layers: list[Span] = [("for ", "muted")]
            for layer in LAYERS:
                is_chosen = layer == self._layer
                layers.append(
                    (f"{'▸ ' if is_chosen else '  '}{LAYER_WORDS[layer]}  ", "accent" if is_chosen else "muted")
                )
            return [(), tuple(layers) if not self._remark else ((self._remark, "caution"),)]
        return [(), truncate(((self._remark, "caution"),), width)]

    def foot(self, width: int) -> Line:
        if self._input is not None:
            return key_line((("Enter", "add"), ("Tab", "for whom"), ("Esc", "not now")))
        keys = [("Esc", "back" if self._section == "why" else "close"), ("Tab", "section")]
        if self._section != "why":
            keys.insert(0, ("Enter", "why"))
        if self._section == "rules":
            may_go = isinstance(self.chosen, RuleInfo) and self.chosen.can_delete
            keys += [("+", "add"), *([("Del", "delete")] if may_go else [])]
        return truncate(key_line(keys), width)

    def name_of(self, item: Entry) -> str:
        """All that its row may show."""
        return "".join(text for text, _style in self._row(item, 1_000)).lower()

    def row(self, item: Entry, *, is_chosen: bool) -> tuple[Sequence[Span], Sequence[Span]]:
        return self._row(item, self.COLUMNS), ()

    def value_of(self, item: Entry) -> str:
        return ""

    def filtered(self) -> None:
        """Rows that hold all words, in their order."""
        words = self.typed.lower().split()
        self._shown = [item for item in self._items if all(word in self.name_of(item) for word in words)]
        self.go(0)

    # What the keys do

    def on_key(self, event: events.Key) -> None:
        doomed, self._doomed = self._doomed, None
        if self._remark and event.key not in ("delete", "ctrl+d"):
            self._remark = ""
            self.redraw()
        match event.key:
            case "tab" | "shift+tab" if self._input is not None:
                step = 1 if event.key == "tab" else -1
                self._layer = LAYERS[(LAYERS.index(self._layer) + step) % len(LAYERS)]
                self.redraw()
            case "tab" | "right" | "shift+tab" | "left" if self._input is None:
                step = 1 if event.key in ("tab", "right") else -1
                self._go_to(SECTIONS[(SECTIONS.index(self._section) + step) % len(SECTIONS)])
            case "delete" | "ctrl+d" if self._input is None:
                self._delete(doomed)
            case "insert" if self._input is None:
                self._open_input()
            case _ if event.character == "+" and not self.typed and self._input is None:
                self._open_input()
            case "up" | "down" if self._section == "why":
                self._scroll.scroll_relative(y=-1 if event.key == "up" else 1, animate=False)
            case _ if self._input is None and (self._section != "why" or event.key in ("pageup", "pagedown")):
                super().on_key(event)
                return
            case _:  # keys of the input, or of a list that is not shown
                event.prevent_default()
                return
        event.stop()
        event.prevent_default()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Add the rule; the list shows it once it holds."""
        event.stop()
        match = RULE.fullmatch(event.value.strip())
        if match is None:
            self._remark = "Begin with allow, ask or deny: allow Bash(npm test *)"
            self.redraw()
            return
        self.post_message(self.Wanted(AddRule(behavior=BEHAVIORS[match[1].lower()], text=match[2], layer=self._layer)))
        self._close_input()

    def action_leave(self) -> None:
        if self._input is not None:
            self._close_input()
        elif self._section == "why" and self._looked_at is not None:
            self._go_to("recent" if isinstance(self._looked_at, Decision) else "rules")
        else:
            self.dismiss(None)

    def _take(self) -> None:
        if self.chosen is not None:
            self._looked_at = self.chosen
            self._go_to("why")

    def _go_to(self, section: Section) -> None:
        if section == "why" and self._section != "why":
            self._looked_at = self.chosen or self._looked_at
        self._section = section
        self.typed = ""
        self._items = list(self._log.decisions if section == "recent" else self._log.rules)
        self._shown = [] if section == "why" else list(self._items)
        known = [self._is_looked_at(item) for item in self._shown]
        self._scroll.scroll_home(animate=False, immediate=True)
        self.go(known.index(True) if True in known else 0)

    def _delete(self, doomed: RuleInfo | None) -> None:
        rule = self.chosen
        if self._section != "rules" or not isinstance(rule, RuleInfo):
            return
        if not rule.can_delete:
            self._remark = f"It stands in {rule_source(rule, self._cwd)} and can only be deleted there."
        elif doomed == rule:
            self._remark = ""
            op = DeleteRule(behavior=rule.behavior, text=rule.text, layer=rule.layer, source=rule.source)
            self.post_message(self.Wanted(op))
        else:
            self._doomed = rule
            self._remark = f"The same key once more deletes it from {rule_source(rule, self._cwd)}."
        self.redraw()

    # What changes meanwhile

    def _refresh(self) -> None:
        """Rules or decisions have changed: the mark stays with what it was on."""
        marked = self.chosen
        self._looked_at = next((item for item in self._log.decisions if self._is_looked_at(item)), self._looked_at)
        if self._section == "why":
            self.redraw()
            return
        self._items = list(self._log.decisions if self._section == "recent" else self._log.rules)
        words = self.typed.lower().split()
        self._shown = [item for item in self._items if all(word in self.name_of(item) for word in words)]
        places = [at for at, item in enumerate(self._shown) if _is_same(item, marked)]
        self.go(places[0] if places else self.at)

    def _is_looked_at(self, item: Entry) -> bool:
        return self._looked_at is not None and _is_same(item, self._looked_at)

    def _row(self, item: Entry, width: int) -> Line:
        if isinstance(item, RuleInfo):
            return rule_row(item, self._cwd, width)
        return decision_row(item.decided, item.at, answer_words(item.answer, is_open=item.is_open), width)

    def _details(self, width: int) -> list[Line]:
        match self._looked_at:
            case RuleInfo() as rule:
                return rule_details(rule, width)
            case Decision() as one:
                said = answer_words(one.answer, is_open=one.is_open)
                said = f"{said}: {one.comment}" if one.comment else said
                return decision_details(one.decided, one.at, said, one.agent, width)
            case None:
                return wrap([("Choose a rule or a decision and press Enter.", "muted")], width)

    def _nothing(self) -> str:
        if self.typed:
            return f"Nothing matches {self.typed!r}."
        return "No rules yet. + adds one." if self._section == "rules" else "Nothing was decided yet."

    # A new rule

    def _open_input(self) -> None:
        self._go_to("rules")
        self._input = Input(placeholder="allow Bash(npm test *)", classes="panel-input")
        self._input.cursor_blink = False
        self.box.mount(self._input, before=self._foot)
        self._input.focus()
        self.redraw()

    def _close_input(self) -> None:
        if self._input is not None:
            self._input.remove()
            self._input = None
            self.redraw()


def _is_same(one: Entry, other: Entry | None) -> bool:
    """Whether both are the same rule, or decisions about the same call."""
    if isinstance(one, Decision) and isinstance(other, Decision):
        return one.decided.tool_use_id == other.decided.tool_use_id
    return one == other
