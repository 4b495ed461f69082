"""``python -m skq``: see `skq.cli`."""

import sys

from skq.cli import main

if __name__ == "__main__":
    sys.exit(main())
