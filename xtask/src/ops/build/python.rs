//! Servers from PyPI, and Python of one's own: how they are fetched, installed and packed, with uv.
//!
//! Staged files -> `deps.tar`, `own.tar` and a plan. Invariants: what is no wheel is built only where install scripts are
//! granted; a project of one's own is built without the network, by a backend that was fetched before.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use drydock_engine::archive::Contents;
use tempfile::TempDir;

use super::lock;
use super::packages::{Making, Packed};
use super::plan::{MAX_PLAN, Plan};
use super::requirements;
use super::stage::Staged;
use super::steps::{DEPS, OWN, Steps, Variable, at};
use crate::hint::or_hint;
use crate::ui::progress;

/// uv takes the image's interpreter, and keeps nothing.
pub(super) const ENV: &[Variable] = &[
    ("UV_PYTHON_DOWNLOADS", "never"),
    ("UV_SYSTEM_PYTHON", "1"),
    ("UV_NO_CACHE", "1"),
    ("UV_LINK_MODE", "copy"),
    ("UV_NO_PROGRESS", "1"),
    ("PYTHONDONTWRITEBYTECODE", "1"),
];
/// What a project's build needs besides: its backend, and uv.
const TOOLS: &str = "tools.tar";
const UV: &str = "/work/tools/uv";
const LOCK: &str = "/work/deps/requirements.lock";
const BACKEND: &[Variable] = &[
    ("UV_OFFLINE", "1"),
    ("PYTHONPATH", "/work/tools/backend"),
    ("PATH", "/work/tools/backend/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
];
const SCRIPTS_HINT: &str = "if it is a source package that must be compiled: its build has no programs but the base image's. PYTHON_IMAGE names a \
     base image that has a compiler (docs/grants.md, `install-scripts`)";
/// What PEP 517 has a project built with that says nothing.
const DEFAULT_BACKEND: &str = "setuptools >= 40.8.0";

/// The work folder of a package, with what names it.
pub(super) fn begin<'a>(making: &'a Making<'_>, staged: &Staged) -> Result<Steps<'a>> {
    let steps = making.steps()?;
    steps.bench.put_from_image(making.uv_image()?, "/uv", "tools/uv")?;
    steps.put(staged.deps(), "deps")?;
    Ok(steps)
}

/// What a package's lock says.
pub(super) fn install_locked(steps: &Steps<'_>) -> Result<()> {
    install(steps, &["--require-hashes", "--requirements", LOCK])
}

pub(super) fn pack(making: &Making<'_>, steps: &Steps<'_>, made: &TempDir) -> Result<()> {
    let said = find_program(making, steps)?;
    let own = steps.take("out/own", made, Packed::OWN, OWN)?;
    let deps = pack_installed(making, steps, made)?;
    Packed::write_plan(made, &Plan::read(&said, making.server, &own, &deps)?)
}

/// A folder of one's own: what is installed is kept apart from what is made of the sources.
pub(super) fn own(making: &Making<'_>, staged: &Staged) -> Result<Packed> {
    let mut inputs = making.inputs()?;
    inputs.add(staged.deps_bytes()?);
    let whole = inputs.with(staged.source_bytes()?);
    let kept = (making.kept.find(&inputs), making.kept.find(&whole));
    if let (Some(installed), Some(found)) = &kept {
        return Packed::in_folders(installed, found);
    }
    let is_project = making.server.program.file.is_none();
    let (steps, installed) = match kept.0 {
        Some(installed) => {
            let steps = making.steps()?;
            if is_project {
                steps.restore(&installed.join(TOOLS), "tools")?;
            }
            (steps, installed)
        }
        None => {
            let steps = begin(making, staged)?;
            let made = making.kept.begin()?;
            install_own(making, &steps, staged, &made)?;
            (steps, making.kept.keep(made, &inputs)?)
        }
    };
    steps.put(staged.source(), "source")?;
    if is_project {
        let command = [
            UV,
            "pip",
            "install",
            "--no-build-isolation",
            "--no-deps",
            "--target",
            "/work/own",
            "/work/source",
        ];
        steps.run("compiling the sources", "", &command, BACKEND).map_err(|err| {
            or_hint(err, format!(
                "it is built without the network, by what [build-system] of {} requires, and by nothing else",
                making.server.dir.join("pyproject.toml").display()
            ))
        })?;
    }
    let made = making.kept.begin()?;
    let said = find_program(making, &steps).map_err(|err| {
        or_hint(
            err,
            format!("see [project.scripts] in {}", making.server.dir.join("pyproject.toml").display()),
        )
    })?;
    let own = steps.take("out/own", &made, Packed::OWN, OWN)?;
    Packed::write_plan(&made, &Plan::read(&said, making.server, &own, &Contents::default())?)?;
    Packed::in_folders(&installed, &making.kept.keep(made, &whole)?)
}

/// Which versions of everything fit today, on any system, with the hashes of their files.
pub(super) fn make_lock(steps: &Steps<'_>) -> Result<Vec<u8>> {
    let list = at("deps/requirements.txt");
    let mut command =
        vec![UV, "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-header"];
    command.extend(["--no-annotate", "--output-file", LOCK]);
    command.extend(wheels_only(steps));
    command.push(&list);
    steps.fetch("looking up the versions of all packages", "", &command, &[])?;
    Ok(steps.bench.read("deps/requirements.lock", lock::MAX_LOCK)?)
}

fn wheels_only(steps: &Steps<'_>) -> &'static [&'static str] {
    if steps.server.install_scripts { &[] } else { &["--only-binary", ":all:"] }
}

/// Into `lib`.
fn install(steps: &Steps<'_>, list: &[&str]) -> Result<()> {
    let mut command = vec![UV, "pip", "install", "--target", "/work/lib"];
    command.extend(wheels_only(steps));
    command.extend(list);
    let fetched = steps.fetch("fetching the packages", "", &command, &[]);
    fetched.map_err(|err| if steps.server.install_scripts { or_hint(err, SCRIPTS_HINT) } else { err })
}

/// What a folder of one's own names, and for a project what builds it.
fn install_own(making: &Making<'_>, steps: &Steps<'_>, staged: &Staged, made: &TempDir) -> Result<()> {
    let has = |name: &str| staged.deps().join(name).is_file();
    if has("uv.lock") {
        let mut command = vec![UV, "export", "--quiet", "--project", "/work/deps", "--frozen", "--no-dev"];
        command.extend(["--no-emit-project", "--output-file", "/work/deps/requirements.txt"]);
        steps.run("reading uv.lock", "", &command, &[("UV_OFFLINE", "1")])?;
    }
    let is_list = has("uv.lock") || has("requirements.txt");
    if !is_list {
        let name = &making.server.name;
        progress::say(&format!(
            "{name}: no uv.lock beside its pyproject.toml: a build from nothing takes the newest versions that fit; `uv lock` in \
             servers/{name} writes one"
        ));
    }
    let list = at(if is_list { "deps/requirements.txt" } else { "deps/pyproject.toml" });
    if is_list {
        requirements::check(
            steps.server,
            &steps.bench.read("deps/requirements.txt", requirements::MAX_LIST)?,
        )?;
    }
    install(steps, &["--requirements", &list])?;
    if making.server.program.file.is_none() {
        staged.add_dependency_file("backend.txt", backend(staged.deps())?.as_bytes())?;
        steps.put(staged.deps(), "deps")?;
        let command = [
            UV,
            "pip",
            "install",
            "--target",
            "/work/tools/backend",
            "--only-binary",
            ":all:",
            "--requirements",
            "/work/deps/backend.txt",
        ];
        steps.fetch("fetching what builds the project", "", &command, &[])?;
        steps.take_all("tools", made, TOOLS)?;
    }
    pack_installed(making, steps, made).map(drop)
}

/// The requirements of `[build-system]`, a line each.
fn backend(deps: &Path) -> Result<String> {
    let file = deps.join("pyproject.toml");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let project: toml::Table = text.parse().context("its pyproject.toml is not TOML")?;
    let requires = project.get("build-system").and_then(|it| it.get("requires")?.as_array());
    let Some(requires) = requires else { return Ok(format!("{DEFAULT_BACKEND}\n")) };
    // One of them is no line of its own choice.
    let is_one = |it: &&str| !it.contains(char::is_control) && requirements::options(it).next().is_none();
    let names = requires.iter().map(|it| it.as_str().filter(is_one));
    let names: Option<Vec<_>> = names.collect();
    let names =
        names.context("`requires` of [build-system] in its pyproject.toml is no list of requirements")?;
    Ok(names.iter().map(|it| format!("{it}\n")).collect())
}

/// What packs is on the command line, so that nothing in the work folder takes its place.
fn find_program(making: &Making<'_>, steps: &Steps<'_>) -> Result<Vec<u8>> {
    let program = &making.server.program;
    let name = program.package.as_ref().map(|it| &it.name);
    let launch = serde_json::json!({ "package": name, "script": program.script, "file": program.file });
    let (script, launch, out) = (making.script("app.py")?, launch.to_string(), at("out"));
    let command = ["python3", "-I", "-B", "-c", &script, "/work", &out, &launch];
    steps.run("packing the files", "", &command, &[])?;
    Ok(steps.bench.read("out/plan.json", MAX_PLAN)?)
}

fn pack_installed(making: &Making<'_>, steps: &Steps<'_>, made: &TempDir) -> Result<Contents> {
    let (script, lib, out) = (making.script("deps.py")?, at("lib"), at("out"));
    let command = ["python3", "-I", "-B", "-c", &script, &lib, &out];
    steps.run("packing the packages", "", &command, &[])?;
    steps.take("out/deps", made, Packed::DEPS, DEPS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_says_what_builds_it() {
        let folder = tempfile::tempdir().unwrap();
        let backend = |text: &str| {
            fs::write(folder.path().join("pyproject.toml"), text).unwrap();
            super::backend(folder.path())
        };
        let hatch = "[build-system]\nrequires = [\"hatchling\", \"hatch-vcs>=0.4\"]\n";
        assert_eq!(backend(hatch).unwrap(), "hatchling\nhatch-vcs>=0.4\n");
        assert_eq!(backend("[project]\nname = \"it\"\n").unwrap(), "setuptools >= 40.8.0\n");
        for wrong in [
            "--index-url https://example.com",
            " -e .",
            "a\\n--no-binary :all:",
            "a\\r--no-binary a",
            "a --no-binary a",
        ] {
            assert!(backend(&format!("[build-system]\nrequires = [\"{wrong}\"]\n")).is_err(), "{wrong}");
        }
    }
}
