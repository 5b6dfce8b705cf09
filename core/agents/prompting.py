"""The system prompt of an agent: what all are told, then its own, then where it works."""

from __future__ import annotations

from dataclasses import replace

from core.agents.definition import AgentDefinition
from core.prompt.sections import DETACHED, Environment, build_system_prompt, template
from core.protocol.views import SystemPrompt


def agent_system_prompt(definition: AgentDefinition, environment: Environment) -> SystemPrompt:
    """The same bytes for all agents of one type on one day: they share what is cached of it.

    Of git it names the branch at most; one that reads no instruction files looks that up where it matters.
    """
    branch = ""
    if environment.git is not None and definition.has_instructions:
        branch = f"Branch: {environment.git.branch or DETACHED}"
    return build_system_prompt(
        replace(environment, git=None), custom=f"{template('agent')}\n\n{definition.prompt}", append=branch
    )
