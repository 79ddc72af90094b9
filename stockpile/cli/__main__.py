"""``python -m stockpile.cli``."""

import sys

from stockpile.cli import main

sys.exit(main())
