"""Makes a server ready to be copied: finds its program, compiles our own sources, says how it starts.

app.py APP LAUNCH.json ROOT: packages are in APP/lib, a project of ours in APP/own, plain sources in APP/source. Writes
what is ours below ROOT, and ROOT/etc/mcp/bridge.json.
"""

import compileall
import json
import os
import py_compile
import re
import shutil
import subprocess
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

APP, ROOT = Path(sys.argv[1]), Path(sys.argv[3])
HOME = "/home/mcp"  # a package expects to be started in its user's folder, not in its own
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def script(found: Distribution, wanted: str | None = None) -> list[str]:
    """The program of a package, chosen as uvx does: the wanted one, that of its own name, or the only one."""
    name = found.metadata["Name"]
    scripts = {it.name: it for it in found.entry_points if it.group == "console_scripts"}
    if wanted and wanted not in scripts:
        sys.exit(f"error: {name} has no program {wanted} (but {', '.join(sorted(scripts)) or 'none'})")
    own = next((it for key, it in scripts.items() if normal(key) == normal(name)), None)
    chosen = scripts[wanted] if wanted else own
    if chosen is None and len(scripts) == 1:
        chosen = next(iter(scripts.values()))
    if chosen is None and not scripts:
        return ["-m", normal(name).replace("-", "_")]
    if chosen is None:
        sys.exit(f"error: {name} has several programs ({', '.join(sorted(scripts))}) and none of its own name")
    call = f"import sys; from {chosen.module} import {chosen.attr.split('.')[0]}; sys.argv[0] = {chosen.name!r}"
    return ["-c", f"{call}; sys.exit({chosen.attr}())"]


def program(launch: dict) -> list[str]:
    if launch.get("file"):
        return [str(APP / "source" / launch["file"])]
    own = APP / "own"
    name = launch.get("package")
    places = [str(own)] if own.is_dir() and not name else [str(own), str(APP / "lib")]
    for found in distributions(path=places):
        if not name or normal(found.metadata["Name"]) == normal(name):
            return script(found, launch.get("script"))
    sys.exit(f"error: {name or 'the project'} is not among the installed packages")


def main() -> None:
    launch = json.loads(Path(sys.argv[2]).read_text())
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    start = program(launch)
    for folder in ("own", "source"):
        if any(APP.joinpath(folder).glob("*")):
            compileall.compile_dir(APP / folder, quiet=1, invalidation_mode=mode, workers=0)
            shutil.copytree(APP / folder, ROOT / "app" / folder)

    paths = [str(APP / it) for it in ("own", "lib") if it == "lib" or APP.joinpath(it).is_dir()]
    env = {"PYTHONPATH": os.pathsep.join(paths)}
    if os.path.exists(CERTIFICATES):
        env["SSL_CERT_FILE"] = CERTIFICATES  # what the base image trusts, we do
    # `-m MODULE` in the manifest is the program; other arguments for the interpreter go before it.
    interpreter = launch["runtime"] if "-m" in launch["runtime"] else [*launch["runtime"], *start]
    args = [*interpreter, *launch["args"]]
    bridge = {"command": os.path.realpath(sys.executable), "args": args, "cwd": HOME, "env": env}
    file = ROOT / "etc/mcp/bridge.json"
    for folder in (file.parent, ROOT / HOME.lstrip("/")):
        folder.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(bridge, indent=2) + "\n")
    subprocess.run(["chmod", "-R", "a+rX,go-w", str(ROOT)], check=True)


if __name__ == "__main__":
    main()
