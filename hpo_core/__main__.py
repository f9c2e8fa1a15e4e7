"""`python -m hpo_core`: the lab from the command line."""

import sys

from hpo_core.cli.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
