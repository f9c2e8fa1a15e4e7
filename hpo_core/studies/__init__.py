"""The study record: Optuna's own schema written and read in columns, runs, control and the live record."""
