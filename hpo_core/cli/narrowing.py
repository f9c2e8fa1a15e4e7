"""`studies narrow`: a child study within other ranges."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from typing import Any

from hpo_core.cli.printing import print_json
from hpo_core.errors import UsageError
from hpo_core.search import make_child, problem_of
from hpo_core.space import AnyParameter, Categorical, Range, SearchSpace, Value
from hpo_core.studies.storage import StudyStorage


def add_arguments(verb: Any) -> None:
    """Adds the new ranges and the name of the child."""
    verb.add_argument(
        "--range", action="append", default=[], metavar="NAME=RANGE",
        help="new range, as C=0.1..10 (an end left out stays) or kernel=rbf,poly",
    )  # fmt: skip
    verb.add_argument("--lock", action="append", default=[], metavar="NAME=VALUE", help="hold a parameter at one value")
    verb.add_argument("--name", dest="child", default="", help="name of the child (default: a free one)")


def narrow(arguments: argparse.Namespace) -> int:
    """Does `studies narrow`."""
    storage = StudyStorage.open(arguments.storage, folder=arguments.data_folder, by="command line")
    study = storage.study(arguments.name)
    ranges = _ranges(problem_of(study).space, arguments.range, arguments.lock)
    child = make_child(storage, study, ranges, arguments.child)
    n_kept, n_all = len(child.read()), len(study.read())
    if arguments.json:
        print_json({"study": child.name, "parent": study.name, "n_trials": n_kept, "n_parent_trials": n_all})
    else:
        print(f"{child.name}: begins with {n_kept:,} of the {n_all:,} trials of {study.name}.")
    return 0


def _ranges(space: SearchSpace, ranges: list[str], locks: list[str]) -> dict[str, Range]:
    """What `--range` and `--lock` say, with all their faults together."""
    found: dict[str, Range] = {}
    faults: list[str] = []
    for read, pair in _readings(ranges, locks):
        name, _, text = pair.partition("=")
        try:
            if name in found:
                raise UsageError(f"The range of {name} is given twice.")
            found[name] = read(space[name], text)
        except UsageError as fault:
            faults.append(str(fault))
    try:
        space.narrowed(found)
    except UsageError as fault:
        faults.append(str(fault))
    if faults:
        raise UsageError(" ".join(faults))
    return found


def _readings(ranges: list[str], locks: list[str]) -> Iterable[tuple[Callable[[AnyParameter, str], Range], str]]:
    yield from ((_range, pair) for pair in ranges)
    yield from ((_lock, pair) for pair in locks)


def _range(parameter: AnyParameter, text: str) -> Range:
    if isinstance(parameter, Categorical):
        return Range(choices=tuple(_choice(parameter, part) for part in text.split(",")))
    low, dots, high = text.partition("..")
    if not dots:
        raise UsageError(f"A range of {parameter.name} is given as {parameter.name}=LOW..HIGH; got {text!r}.")
    return Range(_number(parameter, low) if low else None, _number(parameter, high) if high else None)


def _lock(parameter: AnyParameter, text: str) -> Range:
    return Range.lock(parameter, read_value(parameter, text))


def read_value(parameter: AnyParameter, text: str) -> Value:
    """A value of a parameter as the command line writes it.

    Raises:
        UsageError: A number is wanted, and it is none.
    """
    return _choice(parameter, text) if isinstance(parameter, Categorical) else _number(parameter, text)


def _choice(parameter: Categorical, text: str) -> Value:
    """The choice that is written so; what is none is refused later, with the choices that there are."""
    return next((choice for choice in parameter.choices if str(choice) == text.strip()), text.strip())


def _number(parameter: AnyParameter, text: str) -> float:
    try:
        number = json.loads(text)
    except ValueError:
        number = None
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise UsageError(f"{parameter.name} is a number; got {text!r}.")
    return number
