"""Makes installed packages ready to be unpacked into their image: leaves out typings, compiles the rest.

deps.py LIB OUT: moves LIB, without what is not run and compiled, to OUT/deps/app/lib; the libraries that its modules load and
the interpreter does not are copied below OUT/deps. `cargo xtask` runs it in a container without network, and believes
nothing of what comes out.
"""

import compileall
import os
import py_compile
import re
import shutil
import subprocess
import sys
from pathlib import Path

LIB, DEPS = Path(sys.argv[1]), Path(sys.argv[2], "deps")
# What installers leave for themselves; it differs from one installation to the next.
UNUSED = {"uv_cache.json", "uv_build.json", "direct_url.json", ".lock"}


def libraries(file: str) -> set[str]:
    said = subprocess.run(["ldd", file], capture_output=True, text=True).stdout
    return set(re.findall(r"(/\S+) \(0x", said))


def unused(file: Path) -> bool:
    """By format, never by what a module is called. A package that loads its parts late reads in typings which it has."""
    if file.name in UNUSED and (file.parent == LIB or file.parent.suffix == ".dist-info"):
        return True
    if file.suffix != ".pyi":
        return False
    module = file.with_suffix(".py")
    text = module.read_bytes() if module.exists() else b""
    return not (b"attach_stub" in text or b".pyi" in text)


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
    DEPS.joinpath("app").mkdir(parents=True, exist_ok=True)
    prune()
    modules = [str(it) for it in LIB.rglob("*.so*") if it.is_file()]
    for library in set().union(*map(libraries, modules)) - libraries(os.path.realpath(sys.executable)):
        if not library.startswith(str(LIB)) and not library.startswith("/usr/local"):
            to = DEPS / library.lstrip("/")
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(library, to)
    lib = LIB.rename(DEPS / "app/lib")
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    # Some packages carry files for other versions of Python, which this one cannot compile and nobody imports.
    compileall.compile_dir(lib, quiet=2, invalidation_mode=mode, workers=0, stripdir=str(DEPS), prependdir="/")


if __name__ == "__main__":
    main()
