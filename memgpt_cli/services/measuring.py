"""Measuring search on a person's own conversations and questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from memgpt_cli.evaluation.locomo import read_conversations
from memgpt_cli.evaluation.retrieval import ALL, METRICS, RetrievalReport, evaluate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from memgpt_cli.bootstrap import Workspace
    from memgpt_cli.evaluation.locomo import LocomoConversation

__all__ = ["ALL", "METRICS", "RetrievalReport", "RetrievalTest", "retrieval_shape"]

_COUNTED_BY: Final = "gpt-4o"
"""The model whose token table measures budgets, so that figures do not depend on the configured model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalTest:
    """Conversations with questions, read from a file in LoCoMo's format."""

    conversations: list[LocomoConversation]

    @classmethod
    def of(cls, file: Path) -> RetrievalTest:
        """Read a file. Raises UsageError."""
        return cls(conversations=read_conversations(file))

    @property
    def questions(self) -> int:
        """How many questions there are."""
        return sum(len(conversation.questions) for conversation in self.conversations)

    def run(self, workspace: Workspace, *, progress: Callable[[int], None]) -> RetrievalReport:
        """Ask recall storage every question; `progress` gets the number of questions done since it was called last."""
        return evaluate(
            self.conversations,
            scratch=workspace.scratch,
            counter=workspace.models.counter(_COUNTED_BY),
            progress=progress,
        )


def retrieval_shape(file: Path, report: RetrievalReport) -> dict[str, Any]:
    """The figures as JSON (docs/schemas/eval-retrieval.schema.json)."""
    return {
        "file": str(file),
        "conversations": report.conversations,
        "messages": report.messages,
        "questions": dict(report.questions),
        "embedder": report.embedder,
        "tokens": report.counter,
        "scores": {
            pipeline: {
                category: {metric: round(value, 4) for metric, value in scores.items()}
                for category, scores in categories.items()
            }
            for pipeline, categories in report.scores.items()
        },
    }
