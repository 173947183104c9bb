"""How much does `import shequn` add to the import of attrs, numpy and pendulum?

Run ``python benchmarks/import_time.py [runs]``. Each run is a process of its own that imports the three packages first,
then the front door, then every public name; the medians are printed. The goal is at most 15 % of the three packages.
"""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median

ONE_RUN = """
from time import perf_counter
start = perf_counter()
import attrs, numpy, pendulum
packages = perf_counter()
import shequn
door = perf_counter()
from importlib import import_module
from pkgutil import iter_modules
for name in shequn.__all__:
    getattr(shequn, name)
for room in iter_modules(shequn.__path__, "shequn."):
    import_module(room.name)
everything = perf_counter()
import json
print(json.dumps([packages - start, door - packages, everything - packages]))
"""


def main(runs: int) -> None:
    command = [sys.executable, "-c", ONE_RUN]
    subprocess.run(command, check=True, capture_output=True)  # the first run writes byte code and fills the disk cache
    times = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(runs)]
    packages, door, everything = (median(column) * 1000 for column in zip(*times, strict=True))
    print(f"medians of {runs} runs\n")
    print(f"attrs, numpy and pendulum       {packages:7.1f} ms")
    print(f"import shequn, beyond them      {door:7.1f} ms  {door / packages:6.1%}")
    print(f"every public name, beyond them  {everything:7.1f} ms  {everything / packages:6.1%}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
