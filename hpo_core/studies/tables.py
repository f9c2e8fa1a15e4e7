"""The database tables: Optuna's own, declared as its schema version 12 has them, and the lab's beside them.

Optuna creates its tables itself; they are declared here so that rows can be written and read without its object mapper.
"""

from __future__ import annotations

from optuna.study import StudyDirection
from optuna.trial import TrialState
from sqlalchemy import Column, DateTime, Enum, Float, Integer, MetaData, String, Table, Text

NAME_LENGTH = 512

KEY_ATTRIBUTE = "lab:key"
SPACE_ATTRIBUTE = "lab:space"
CREATED_ATTRIBUTE = "lab:created"
HIDDEN_ATTRIBUTE = "lab:hidden"
DISCARDED_ATTRIBUTE = "lab:discarded"
NOTE_ATTRIBUTE = "lab:note:"
"""How the keys of notes begin."""
TITLE_ATTRIBUTE = "title"
PARENT_ATTRIBUTE = "parent"
PARENT_NAME_ATTRIBUTE = "parent_name"
PARENT_TRIAL_ATTRIBUTE = "parent_trial"
DUEL_ATTRIBUTE = "duel"
DUEL_CONTROL = "duel_control:"
METRIC_NAMES_ATTRIBUTE = "study:metric_names"
"""Optuna's own name, as `Study.set_metric_names` writes it."""

_optuna = MetaData()
_lab = MetaData()

studies = Table(
    "studies", _optuna, Column("study_id", Integer, primary_key=True), Column("study_name", String(NAME_LENGTH))
)
directions = Table(
    "study_directions",
    _optuna,
    Column("study_direction_id", Integer, primary_key=True),
    Column("direction", Enum(StudyDirection, name="studydirection")),
    Column("study_id", Integer),
    Column("objective", Integer),
)
user_attributes = Table(
    "study_user_attributes",
    _optuna,
    Column("study_user_attribute_id", Integer, primary_key=True),
    Column("study_id", Integer),
    Column("key", String(NAME_LENGTH)),
    Column("value_json", Text),
)
system_attributes = Table(
    "study_system_attributes",
    _optuna,
    Column("study_system_attribute_id", Integer, primary_key=True),
    Column("study_id", Integer),
    Column("key", String(NAME_LENGTH)),
    Column("value_json", Text),
)
trials = Table(
    "trials",
    _optuna,
    Column("trial_id", Integer, primary_key=True),
    Column("number", Integer),
    Column("study_id", Integer),
    Column("state", Enum(TrialState, name="trialstate")),
    Column("datetime_start", DateTime),
    Column("datetime_complete", DateTime),
)
values = Table(
    "trial_values",
    _optuna,
    Column("trial_value_id", Integer, primary_key=True),
    Column("trial_id", Integer),
    Column("objective", Integer),
    Column("value", Float(53)),
    Column("value_type", Enum("FINITE", "INF_POS", "INF_NEG", name="trialvaluetype")),
)
params = Table(
    "trial_params",
    _optuna,
    Column("param_id", Integer, primary_key=True),
    Column("trial_id", Integer),
    Column("param_name", String(NAME_LENGTH)),
    Column("param_value", Float(53)),
    Column("distribution_json", Text),
)
intermediate_values = Table(
    "trial_intermediate_values",
    _optuna,
    Column("trial_intermediate_value_id", Integer, primary_key=True),
    Column("trial_id", Integer),
    Column("step", Integer),
    Column("intermediate_value", Float(53)),
    Column("intermediate_value_type", Enum("FINITE", "INF_POS", "INF_NEG", "NAN", name="trialintermediatevaluetype")),
)
trial_attributes = Table(
    "trial_user_attributes",
    _optuna,
    Column("trial_user_attribute_id", Integer, primary_key=True),
    Column("trial_id", Integer),
    Column("key", String(NAME_LENGTH)),
    Column("value_json", Text),
)
trial_system_attributes = Table(
    "trial_system_attributes", _optuna, Column("trial_system_attribute_id", Integer, primary_key=True),
    Column("trial_id", Integer),
)  # fmt: skip
heartbeats = Table(
    "trial_heartbeats", _optuna, Column("trial_heartbeat_id", Integer, primary_key=True), Column("trial_id", Integer)
)

runs = Table(
    "tuninglab_runs",
    _lab,
    Column("run_id", Integer, primary_key=True),
    Column("study_key", String(32), nullable=False, index=True),
    Column("wanted", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("started", Float(53), nullable=False),
    Column("heartbeat", Float(53), nullable=False),
    Column("owner", Text),
    Column("settings", Text, nullable=False),
    Column("budget", Text, nullable=False),
    Column("spent", Text, nullable=False),
    Column("live", Text, nullable=False),
    Column("message", Text, nullable=False),
    sqlite_autoincrement=True,
)
events = Table(
    "tuninglab_events",
    _lab,
    Column("event_id", Integer, primary_key=True),
    Column("study_key", String(32), nullable=False, index=True),
    Column("time", Float(53), nullable=False),
    Column("what", String(64), nullable=False),
    Column("detail", Text, nullable=False),
    sqlite_autoincrement=True,
)
schema = Table("tuninglab_schema", _lab, Column("version", Integer, primary_key=True, autoincrement=False))

OPTUNA_TABLES = tuple(_optuna.tables)
LAB_TABLES = tuple(_lab.tables)
LAB_SCHEMA_VERSION = 1
TRIAL_CHILDREN = (values, params, intermediate_values, trial_attributes, trial_system_attributes, heartbeats)
STUDY_CHILDREN = (directions, user_attributes, system_attributes)
create_lab_tables = _lab.create_all
