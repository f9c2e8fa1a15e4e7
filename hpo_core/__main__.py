"""`python -m hpo_core`: the lab from the command line."""

import sys


def _run() -> int:
    try:
        # Here, because Ctrl-C may come while the libraries are being loaded.
        from hpo_core.cli.main import main

        return main(sys.argv[1:])
    except KeyboardInterrupt:
        print("error: interrupted.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(_run())
