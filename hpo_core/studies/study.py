"""One study: its search space and attributes, its trials written and read, its runs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, insert, select

from hpo_core.errors import StorageError, UsageError
from hpo_core.space import SearchSpace
from hpo_core.studies import tables
from hpo_core.studies.database import Database, study_is_gone
from hpo_core.studies.notes import Note, checked_text, remove_note, write_note
from hpo_core.studies.reading import StudyIdentity, read_table
from hpo_core.studies.recording import TrialWriter, numbers_of_recorded
from hpo_core.studies.run_log import RunLog, log_event, signed
from hpo_core.studies.table import Direction, TrialTable
from hpo_core.studies.trial import FinishedTrial

_OWN_ATTRIBUTES = (
    tables.KEY_ATTRIBUTE,
    tables.SPACE_ATTRIBUTE,
    tables.CREATED_ATTRIBUTE,
    tables.HIDDEN_ATTRIBUTE,
    tables.DISCARDED_ATTRIBUTE,
)


class Objective(NamedTuple):
    """One thing that a study optimises; its name is "" where none is given."""

    name: str
    direction: Direction


class Study:
    """A study in a storage. Holds no trials: each `read` hands out a table of its own.

    Attributes:
        key: What stays the same through renames and tells it from a later study with the same id; "" for studies of
            other programs.
        objectives: What is optimised. In the lab's own studies a second one is a figure of the fits.
        metric, direction: Of the first objective.
        runs: Its runs and their control.
        by: Who changes it through this object, as its log says; "" where that is not known.
    """

    def __init__(
        self,
        database: Database,
        study_id: int,
        name: str,
        key: str,
        objectives: tuple[Objective, ...],
        by: str = "",
    ) -> None:
        self._database, self.by = database, by
        self.study_id, self.name, self.key, self.objectives = study_id, name, key, objectives
        self.metric, self.direction = objectives[0]
        self.runs = RunLog(database, study_id, key, name, by)
        self._space: SearchSpace | None = None
        self._writer: TrialWriter | None = None
        self._is_in_doubt = False

    @property
    def attributes(self) -> dict[str, Any]:
        """The study's user attributes as they are now, without those that hold the study itself together."""
        attributes = self._read_attributes()
        return {name: value for name, value in attributes.items() if not _is_own(name)}

    def space(self) -> SearchSpace | None:
        """The search space; None for studies of other programs."""
        if self._space is None:
            rows = self._read_attributes().get(tables.SPACE_ATTRIBUTE)
            self._space = None if rows is None else SearchSpace.from_json(rows)
        return self._space

    def record(self, *trials: FinishedTrial) -> list[int]:
        """Writes trials in one transaction and returns their numbers, given inside it.

        After a StorageError nothing is written, or, if the connection broke at the end, all is: recording the same
        trials again then returns the numbers that they have.

        Raises:
            ConfigurationError: A configuration lies outside the search space. Nothing is written.
            UsageError: The study has been deleted, or has no search space.
        """
        writer = self._checked_writer(trials)
        if not trials:
            return []
        try:
            with self._database.writing() as connection:
                self._database.lock_study(connection, self.study_id, self.key, self.name)
                numbers = self._written_before(connection, trials)
                missing = [t for t, number in zip(trials, numbers, strict=True) if number is None]
                new = iter(writer.write(connection, self.study_id, missing) if missing else ())
        except StorageError:
            self._is_in_doubt = True
            raise
        self._is_in_doubt = False
        return [next(new) if number is None else number for number in numbers]

    def read(self, previous: TrialTable | None = None, *, objective: int = 0) -> TrialTable:
        """The trials in columns. With the table read before, only what is new is read; unchanged, it is returned.

        Args:
            previous: The table read before; one of another objective does not help.
            objective: Whose values and direction the table has, by its place in `objectives`.

        Raises:
            UsageError: The study has been deleted, or has no such objective.
        """
        if not 0 <= objective < len(self.objectives):
            raise UsageError(
                f"The study {self.name!r} has {len(self.objectives)} objectives, counted from 0; got {objective}."
            )
        space = self.space()
        distributions = space.distributions() if space else {}
        identity = StudyIdentity(
            storage=self._database.shown_url,
            study_id=self.study_id,
            name=self.name,
            key=self.key,
            has_events=bool(self.key) and self._database.has_lab_tables,
            objective=objective,
            direction=self.objectives[objective].direction,
            distributions=distributions,
        )
        with self._database.reading() as connection:
            return read_table(connection, identity, previous)

    def set_attribute(self, key: str, value: Any) -> None:
        """Sets one user attribute to a JSON value."""
        if _is_own(key):
            raise UsageError(f"The attribute {key!r} is written by the lab itself. Choose another name.")
        with self._database.writing() as connection:
            self._database.lock_study(connection, self.study_id, self.key, self.name)
            put_attribute(connection, self.study_id, key, value)

    def hide(self, numbers: Iterable[int]) -> None:
        """Leaves trials out of every view and of "the best"; they stay in the study. Undone by `unhide`."""
        self._change_hidden(lambda hidden: hidden | set(numbers))

    def unhide(self, numbers: Iterable[int]) -> None:
        """Takes hidden trials back into the views."""
        self._change_hidden(lambda hidden: hidden - set(numbers))

    def add_note(self, text: str, trials: Sequence[int] = ()) -> None:
        """Writes a note on each of these trials, by number; on the study itself where none is named.

        Raises:
            UsageError: The text is empty or too long, or there is no such trial. Nothing is written.
        """
        text = checked_text(text)
        with self._database.writing() as connection:
            self._database.lock_study(connection, self.study_id, self.key, self.name)
            self._refuse_unknown(connection, trials)
            for trial in trials or (None,):
                write_note(connection, self.study_id, text, trial, self.by)

    def remove_note(self, note: Note) -> None:
        """Takes a note away for good.

        Raises:
            UsageError: Somebody else has written it.
        """
        if note.by != self.by:
            raise UsageError("Only who has written a note can delete it.")
        with self._database.writing() as connection:
            self._database.lock_study(connection, self.study_id, self.key, self.name)
            remove_note(connection, self.study_id, note)

    def _refuse_unknown(self, connection: Connection, trials: Sequence[int]) -> None:
        columns = tables.trials.c
        query = select(columns.number).where(columns.study_id == self.study_id, columns.number.in_(trials))
        unknown = sorted(set(trials) - set(connection.execute(query).scalars()))
        if unknown:
            raise UsageError(f"The study {self.name!r} has no trial {unknown[0]}.")

    def _change_hidden(self, change: Callable[[set[int]], set[int]]) -> None:
        with self._database.writing() as connection:
            self._database.lock_study(connection, self.study_id, self.key, self.name)
            columns = tables.user_attributes.c
            query = select(columns.value_json).where(
                columns.study_id == self.study_id, columns.key == tables.HIDDEN_ATTRIBUTE
            )
            before = set(json.loads(connection.execute(query).scalar() or "[]"))
            after = {int(n) for n in change(before)}
            put_attribute(connection, self.study_id, tables.HIDDEN_ATTRIBUTE, sorted(after))
            for what, numbers in (("hidden", after - before), ("shown", before - after)):
                if numbers and self.key and self._database.has_lab_tables:
                    log_event(connection, self.key, what, signed({"trials": sorted(numbers)}, self.by))

    def _written_before(self, connection: Connection, trials: Sequence[FinishedTrial]) -> list[int | None]:
        if not self._is_in_doubt:
            return [None] * len(trials)
        return numbers_of_recorded(connection, self.study_id, trials)

    def _checked_writer(self, trials: tuple[FinishedTrial, ...]) -> TrialWriter:
        space = self.space()
        if space is None:
            raise UsageError(f"The study {self.name!r} has no search space, so the lab cannot add trials to it.")
        second = self.objectives[1].name if len(self.objectives) > 1 else ""
        for trial in trials:
            space.check(trial.configuration)
            if second and trial.value is not None and math.isnan(trial.mean_of(second)):
                raise UsageError(f"{second} is an objective of the study {self.name!r}; a trial with a value needs it.")
        if self._writer is None:
            self._writer = TrialWriter(space, second)
        return self._writer

    def _read_attributes(self) -> dict[str, Any]:
        columns = tables.user_attributes.c
        with self._database.reading() as connection:
            rows = connection.execute(select(columns.key, columns.value_json).where(columns.study_id == self.study_id))
            attributes = {row.key: json.loads(row.value_json) for row in rows}
        if self.key and attributes.get(tables.KEY_ATTRIBUTE) != self.key:
            raise study_is_gone(self.name)
        return attributes


def _is_own(name: str) -> bool:
    """Whether the lab itself writes the attribute."""
    return name in _OWN_ATTRIBUTES or name.startswith(tables.NOTE_ATTRIBUTE)


def put_attribute(connection: Connection, study_id: int, key: str, value: Any) -> None:
    """Writes one user attribute of a study in place of what it was."""
    table = tables.user_attributes
    connection.execute(delete(table).where(table.c.study_id == study_id, table.c.key == key))
    connection.execute(insert(table), {"study_id": study_id, "key": key, "value_json": json.dumps(value)})
