"""A landscape that can misbehave in every way that a fit can; found by discovery in processes of the tests alone."""

import json
import math
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from hpo_core.landscapes import Landscape
from hpo_core.space import Categorical, Float, SearchSpace

_LOG_VARIABLE = "MOODY_FITS"


def _height(configuration: Mapping[str, Any]) -> float:
    if log := os.environ.get(_LOG_VARIABLE):
        with Path(log).open("a") as lines:
            lines.write(json.dumps([configuration, os.getpid()]) + "\n")
    _act(str(configuration.get("mood", "calm")))
    time.sleep(float(configuration.get("seconds", 0.0)))
    return math.nan if configuration.get("mood") == "lost" else (float(configuration["x"]) - 0.3) ** 2


def _act(mood: str) -> None:
    if mood == "angry":
        raise RuntimeError("out of temper")
    if mood == "gone":
        os.kill(os.getpid(), signal.SIGKILL)
    if mood == "broken":
        os.kill(os.getpid(), signal.SIGSEGV)
    if mood == "greedy":
        np.empty(int(psutil.virtual_memory().total * 0.95), dtype=np.uint8)


MOODY = Landscape(
    key="moody",
    label="Moody",
    purpose="Fails in every way that a fit can fail.",
    source="the tests",
    space=SearchSpace(
        (
            Float(name="x", low=0.0, high=1.0, default=0.5),
            Categorical(name="mood", choices=("calm", "angry", "lost", "gone", "broken", "greedy"), default="calm"),
            Float(name="seconds", low=0.0, high=600.0, default=0.0),
        )
    ),
    function=_height,
    minimum=0.0,
    minimisers=({"x": 0.3, "mood": "calm", "seconds": 0.0},),
    scale=0.1,
)
