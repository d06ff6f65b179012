"""python -m apps [VERB]: the list of apps, a new app, architectures compared, the runs, the tables."""

import sys

from shared import cli

from .options import verbs

if __name__ == "__main__":
    sys.exit(cli.main("apps", verbs, sys.argv[1:] or ["list"]))
