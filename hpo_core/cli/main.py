"""The entry of the command line: its commands, and how faults end it."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
import uuid
from collections.abc import Sequence
from typing import NoReturn

from hpo_core.cli import classes, curving, defining, dueling, ensembling, lists, searching, studying, suggesting
from hpo_core.errors import StorageError, TuningError
from hpo_core.studies.storage import data_folder

FOUND, NOTHING_FOUND, WRONG_USE, INTERRUPTED = 0, 1, 2, 130
LOG_FILE = "command-line.log"


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USE, f"error: {message}; see `{self.prog} --help`.\n")


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = _Parser(
        prog="python -m hpo_core", description="Tune a model by machine, and look after the studies of the lab."
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    lists.add_commands(commands)
    searching.add_command(commands)
    suggesting.add_command(commands)
    studying.add_command(commands)
    ensembling.add_command(commands)
    dueling.add_command(commands)
    curving.add_command(commands)
    classes.add_command(commands)
    defining.add_command(commands)
    return top


def main(argv: Sequence[str]) -> int:
    """Runs one command. Returns 0 when something was found, 1 when not or when it broke off, 2 for wrong use."""
    arguments = parser().parse_args(argv)
    try:
        _log_to_file(getattr(arguments, "data_folder", None))
        code: int = arguments.run(arguments)
    except TuningError as fault:
        return _failed(str(fault), WRONG_USE if isinstance(fault, ValueError) else NOTHING_FOUND)
    except KeyboardInterrupt:
        return _failed("interrupted.", INTERRUPTED)
    except BrokenPipeError:  # the reader of our output has gone; nothing may be flushed to it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FOUND
    except Exception as fault:  # the edge of the program: a sentence here, the trace in the log
        mark = uuid.uuid4().hex[:8]
        logging.exception("command failed, %s", mark)
        return _failed(f"{type(fault).__name__}: {fault} (trace in {LOG_FILE} under {mark}).", NOTHING_FOUND)
    return code


def _failed(sentence: str, code: int) -> int:
    print(f"error: {sentence}", file=sys.stderr)
    return code


def _log_to_file(folder: str | None) -> None:
    """Traces go to a file of the data folder, if there can be one; standard error is for sentences."""
    log: logging.Handler = logging.NullHandler()
    with contextlib.suppress(StorageError):
        log = logging.FileHandler(data_folder(folder) / LOG_FILE, delay=True)
    logging.basicConfig(handlers=[log], format="%(asctime)s %(process)d %(message)s", force=True)
