"""The tests that a mutant has to survive, quickest first; exit status 0 if it does.

First the proofs, the choices and the plain tests of parts, guests and evaluation; who survives them meets all of
tests/silicon, proofs, manual and the house, but not with `--quick`, which takes a tenth of the time. Limits are of
CPU time, so that a busy machine kills nobody.
"""

import importlib
import inspect
import os
import pkgutil
import resource
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SECONDS, SECONDS_OF_ALL = 10, 300
"""Ten times what the proofs, and what all the tests need: a mutant that takes longer does not end."""


def proofs_hold() -> bool:
    """Whether every proof of a hardware rule passes, and every answer to an open point shows what it should.

    What takes long to import comes late: most mutants do not see it.
    """
    import tests.proofs
    from tests.proofs.frame import PROOFS, maker

    for name in sorted(module.name for module in pkgutil.iter_modules(tests.proofs.__path__)):
        if name.startswith("hardware"):
            known = len(PROOFS)
            importlib.import_module(f"tests.proofs.{name}")
            for proof in PROOFS[known:]:
                proof.run(maker())
    from tests.silicon import test_choices, test_evaluation, test_guest, test_parts

    for module in (test_evaluation, test_guest, test_parts, test_choices):
        for test in [test for name, test in vars(module).items() if name.startswith("test_")]:
            if not inspect.signature(test).parameters:
                test()
    return all(look({look.__name__: answer}) == seen for look, answer, seen in test_choices.CASES)


def allow(seconds: int) -> None:
    """SIGXCPU ends this process, or the one that it starts next, after so much CPU time."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def main() -> int:
    """0 if nothing notices."""
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    allow(SECONDS)
    try:
        if not proofs_hold():
            return 1
    except BaseException as error:
        print(f"{type(error).__name__}: {error}")
        return 1
    if "--quick" in sys.argv:
        return 0
    allow(SECONDS_OF_ALL)
    pytest = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    tests = ["tests/silicon", "tests/proofs", "tests/manual", "tests/test_house.py"]
    return subprocess.run([*pytest, *tests], env=os.environ | {"CI": "1"}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
