"""Makes installed packages ready to be copied: leaves out what no program reads, compiles the rest.

deps.py LIB ROOT: prunes and compiles LIB; puts below ROOT the libraries that its modules load and the interpreter does not.
"""

import compileall
import os
import py_compile
import re
import shutil
import subprocess
import sys
from pathlib import Path

LIB, ROOT = Path(sys.argv[1]), Path(sys.argv[2])
UNUSED = re.compile(r".*\.(pyx|pxd|c|cc|cpp|h|hpp|f|f90)")
UNUSED_TESTS = re.compile(r"(test_.*|.*_test|conftest)\.py")


def libraries(file: str) -> set[str]:
    said = subprocess.run(["ldd", file], capture_output=True, text=True).stdout
    return set(re.findall(r"(/\S+) \(0x", said))


def unused(file: Path) -> bool:
    if file.suffix == ".pyi":
        # Typings; but a package that loads its parts late may read there which it has.
        module = file.with_suffix(".py")
        return not (module.exists() and b"attach_stub" in module.read_bytes())
    # A folder of tests may also hold what other packages import.
    in_tests = file.parent.name in ("test", "tests")
    return bool(UNUSED.fullmatch(file.name) or (in_tests and UNUSED_TESTS.fullmatch(file.name)))


def prune() -> None:
    for folder, folders, files in os.walk(LIB):
        if "__pycache__" in folders:
            shutil.rmtree(Path(folder, "__pycache__"))
            folders.remove("__pycache__")
        for file in [Path(folder, it) for it in files]:
            if unused(file):
                file.unlink()


def main() -> None:
    LIB.mkdir(parents=True, exist_ok=True)
    ROOT.mkdir(parents=True, exist_ok=True)
    prune()
    modules = [str(it) for it in LIB.rglob("*.so*") if it.is_file()]
    for library in set().union(*map(libraries, modules)) - libraries(os.path.realpath(sys.executable)):
        if not library.startswith(str(LIB)) and not library.startswith("/usr/local"):
            to = ROOT / library.lstrip("/")
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(library, to)
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    # Some packages carry files for other versions of Python, which this one cannot compile and nobody imports.
    compileall.compile_dir(LIB, quiet=2, invalidation_mode=mode, workers=0)
    subprocess.run(["chmod", "-R", "a+rX,go-w", str(LIB), str(ROOT)], check=True)


if __name__ == "__main__":
    main()
