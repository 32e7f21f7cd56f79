"""The root file system that a Python server runs on: the interpreter, its standard library, what these load.

runtime.py ROOT. Everything is of the image that this runs in; nothing is downloaded. Modules that no server uses (tests,
Tk, IDLE, installers) stay out. The interpreter is to be found as /usr/local/bin/python3, wherever it is in the image.
"""

import compileall
import os
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(sys.argv[1])
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
# One standard library is as good as the other without these.
UNUSED = {"test", "tests", "idlelib", "idle_test", "turtledemo", "turtle.py", "tkinter", "lib2to3", "ensurepip", "pydoc_data",
          "site-packages", "dist-packages", "__pycache__", "venv", "__phello__"}  # fmt: skip
UNUSED_PATTERN = re.compile(r"config-\d.*|_?test.*\.so|_(xx|ctypes_test|testcapi|tkinter).*\.so|xx.*\.so|.*\.a|EXTERNALLY-MANAGED")


def below(path: str) -> Path:
    to = ROOT / path.lstrip("/")
    to.parent.mkdir(parents=True, exist_ok=True)
    return to


def libraries(file: str) -> set[str]:
    said = subprocess.run(["ldd", file], capture_output=True, text=True).stdout
    return set(re.findall(r"(/\S+) \(0x", said))


def place(library: str) -> str:
    """Where the loader looks without a cache: what is elsewhere goes to /usr/lib."""
    return library if library.startswith(("/lib", "/usr/lib")) else f"/usr/lib/{os.path.basename(library)}"


def unused(_: str, names: list[str]) -> set[str]:
    return {it for it in names if it in UNUSED or UNUSED_PATTERN.fullmatch(it)}


def main() -> None:
    interpreter = os.path.realpath(sys.executable)
    stdlib = sysconfig.get_path("stdlib")
    shutil.copytree(stdlib, below(stdlib), ignore=unused, symlinks=True)
    shutil.copy2(interpreter, below(interpreter))
    for name in ("python3", "python"):
        link = below(f"/usr/local/bin/{name}")
        if not link.exists():
            link.symlink_to(interpreter)

    modules = [str(it) for it in ROOT.rglob("*.so")]
    for library in set().union(*map(libraries, [interpreter, *modules])):
        if not library.startswith(str(ROOT)):
            shutil.copy2(library, below(place(library)))

    zones = Path("/usr/share/zoneinfo")
    if zones.is_dir():
        shutil.copytree(zones, below(str(zones)), symlinks=True, ignore=shutil.ignore_patterns("posix", "right"))
    if os.path.exists(CERTIFICATES):
        shutil.copyfile(CERTIFICATES, below(CERTIFICATES))
        below("/usr/lib/ssl/cert.pem").symlink_to(CERTIFICATES)  # where OpenSSL of this build looks
    for folder in ("/etc/mcp", "/home/mcp", "/app"):
        below(folder).mkdir(exist_ok=True)
    below("/etc/passwd").write_text("mcp:x:65532:65532:mcp:/tmp:/nonexistent\n")
    below("/etc/group").write_text("mcp:x:65532:\n")
    below("/etc/nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")

    # A file that cannot be written is never out of date: no time stamps in it, so that two builds give the same bytes.
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    done = compileall.compile_dir(below(stdlib), quiet=1, invalidation_mode=mode, stripdir=str(ROOT), workers=0)
    subprocess.run(["chmod", "-R", "a+rX,go-w", str(ROOT)], check=True)
    sys.exit(0 if done else "the standard library does not compile")


if __name__ == "__main__":
    main()
