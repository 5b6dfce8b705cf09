"""Walks the tree of a shell line: what runs, in which folder, with which variables, and behind what in a pipe."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.permissions.shell.commands import NONE, CommandReader, Extras, Found, Nested, Span
from core.permissions.shell.effects import (
    FORGETTING,
    IDENTIFIER,
    MOVING,
    TRANSPARENT,
    WRITERS,
    effect_of,
    written_names,
)
from core.permissions.shell.marks import MAX_VALUES, common_head, plain_text
from core.permissions.shell.script import Command, Redirect
from core.permissions.shell.state import Flow, State, joined
from core.permissions.shell.tree import COMMANDS, Node, Tree
from core.permissions.shell.words import DISAGREE, Known, Reading, WordReader

MAX_DEPTH = 40
"""Statements within statements; what is deeper is listed without regard to its order."""

SIMPLE = COMMANDS | {"variable_assignment", "variable_assignments"}
SUBSHELLS = frozenset({"subshell", "command_substitution", "process_substitution"})
LOOPS = frozenset({"for_statement", "while_statement", "c_style_for_statement", "case_statement"})
KEYWORDS = frozenset("if then elif else fi do done while until for select in case esac function time".split())
CHAINS = frozenset({"list", "pipeline"})
OPERATORS = frozenset({"&&", "||", "|", "|&"})

PLAIN_PRINTF = re.compile(r"printf[ \t]+['\"]?[^-\s$`'\"\\]")
"""A printf whose first word is not ``-v``."""
PLAIN_NAME = re.compile(r"[A-Za-z0-9_./:+-]+|\[")

TOO_DEEP = "it is too long or too deep to be understood"
FUNCTION = "it defines a function, which may stand in for any command"


class LineReader:
    """Reads one tree into what has been ``found``. It is the surroundings in which the tree's words are read."""

    def __init__(self, tree: Tree, found: Found, nested: Nested) -> None:
        self._tree = tree
        self._found = found
        self._nested = nested
        self._words = WordReader(tree, self)
        self._commands = CommandReader(tree, self._words, found, nested)
        self._state = State()
        self._main: list[Command] = []
        self._depth = 0
        self._is_flat = tree.is_broken

    def read(self, state: State) -> None:
        """Read all of it, from what is known at its beginning."""
        root = self._tree.root
        if self._is_flat:
            self._list_flat(root)
        else:
            self._sequence(root.children, state, ())

    # What words ask.

    def known(self, name: str) -> Known | None:
        """What the variable holds at this point."""
        if (known := self._state.variables.get(name)) is not None:
            return known
        if name == "PWD":
            folder = self._state.folder
            return Known((str(folder),)) if folder else None
        self._found.variables.add(name)
        return None

    def home(self) -> str | None:
        """What ``~`` means."""
        home = self._state.variables.get("HOME")
        return home.values[0] if home and len(home.values) == 1 else None

    def splits_at_blanks(self) -> bool:
        """Whether ``IFS`` is what it was."""
        return self._state.variables.get("IFS") == Known((" \t\n",))

    def doubt(self, reason: str) -> None:
        """Something makes the line unjudgeable."""
        self._found.doubt(reason)

    def run(self, node: Node) -> tuple[Command, ...]:
        """The commands of a substitution, if they are one pipeline."""
        if self._is_flat:
            return ()
        if self._depth >= MAX_DEPTH:
            self._found.doubt(TOO_DEEP)
            self._list_flat(node)
            return ()
        self._depth += 1
        state, main, self._main = self._state, self._main, []
        self._sequence(node.children, state, ())
        self._depth -= 1
        found, self._main, self._state = self._main, main, state
        statements = [child for child in node.children if _is_statement(child)]
        is_one = len(statements) == 1 and _is_alone(statements[0])
        return tuple(found) if is_one else ()

    def run_text(self, text: str) -> tuple[Command, ...]:
        """The commands of a text that the tree does not show as such."""
        found = self._nested(plain_text(text), self._state)
        self._found.add(found)
        return tuple(found.commands) if len(found.commands) == 1 and not found.doubts else ()

    # Statements.

    def _sequence(self, nodes: Sequence[Node], state: State | None, piped: tuple[Command, ...]) -> Flow:
        """Statements one after the other; one before ``&`` changes nothing for the next."""
        flow = Flow(state, state)
        for at, node in enumerate(nodes):
            if not _is_statement(node):
                continue
            before = flow.any
            flow = self._statement(node, before, piped)
            if at + 1 < len(nodes) and nodes[at + 1].kind == "&":
                flow = Flow(before, before)
        return flow

    def _statement(self, node: Node, state: State | None, piped: tuple[Command, ...], extras: Extras = NONE) -> Flow:
        known = state or State()
        self._state = known
        if node.kind in SIMPLE:
            return self._simple(node, state, piped, extras)
        if self._depth >= MAX_DEPTH:
            self._found.doubt(TOO_DEEP)
            self._list_flat(node)
            return Flow(None, None)
        self._depth += 1
        flow = self._compound(node, state, piped, extras)
        self._depth -= 1
        return flow

    def _compound(self, node: Node, state: State | None, piped: tuple[Command, ...], extras: Extras) -> Flow:
        kind, parts = node.kind, node.children
        if _is_chain(node):
            return self._chain(node, state, piped, extras)
        if kind == "redirected_statement":
            return self._redirected(node, state, piped, extras)
        if kind == "negated_command":
            after = self._statement(parts[-1], state, piped, extras).any
            return Flow(after, after)
        if kind == "file_redirect":
            self._found.redirects.append(self._commands.redirect(node, state or State())[0])
            return Flow(state, state)
        self._found.redirects += extras.redirects
        if extras.words:
            self._found.doubt(DISAGREE)
        if any(redirect.kind in ("read", "heredoc", "here_string") for redirect in extras.redirects):
            piped = ()
        if kind == "subshell":
            self._sequence(parts, state, piped)
            return Flow(state, state)
        if kind == "if_statement":
            after = self._branches(parts, state, piped)
            return Flow(after, after)
        if kind == "function_definition":
            return self._function(node, state)
        if kind in LOOPS:
            return self._loop(node, state, piped)
        if kind == "compound_statement" and parts and parts[0].kind == "((":
            self._words.read_arithmetic(node.start + 2, node.end - 2)
            after = self._after_loop(node, state)
            return Flow(after, after)
        if kind in ("compound_statement", "do_group"):
            return self._sequence(parts, state, piped)
        self._found.doubt(DISAGREE)
        self._list_flat(node)
        return Flow(None, None)

    def _simple(self, node: Node, state: State | None, piped: tuple[Command, ...], extras: Extras) -> Flow:
        known = self._state
        command = self._commands.read(node, known, piped, extras)
        if command.words or command.assignments:
            self._found.commands.append(command)
            self._main.append(command)
        else:
            self._found.redirects += command.redirects
        return Flow(None, None) if state is None else effect_of(command, known)

    def _chain(self, node: Node, state: State | None, piped: tuple[Command, ...], extras: Extras) -> Flow:
        """``a | b && c || d``: pipes bind first, the others alike and from the left."""
        members, operators = _flattened(node)
        pipelines: list[list[Node]] = [[members[0]]]
        for operator, member in zip(operators, members[1:], strict=True):
            if operator in ("|", "|&"):
                pipelines[-1].append(member)
            else:
                pipelines.append([member])
        links = [operator for operator in operators if operator not in ("|", "|&")]
        last = len(pipelines) - 1
        flow = self._pipeline(pipelines[0], state, piped, NONE if last else extras)
        for at, operator in enumerate(links, start=1):
            before = flow
            reached = before.ok if operator == "&&" else before.fail
            flow = self._pipeline(pipelines[at], reached, piped, extras if at == last else NONE)
            if operator == "&&":
                flow = Flow(flow.ok, joined(before.fail, flow.fail))
            else:
                flow = Flow(joined(before.ok, flow.ok), flow.fail)
        return flow

    def _pipeline(
        self, members: Sequence[Node], state: State | None, piped: tuple[Command, ...], extras: Extras
    ) -> Flow:
        """Each part in a shell of its own, fed by those before it; what stands alone in the shell itself."""
        if len(members) == 1:
            return self._statement(members[0], state, piped, extras)
        start = len(self._main)
        for at, member in enumerate(members):
            fed = (*piped, *self._main[start:])
            self._statement(member, state, fed, extras if at == len(members) - 1 else NONE)
        return Flow(state, state)

    def _redirected(self, node: Node, state: State | None, piped: tuple[Command, ...], extras: Extras) -> Flow:
        """A statement with redirections: they are those of its last command, or of all that it groups."""
        body: Node | None = None
        redirects, spans = list[Redirect](), list[Span]()
        for child in node.children:
            if child.kind == "file_redirect":
                redirect, surplus = self._commands.redirect(child, self._state)
                redirects.append(redirect)
                spans += surplus
            elif child.kind != "comment":
                body = child
        inner = Extras((*redirects, *extras.redirects), (*spans, *extras.words))
        if body is None:
            return self._simple(Node("command", node.start, node.start), state, piped, inner)
        return self._statement(body, state, piped, inner)

    def _branches(self, parts: Sequence[Node], state: State | None, piped: tuple[Command, ...]) -> State | None:
        """``if`` and ``elif``: what holds whichever branch was taken."""
        then = next((at for at, part in enumerate(parts) if part.kind == "then"), len(parts))
        condition = self._sequence(parts[:then], state, piped)
        others = [part for part in parts[then:] if part.kind in ("elif_clause", "else_clause")]
        body = [part for part in parts[then:] if part not in others]
        after = self._sequence(body, condition.ok, piped).any
        rest = condition.fail
        for at, clause in enumerate(others):
            if clause.kind == "elif_clause":
                # Its own rest follows it as further clauses.
                return joined(after, self._branches([*clause.children, *others[at + 1 :]], rest, piped))
            rest = self._sequence(clause.children, rest, piped).any
        return joined(after, rest)

    def _function(self, node: Node, state: State | None) -> Flow:
        self._found.doubt(FUNCTION)
        known = (state or State()).forgotten()
        for child in node.children:
            if child.kind == "file_redirect":
                self._found.redirects.append(self._commands.redirect(child, known)[0])
            elif _is_statement(child) and child.kind != "word":
                self._statement(child, known, ())
        return Flow(known, known)

    def _loop(self, node: Node, state: State | None, piped: tuple[Command, ...]) -> Flow:
        """A loop, or a ``case``: what any of its rounds may change is not known in it, nor behind it."""
        inside = self._after_loop(node, state)
        self._state = inside or State()
        if node.kind == "for_statement":
            inside = self._for(node, inside)
        elif node.kind == "c_style_for_statement":
            self._header(node)
        if node.kind == "case_statement":
            self._case(node, inside, piped)
        elif node.kind == "while_statement":
            do = next((at for at, part in enumerate(node.children) if part.kind == "do_group"), len(node.children))
            condition = self._sequence(node.children[:do], inside, piped)
            self._sequence(node.children[do:], condition.any, piped)
        else:
            body = [part for part in node.children if part.kind in ("do_group", "compound_statement")]
            self._sequence(body, inside, piped)
        after = self._after_loop(node, state)
        return Flow(after, after)

    def _for(self, node: Node, state: State | None) -> State | None:
        """The loop's variable, as far as what it goes through is known."""
        spans: list[Span] = []
        name = ""
        for child in node.children:
            if child.kind == "variable_name" and not name:
                name = self._tree.text[child.start : child.end]
            elif child.kind in ("do_group", "compound_statement"):
                break
            elif child.kind not in ("for", "select", "in", ";", "comment", "\n"):
                if spans and spans[-1][1] == child.start:
                    spans[-1] = (spans[-1][0], child.end)
                else:
                    spans.append((child.start, child.end))
        self._found.loop_names.add(name)
        readings = [self._words.read(*span) for span in spans]
        is_select = bool(node.children) and node.children[0].kind == "select"
        known = Known() if is_select else _gone_through(readings)
        return None if state is None else state.with_variable(name, known)

    def _header(self, node: Node) -> None:
        """``((i=0; i<3; i++))`` sets a variable, and evaluates it."""
        do = next((part.start for part in node.children if part.kind in ("do_group", "compound_statement")), node.end)
        self._words.read_arithmetic(node.start + len("for"), do)

    def _case(self, node: Node, state: State | None, piped: tuple[Command, ...]) -> None:
        for child in node.children:
            if child.kind == "case_item":
                self._item(child, state, piped)
            elif child.kind not in ("case", "in", "esac", "comment"):
                self._words.read(child.start, child.end, is_value=True)

    def _item(self, node: Node, state: State | None, piped: tuple[Command, ...]) -> None:
        close = next((at for at, part in enumerate(node.children) if part.kind == ")"), 0)
        for part in node.children[:close]:
            if part.kind not in ("(", "|"):
                self._state = state or State()
                self._words.read(part.start, part.end, is_value=True, is_loose=True)
        self._sequence(node.children[close + 1 :], state, piped)

    def _after_loop(self, node: Node, state: State | None) -> State | None:
        """What is known wherever in the loop it is, going by what stands in it."""
        if state is None:
            return None
        names: set[str] = set()
        pending = [node]
        while pending:
            part = pending.pop()
            if part.kind in SUBSHELLS:
                continue
            if part.kind in COMMANDS:
                text, name = self._tree.text[part.start : part.end], self._plain_name(part)
                is_writer = name in WRITERS and not PLAIN_PRINTF.match(text)
                written = written_names(text) if is_writer else frozenset[str]()
                if name is None or name in FORGETTING | TRANSPARENT or written is None:
                    return state.forgotten()
                if name in MOVING:
                    state = state.moved(None)
                names |= written
            if part.kind == "variable_assignment" and (match := IDENTIFIER.match(self._tree.text, part.start)):
                names.add(match[0])
            elif part.kind == "for_statement":
                names |= {
                    self._tree.text[each.start : each.end] for each in part.children if each.kind == "variable_name"
                }
            pending += part.children
        return state.without(names)

    def _plain_name(self, node: Node) -> str | None:
        """The command's name, where it is written without quotes and expansions."""
        name = next((child for child in node.children if child.kind == "command_name"), None)
        if name is None:
            # ``export``, ``[[`` and their like; a redirection may stand alone, too.
            return self._tree.text[node.start : node.children[0].end] if node.children else ""
        text = self._tree.text[name.start : name.end]
        return text if PLAIN_NAME.fullmatch(text) else None

    def _list_flat(self, node: Node) -> None:
        """All that runs in a part of the tree whose order means nothing."""
        was_flat, self._is_flat = self._is_flat, True
        self._state = State()
        for part in node.all():
            if part.kind in COMMANDS:
                command = self._commands.read(part, self._state, ())
                if command.words:
                    self._found.commands.append(command)
            elif part.kind == "file_redirect":
                self._found.redirects.append(self._commands.redirect(part, self._state)[0])
            elif part.kind in ("heredoc_body", "string"):
                self._words.read_body(part.start, part.end)
        self._is_flat = was_flat


def _flattened(node: Node) -> tuple[list[Node], list[str]]:
    """The statements of a chain and what stands between them.

    The grammar groups them otherwise than bash: ``a && b >f | c`` as ``{ a && b >f; } | c``, ``a | b | c && d`` as
    ``a | { b | c && d; }``.
    """
    members, operators = list[Node](), list[str]()
    pending: list[Node | list[Node]] = [node]
    while pending:
        part = pending.pop()
        if isinstance(part, list):
            members[-1] = Node("redirected_statement", members[-1].start, part[-1].end, [members[-1], *part])
        elif part.kind in CHAINS:
            pending.extend(reversed(part.children))
        elif part.kind == "redirected_statement" and _is_chain(part):
            pending += [part.children[1:], part.children[0]]
        elif part.kind in OPERATORS:
            operators.append(part.kind)
        elif part.kind != "comment":
            members.append(part)
    return members, operators


def _is_chain(node: Node) -> bool:
    while node.kind == "redirected_statement":
        node = node.children[0]
    return node.kind in CHAINS


def _is_alone(node: Node) -> bool:
    """Whether it is one pipeline."""
    if node.kind in ("command", "redirected_statement", "pipeline"):
        return not {"&&", "||"} & set(_flattened(node)[1])
    return False


def _is_statement(node: Node) -> bool:
    return node.kind[0].isalpha() and node.kind != "comment" and node.kind not in KEYWORDS


def _gone_through(readings: Sequence[Reading]) -> Known:
    values: dict[str, None] = {}
    is_known = True
    heads: list[str] = []
    for reading in readings:
        word = reading.word
        # Only the ways tell which words it becomes: each of a brace's, each of a variable's.
        is_known = is_known and bool(reading.ways)
        heads += [value for way in reading.ways for value in way] or [word.head]
        values |= dict.fromkeys(value for way in reading.ways for value in way)
    if readings and is_known and 0 < len(values) <= MAX_VALUES:
        return Known(tuple(values))
    if len(readings) == 1:
        word = readings[0].word
        return Known(head=common_head(heads), lists=word.lists, matches=word.matches)
    matches = [reading.word.matches or reading.word.values for reading in readings]
    return Known(
        head=common_head(heads), matches=tuple(each for some in matches for each in some) if all(matches) else ()
    )
