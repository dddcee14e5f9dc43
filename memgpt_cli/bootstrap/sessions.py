"""Open an agent as a session with its record, model, vectors and search, with or without its lock."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from memgpt_cli.bootstrap.models import Uncalibrated
from memgpt_cli.config.models import is_builtin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from memgpt_cli.agent.reservation import Reservation
    from memgpt_cli.agent.session import Session
    from memgpt_cli.bootstrap.adapters import Adapters
    from memgpt_cli.bootstrap.new_agents import NewAgents
    from memgpt_cli.config.models import ModelChoice
    from memgpt_cli.main_context.window import Window
    from memgpt_cli.ports import AgentLock, Store


class Sessions:
    """Opens agents, for conversation or read-only."""

    def __init__(self, adapters: Adapters, new_agents: NewAgents) -> None:
        self._adapters = adapters
        self._new_agents = new_agents
        self._models = adapters.models

    def open(self, name: str | None = None, *, purpose: str, wait: bool = False) -> Session:
        """Open an agent under its lock. Raises AgentBusyError, NotFoundError, ConfigError, LimitError."""
        name = name or self._adapters.agent_name
        return self._open_held(name, self._lock(name, purpose=purpose, wait=wait))

    def reserve(self, name: str | None = None, *, purpose: str, wait: bool = False) -> Reservation:
        """Reserve an agent without opening it. Raises the errors of `open`, except for a window that is too small."""
        from memgpt_cli.agent.reservation import Reservation

        name = name or self._adapters.agent_name
        lock = self._lock(name, purpose=purpose, wait=wait)
        try:
            seen = self._adapters.agents.summary(name)
            choice = self._models.choose(seen.config, seen.endpoint)
            self._models.check_key(choice)
            self._adapters.embedders.check(name, seen.embedder)
            return Reservation(
                name=name,
                model=choice.name,
                host=choice.endpoint.host if choice.endpoint else None,
                window=choice.window,
                notices=self._models.notices(choice),
                summary=seen,
                open=lambda: self._open_held(name, lock),
                release=lock.release,
                warm_up=lambda: self._warm_up(choice),
            )
        except BaseException:
            lock.release()
            raise

    def peek(self, name: str | None = None) -> Session:
        """Open an agent without its lock, for previews inside `Store.rehearsal`."""
        name = name or self._adapters.agent_name
        return self._session(name, self._adapters.record(name), None)

    def private(self, folder: Path) -> Session:
        """Open an agent in a private folder of the caller.

        It takes no lock, never opens Chroma, and commits without syncing to disk: a killed process loses nothing; a
        power cut loses the newest whole transactions.
        """
        return self._session(folder.name, self._adapters.open_record(folder), None, private=folder)

    def choice_of(self, name: str) -> ModelChoice:
        """The model that an agent is answered by. Raises NotFoundError."""
        seen = self._adapters.agents.summary(name)
        return self._models.choose(seen.config, seen.endpoint)

    def choice_in_use(self) -> ModelChoice:
        """Return the model that answers the selected agent, or would answer it."""
        name = self._adapters.agent_name
        return self.choice_of(name) if self._adapters.agents.exists(name) else self._models.choose()

    def window(self, store: Store) -> Window:
        """Return the window of the agent of this record. Raises ConfigError."""
        from memgpt_cli.agent.assembly import window_of
        from memgpt_cli.functions.executor import FunctionExecutor

        choice = self._models.chosen_by(store)
        protocol = store.config().protocol
        return window_of(
            protocol=protocol,
            executor=FunctionExecutor(store=store, protocol=protocol, facts=self._adapters.settings.facts.functions),
            settings=choice.apply(self._adapters.settings),
            model=choice.name,
            counter=self._models.counter(choice.name),
            prompts=self._adapters.prompts,
            ratio=self._adapters.state.ratio(choice.name),
        )

    def _lock(self, name: str, *, purpose: str, wait: bool) -> AgentLock:
        self._new_agents.ensure(name)
        return self._adapters.agents.lock(name, purpose=purpose, since=self._adapters.clock.now()).acquire(wait=wait)

    def _open_held(self, name: str, lock: AgentLock) -> Session:
        try:
            store = self._adapters.agents.open(name)
            if store.note("purge_pending"):  # a crash interrupted `memgpt forget`
                with _closed_on_error(store):
                    self._adapters.forgetting(name, store).finish()
            return self._session(name, store, lock)
        except BaseException:
            lock.release()
            raise

    def _warm_up(self, choice: ModelChoice) -> None:
        """Load slow parts once: the loop, the client, the tables."""
        import memgpt_cli.agent.assembly  # noqa: F401 - the import is the work

        self._models.warm_up(choice)
        self._adapters.embedders.configured.embed(["hello"])

    def _session(self, name: str, store: Store, lock: AgentLock | None, *, private: Path | None = None) -> Session:
        from memgpt_cli.agent.assembly import AgentParts, assemble

        adapters = self._adapters
        looking = lock is None and private is None
        with _closed_on_error(store):
            choice = self._models.chosen_by(store)
            if not looking:
                choice = self._models.windows.asked(choice)
            settings = choice.apply(adapters.settings)
            if not looking:
                adapters.embedders.check(name, store.embedder)
            if settings.window.summary_model:  # another model has not seen this prompt
                settings = replace(settings, window=replace(settings.window, summary_where="apart"))
            folder = private or adapters.agents.path(name)
            index = adapters.index(folder, writer=not looking, chroma=private is None)
            recall, archival = adapters.external_context(store, index)
            model = self._models.connect(choice)
            with store.rehearsal() if looking else nullcontext():
                session = assemble(
                    AgentParts(
                        store=store,
                        settings=settings,
                        model=model,
                        summary_model=None if looking else self._models.summarising(choice, settings, model),
                        summary_prices=self._models.summary_prices(choice, settings),
                        counter=self._models.counter(choice.name),
                        prompts=adapters.prompts,
                        calibration=Uncalibrated() if is_builtin(choice.name) else adapters.state,
                        spending=adapters.state,
                        clock=adapters.clock,
                        recall=recall,
                        archival=archival,
                        facts=adapters.facts(store, index),
                        index=index,
                    ),
                    name=name,
                    lock=lock,
                    notices=self._models.notices(choice),
                    window_refused=lambda tokens: self._models.windows.refused(choice, tokens),
                )
            if not looking:
                self._models.remember(store, choice)
        return session


@contextmanager
def _closed_on_error(store: Store) -> Iterator[None]:
    """Close a record if the code inside fails."""
    try:
        yield
    except BaseException:
        store.close()
        raise
