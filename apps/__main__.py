"""python -m apps [VERB]: the gallery's table, a new app, the runs."""

import sys

from shared import cli

from .options import verbs

if __name__ == "__main__":
    sys.exit(cli.main("apps", verbs, sys.argv[1:] or ["list"]))
