"""`benchmarks` is a package of the checkout and is not installed: tests find it,
and tiny.py, by their folders.
"""

import sys
from pathlib import Path

sys.path += [str(Path(__file__).parents[2]), str(Path(__file__).parent)]
