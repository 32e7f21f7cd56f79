//! Servers from npm, and with a package.json of one's own: how they are fetched, compiled and packed.
//!
//! Staged files -> `deps.tar`, `own.tar` and a plan. Invariants: scripts of packages run only where they are granted, and
//! never with the network; a package's lock decides its versions.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use drydock_catalog::Server;
use serde_json::Value;
use tempfile::TempDir;

use super::lock;
use super::packages::{Making, Packed};
use super::plan::{MAX_PLAN, Plan};
use super::stage::Staged;
use super::steps::{DEPS, OWN, Steps, Variable, at};
use crate::hint::or_hint;
use crate::ui::progress;

/// npm stays quiet, and keeps to the work folder.
pub(super) const ENV: &[Variable] = &[
    ("npm_config_audit", "false"),
    ("npm_config_fund", "false"),
    ("npm_config_update_notifier", "false"),
    ("npm_config_cache", "/work/cache"),
];
/// `--ignore-scripts` is not enough: npm prepares what a lock or a package takes from git or a folder, in an npm of its own,
/// which obeys that package's .npmrc; variables come before that. The shell is nowhere, and its name stands in npm's error.
const NO_SCRIPTS: &[Variable] = &[
    ("npm_config_ignore_scripts", "true"),
    ("npm_config_script_shell", "/no-scripts-while-packages-are-fetched"),
    ("npm_config_git", "git"),
];
/// Where there is no network, npm need not try for minutes.
const OFFLINE: &[Variable] = &[("npm_config_offline", "true")];

const SCRIPTS_HINT: &str = "install scripts have no network, and no programs but the base image's: what one downloads it cannot get. For one that \
     compiles, NODE_IMAGE names a base image that has a compiler (docs/grants.md, `install-scripts`)";

const LOCK: &str = "package-lock.json";

/// The work folder of a package, with what names it.
pub(super) fn begin<'a>(making: &'a Making<'_>, staged: &Staged) -> Result<Steps<'a>> {
    let steps = making.steps()?;
    steps.put(staged.deps(), "app")?;
    Ok(steps)
}

/// What a package's lock says.
pub(super) fn install_locked(steps: &Steps<'_>) -> Result<()> {
    install(steps, true)
}

/// A folder of one's own: what is installed is kept apart from what is made of the sources.
pub(super) fn own(making: &Making<'_>, staged: &Staged) -> Result<Packed> {
    let mut inputs = making.inputs()?;
    inputs.add(staged.deps_bytes()?);
    let whole = inputs.with(staged.source_bytes()?);
    if let Some(found) = making.kept.find(&whole) {
        return Packed::in_folder(&found);
    }
    let steps = making.steps()?;
    match making.kept.find(&inputs) {
        Some(found) => steps.restore(&installed(&found), "app")?,
        None => {
            steps.put(staged.deps(), "app")?;
            let is_locked = staged.deps().join(LOCK).is_file();
            if !is_locked && has_dependencies(staged.deps())? {
                let name = &making.server.name;
                progress::say(&format!(
                    "{name}: no {LOCK} beside its package.json: a build from nothing takes the newest versions that fit; `npm install` \
                     in servers/{name} writes one"
                ));
            }
            install(&steps, is_locked)?;
            let made = making.kept.begin()?;
            steps.take_all("app", &made, INSTALLED)?;
            making.kept.keep(made, &inputs)?;
        }
    }
    steps.put(staged.source(), "app")?;
    compile(&steps, staged.deps())?;
    let made = making.kept.begin()?;
    pack(making, &steps, &made).map_err(|err| {
        let file = making.server.dir.join("package.json");
        or_hint(err, format!(
            "see `bin` (or `main`) in {}, and what its `build` script makes: without one nothing is compiled",
            file.display()
        ))
    })?;
    Packed::in_folder(&making.kept.keep(made, &whole)?)
}

const INSTALLED: &str = "installed.tar";

fn installed(folder: &Path) -> PathBuf {
    folder.join(INSTALLED)
}

/// Which versions of everything fit today; without addresses, which are this machine's matter.
pub(super) fn make_lock(steps: &Steps<'_>) -> Result<Vec<u8>> {
    let command = [
        "npm",
        "install",
        "--package-lock-only",
        "--ignore-scripts",
        "--omit-lockfile-registry-resolved",
        "--no-audit",
    ];
    steps.fetch("looking up the versions of all packages", "app", &command, NO_SCRIPTS)?;
    // npm 10 leaves an optional peer at a version that does not fit, which `npm ci` refuses; in its own lock it sees that.
    let again = [&command[..], &["--prefer-offline"]].concat();
    steps.fetch("checking the versions", "app", &again, NO_SCRIPTS)?;
    Ok(steps.bench.read(&format!("app/{LOCK}"), lock::MAX_LOCK)?)
}

/// Of one's own package all dependencies, as its build may need them.
fn install(steps: &Steps<'_>, is_locked: bool) -> Result<()> {
    let ci = ["npm", "ci", "--ignore-scripts", "--include=dev"];
    let install = ["npm", "install", "--no-save", "--no-package-lock", "--ignore-scripts", "--include=dev"];
    steps.fetch("fetching the packages", "app", if is_locked { &ci[..] } else { &install }, NO_SCRIPTS)?;
    if steps.server.install_scripts {
        let ran = steps.run("running the packages' install scripts", "app", &["npm", "rebuild"], OFFLINE);
        ran.map_err(|err| or_hint(err, SCRIPTS_HINT))?;
    }
    Ok(())
}

fn manifest(deps: &Path) -> Result<Value> {
    let file = deps.join("package.json");
    let text = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_slice(&text).context("its package.json is not JSON")
}

fn has_dependencies(deps: &Path) -> Result<bool> {
    let manifest = manifest(deps)?;
    let has = |key: &str| manifest[key].as_object().is_some_and(|it| !it.is_empty());
    Ok(has("dependencies") || has("devDependencies"))
}

/// What our own package.json says: its build, and nothing of what is for development after it.
fn compile(steps: &Steps<'_>, deps: &Path) -> Result<()> {
    let manifest = manifest(deps)?;
    if manifest["scripts"]["build"].is_string() {
        let built = steps.run("compiling the sources", "app", &["npm", "run", "build"], OFFLINE);
        built.map_err(|err| {
            let file = steps.server.dir.join("package.json");
            or_hint(err, format!(
                "`npm run build` has no network and no programs but the base image's and its packages': what it needs must be among the \
                 dependencies of {}",
                file.display()
            ))
        })?;
    }
    if manifest["devDependencies"].as_object().is_some_and(|it| !it.is_empty()) {
        let command = ["npm", "prune", "--omit=dev", "--no-save", "--ignore-scripts"];
        steps.run("leaving out development packages", "app", &command, OFFLINE)?;
    }
    Ok(())
}

/// What packs is on the command line, so that nothing in the work folder takes its place.
pub(super) fn pack(making: &Making<'_>, steps: &Steps<'_>, made: &TempDir) -> Result<()> {
    let (script, launch) = (making.script("app.mjs")?, launch(making.server));
    let (app, out) = (at("app"), at("out"));
    let command = ["node", "--input-type=module", "--eval", &script, &app, &out, &launch];
    steps.run("packing the files", "", &command, &[])?;
    let deps = steps.take("out/deps", made, Packed::DEPS, DEPS)?;
    let own = steps.take("out/own", made, Packed::OWN, OWN)?;
    let said = steps.bench.read("out/plan.json", MAX_PLAN)?;
    Packed::write_plan(made, &Plan::read(&said, making.server, &own, &deps)?)
}

fn launch(server: &Server) -> String {
    let name = server.program.package.as_ref().map(|it| &it.name);
    serde_json::json!({ "package": name, "script": server.program.script }).to_string()
}
