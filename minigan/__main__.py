"""``python -m minigan``"""

import sys

from minigan.cli import console

sys.exit(console())
