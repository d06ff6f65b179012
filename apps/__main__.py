"""python -m apps [COMMAND]: lists the apps, copies an app, compares architectures, lists runs, writes the tables."""

import sys

from shared import cli

from .options import verbs

if __name__ == "__main__":
    sys.exit(cli.main("apps", verbs, sys.argv[1:] or ["list"]))
