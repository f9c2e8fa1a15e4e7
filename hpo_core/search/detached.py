"""Entry of a detached runner: `python -m hpo_core.search.detached STUDY RUN FOLDER`, the storage in the environment."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from hpo_core.errors import TuningError
from hpo_core.search.finals_process import hold_after
from hpo_core.search.launch import begin_spawned, execute


def main(name: str, run_id: str, folder: str) -> int:
    """Does the waiting run and the finalists round after it; what becomes of them stands in the study."""
    try:
        study = begin_spawned("runner").study(name)
        run = study.runs.current()
        if run is None or run.id != int(run_id):
            return 2
        hold_after(study, execute(study, run, Path(folder)), Path(folder))
    except TuningError as fault:
        logging.error("%s: %s", name, fault)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
