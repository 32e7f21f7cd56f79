"""Makes a server ready to be unpacked into its image: finds its program, compiles our own sources.

app.py WORK OUT LAUNCH (JSON: `package`, `script`, `file`): a project of ours is installed in WORK/own, plain sources are in
WORK/source, packages in WORK/lib. Moves what is ours to OUT/own/app; OUT/plan.json says which function or module is the
program. `cargo xtask` runs it in a container without network, and believes nothing of what comes out.
"""

import compileall
import json
import os
import py_compile
import re
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

WORK, OUT = Path(sys.argv[1]), Path(sys.argv[2])


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def script(found: Distribution, wanted: str | None = None) -> dict:
    """The program of a package, chosen as uvx does: the wanted one, that of its own name, or the only one."""
    name = found.metadata["Name"]
    scripts = {it.name: it for it in found.entry_points if it.group == "console_scripts"}
    if wanted and wanted not in scripts:
        sys.exit(f"{name} has no program {wanted} (but {', '.join(sorted(scripts)) or 'none'})")
    own = next((it for key, it in scripts.items() if normal(key) == normal(name)), None)
    chosen = scripts[wanted] if wanted else own
    if chosen is None and len(scripts) == 1:
        chosen = next(iter(scripts.values()))
    if chosen is None and not scripts:
        return {"module": normal(name).replace("-", "_")}
    if chosen is None:
        sys.exit(f"{name} has several programs ({', '.join(sorted(scripts))}) and none of its own name")
    return {"module": chosen.module, "attribute": chosen.attr, "name": chosen.name}


def program(launch: dict) -> dict:
    if launch.get("file"):
        return {}
    name = launch.get("package")
    for found in distributions(path=[str(WORK / ("lib" if name else "own"))]):
        if not name or normal(found.metadata["Name"]) == normal(name):
            return script(found, launch.get("script"))
    sys.exit(f"{name or 'the project'} is not among the installed packages")


def main() -> None:
    launch = json.loads(sys.argv[3])
    plan = program(launch)
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    app = OUT / "own/app"
    app.mkdir(parents=True, exist_ok=True)
    folder = WORK / ("source" if launch.get("file") else "own")
    if folder.is_dir():
        to = folder.rename(app / folder.name)
        # What the installer leaves for itself differs from one installation to the next.
        for left in (".lock", "*.dist-info/uv_cache.json", "*.dist-info/uv_build.json", "*.dist-info/direct_url.json"):
            for file in to.glob(left):
                file.unlink()
        compileall.compile_dir(to, quiet=1, invalidation_mode=mode, workers=0, stripdir=str(OUT / "own"), prependdir="/")
    plan["certificates"] = os.path.exists("/etc/ssl/certs/ca-certificates.crt")  # what the base image trusts, we do
    OUT.joinpath("plan.json").write_text(json.dumps(plan))


if __name__ == "__main__":
    main()
