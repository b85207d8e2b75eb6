"""`python -m catalogue.demo`: the door to the demo facility."""

from __future__ import annotations

import sys

from catalogue.demo.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
