"""Makes installed packages ready to be unpacked into their image: leaves out typings, compiles the rest.

deps.py LIB OUT: moves LIB, without what is not run and compiled, to OUT/deps/app/lib; the libraries that its modules load and
the interpreter does not are copied below OUT/deps. `cargo xtask` runs it in a container without network, and believes
nothing of what comes out.
"""

import compileall
import os
import platform
import py_compile
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

LIB, DEPS = Path(sys.argv[1]), Path(sys.argv[2], "deps")
# What installers leave for themselves; it differs from one installation to the next.
UNUSED = {"uv_cache.json", "uv_build.json", "direct_url.json", ".lock"}


def needed(file: Path) -> list[str]:
    """The names of the libraries that an ELF file needs: read, not loaded, as `ldd` would run what the file asks for."""
    data = file.read_bytes()
    if data[:6] != b"\x7fELF\x02\x01":
        return []
    start, size, count = *struct.unpack_from("<Q", data, 32), *struct.unpack_from("<HH", data, 54)
    segments = [struct.unpack_from("<IIQQQQ", data, start + i * size) for i in range(count)]
    dynamic = next((offset for kind, _, offset, *_ in segments if kind == 2), None)
    if dynamic is None:
        return []
    entries = []
    while (entry := struct.unpack_from("<QQ", data, dynamic))[0]:
        entries.append(entry)
        dynamic += 16
    address = next(value for tag, value in entries if tag == 5)
    loads = [it for it in segments if it[0] == 1 and it[3] <= address < it[3] + it[5]]
    names = address - loads[0][3] + loads[0][2]
    return [data[names + at : data.index(b"\0", names + at)].decode("latin-1") for tag, at in entries if tag == 1]


def system_libraries() -> dict[str, Path]:
    """The base image's own libraries, by their names, as its loader finds them."""
    said = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    own = "x86-64" if platform.machine() == "x86_64" else "AArch64"
    lines = re.findall(r"^\t(\S+) \((.*)\) => (\S+)$", said, re.MULTILINE)
    return {name: Path(file) for name, about, file in reversed(lines) if own in about}


def libraries(files: list[Path], system: dict[str, Path]) -> set[Path]:
    """The libraries of the base image that these files load, and what those load."""
    found: set[Path] = set()
    while files:
        try:
            names = needed(files.pop())
        except (struct.error, ValueError, StopIteration, IndexError):
            continue  # cut off, or no library: nothing loads it
        new = {system[it] for it in names if it in system} - found
        found |= new
        files += new
    return found


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
    system = system_libraries()
    modules = [it for it in LIB.rglob("*.so*") if it.is_file()]
    for library in libraries(modules, system) - libraries([Path(sys.executable)], system):
        if not library.is_relative_to("/usr/local"):
            to = DEPS / library.relative_to("/")
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(library, to)
    lib = LIB.rename(DEPS / "app/lib")
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    # Some packages carry files for other versions of Python, which this one cannot compile and nobody imports.
    compileall.compile_dir(lib, quiet=2, invalidation_mode=mode, workers=0, stripdir=str(DEPS), prependdir="/")


if __name__ == "__main__":
    main()
