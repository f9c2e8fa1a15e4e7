"""`python -m hpo_core`: the lab from the command line."""

import os
import signal
import sys
from types import FrameType

_INTERRUPTED = "error: interrupted.\n"


def _run() -> int:
    # Libraries that are being loaded would answer Ctrl-C with traces of their own; there is nothing to clean up yet.
    signal.signal(signal.SIGINT, _leave)
    from hpo_core.cli.main import main

    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.stderr.write(_INTERRUPTED)
        return 128 + signal.SIGINT


def _leave(_number: int, _frame: FrameType | None) -> None:
    os.write(2, _INTERRUPTED.encode())
    os._exit(128 + signal.SIGINT)


if __name__ == "__main__":
    sys.exit(_run())
