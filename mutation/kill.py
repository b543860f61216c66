"""The tests that a mutant has to survive, quickest first; exit status 0 if it does.

First the proofs, the choices and the plain tests of parts and guests, without pytest; who survives them meets all of
tests/silicon, proofs, manual and the house, but not with `--quick`, which takes a tenth of the time.
"""

import importlib
import inspect
import os
import pkgutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SECONDS = 20
"""More than twenty times what the proofs need: a mutant that takes longer does not end."""


def proofs_hold() -> bool:
    """Whether every proof of a hardware rule passes, and every answer to an open point shows what it should."""
    import tests.proofs
    from tests.proofs.frame import PROOFS, maker
    from tests.silicon import test_guest, test_parts
    from tests.silicon.test_choices import CASES

    for module in pkgutil.iter_modules(tests.proofs.__path__):
        if module.name.startswith("hardware"):
            importlib.import_module(f"tests.proofs.{module.name}")
    for proof in PROOFS:
        proof.run(maker())
    for module in (test_guest, test_parts):
        for name, test in vars(module).items():
            if name.startswith("test_") and not inspect.signature(test).parameters:
                test()
    return all(look({look.__name__: answer}) == seen for look, answer, seen in CASES)


def main() -> int:
    """0 if nothing notices."""
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    signal.alarm(SECONDS)
    try:
        if not proofs_hold():
            return 1
    except BaseException as error:
        print(f"{type(error).__name__}: {error}")
        return 1
    signal.alarm(0)
    if "--quick" in sys.argv:
        return 0
    pytest = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    tests = ["tests/silicon", "tests/proofs", "tests/manual", "tests/test_house.py"]
    return subprocess.run([*pytest, *tests], env=os.environ | {"CI": "1"}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
