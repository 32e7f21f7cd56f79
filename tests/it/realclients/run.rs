//! A client in an environment of its own: its home furnished, its program at hand.
//!
//! TestEnv + client -> commands to run, files to look at. Invariant: no process of the client's is left when this goes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use drydock_tests::process::{command, print_note, wait_until};
use drydock_tests::test_env::{TestEnv, workspace_root};

use super::packages::path_with;
use super::table::Client;

pub(super) const TOKEN: &str = "s3cret-of-the-far-server";

/// Below HOME: what the stand-in for the model was offered.
const MODEL_LOG: &str = "offered-tools.jsonl";

#[derive(Debug)]
pub(super) struct Run<'a> {
    pub(super) env: &'a TestEnv,
    pub(super) client: &'a Client,
    programs: PathBuf,
    node: PathBuf,
    /// A stand-in for the model that it asks.
    model: Option<HttpServer>,
    /// The names that it has to be connected to.
    pub(super) wanted: Vec<&'a str>,
    pub(super) in_project: bool,
}

impl<'a> Run<'a> {
    /// With the package installed and the home furnished; or why that cannot be.
    pub(super) fn new(env: &'a TestEnv, client: &'a Client) -> Result<Self, String> {
        let it = Self::without_its_file(env, client)?;
        it.furnish();
        Ok(it)
    }

    /// The same before the client was started for the first time.
    pub(super) fn without_its_file(env: &'a TestEnv, client: &'a Client) -> Result<Self, String> {
        let (programs, node) = (client.package.programs()?, client.package.node()?);
        let model = (!client.prompt.is_empty()).then(|| {
            let log = env.home().join(MODEL_LOG);
            HttpServer::start(&node, "model.mjs", &[log.to_str().expect("a plain path")])
        });
        let it = Self { env, client, programs, node, model, wanted: Vec::new(), in_project: false };
        client.beside.iter().for_each(|(file, holds)| it.write(file, holds));
        Ok(it)
    }

    /// The file as its owner has it.
    pub(super) fn furnish(&self) {
        self.write(self.client.file, self.client.holds);
    }

    fn write(&self, file: &str, holds: &str) {
        let path = self.env.home().join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a new folder");
        fs::write(path, self.filled_in(holds)).expect("a new file");
    }

    fn filled_in(&self, text: &str) -> String {
        let plain = |path: &Path| path.to_str().expect("a plain path").to_owned();
        let model = self.model.as_ref().map_or("", |it| &it.url);
        text.replace("{node}", &plain(&self.node))
            .replace("{theirs}", &plain(&script("theirs.mjs")))
            .replace("{project}", &plain(&self.env.project()))
            .replace("{model}", model)
    }

    /// The names of the tools that the client offered to the model last.
    #[track_caller]
    pub(super) fn offered(&self) -> Vec<String> {
        let log = self.env.home().join(MODEL_LOG);
        let _ = fs::remove_file(&log);
        let said = drydock_tests::process::run(&mut self.client(self.client.prompt));
        let offered = fs::read_to_string(log).unwrap_or_else(|_| panic!("no tools were offered: {said}"));
        let last = offered.lines().last().expect("a line");
        serde_json::from_str(last).expect("a list of names")
    }

    /// The client's program.
    pub(super) fn client(&self, args: &[&str]) -> Command {
        self.program(self.client.program, args)
    }

    /// A program of the client's package. It is told to leave the network and the person's keychain alone.
    pub(super) fn program(&self, name: &str, args: &[&str]) -> Command {
        let mut it = self.env.command(self.programs.join(name));
        let in_home = self.client.in_home && !self.in_project;
        it.current_dir(if in_home { self.env.home() } else { self.env.project() })
            .args(args)
            .env("PATH", path_with(self.node.parent().expect("a program is in a folder")))
            .env("FAR_TOKEN", TOKEN)
            .env("DISABLE_AUTOUPDATER", "1")
            .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
            .env("FASTMCP_CHECK_FOR_UPDATES", "off")
            .env("OPENCODE_DISABLE_AUTOUPDATE", "1")
            .env("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
            .env("MCP_INSPECTOR_SECRET_STORE", "memory");
        for (name, value) in self.client.env {
            it.env(name, self.filled_in(value));
        }
        it
    }

    /// The person's file, or the project's.
    pub(super) fn file(&self) -> PathBuf {
        if self.in_project {
            return self.env.project().join(self.client.project);
        }
        let own = self.env.home().join(self.client.file);
        let is_new = !self.client.new_file.is_empty() && !own.exists();
        if is_new { self.env.home().join(self.client.new_file) } else { own }
    }

    #[track_caller]
    pub(super) fn text(&self) -> String {
        let file = self.file();
        fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
    }

    /// A server reached over HTTP, which lets in only who knows the token.
    pub(super) fn far_server(&self) -> HttpServer {
        let mut it = HttpServer::start(&self.node, "theirs.mjs", &["http", TOKEN]);
        it.url += "/mcp";
        it
    }

    /// `cargo xtask VERB ID ARGS`, at the file that `file` names.
    #[track_caller]
    pub(super) fn xtask(&self, verb: &str, args: &[&str]) {
        let project = self.env.project();
        let scope = ["--scope", "project", "--project", project.to_str().expect("a plain path")];
        let scope = if self.in_project { &scope[..] } else { &[] };
        // What a container is to start stands behind `--`, at the end.
        self.env.ok(&[&[verb, self.client.id], scope, args].concat());
    }
}

/// Whatever the client left running in this home: it is ours to end.
impl Drop for Run<'_> {
    fn drop(&mut self) {
        let home = format!("HOME={}", self.env.home().display());
        if wait_until(Duration::from_secs(5), || processes_with(&home).is_empty()) {
            return;
        }
        for (pid, what) in processes_with(&home) {
            print_note(&format!("{} left a process, which is ended: {what}", self.client.program));
            let _ = command("kill").args(["-KILL", &pid]).status();
        }
    }
}

/// Processes with this variable: id and command line. Where there is no /proc, none.
fn processes_with(home: &str) -> Vec<(String, String)> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ours = processes.filter(|it| {
        let environment = fs::read(it.path().join("environ")).unwrap_or_default();
        environment.split(|it| *it == 0).any(|it| it == home.as_bytes())
    });
    let described = ours.map(|it| {
        let line = fs::read_to_string(it.path().join("cmdline")).unwrap_or_default();
        (it.file_name().to_string_lossy().into_owned(), line.replace('\0', " "))
    });
    described.collect()
}

fn script(name: &str) -> PathBuf {
    workspace_root().join("tests/it/realclients").join(name)
}

#[derive(Debug)]
pub(super) struct HttpServer {
    child: Child,
    pub(super) url: String,
}

impl HttpServer {
    fn start(node: &Path, name: &str, args: &[&str]) -> Self {
        use std::io::{BufRead, BufReader};
        let mut child = command(node)
            .arg(script(name))
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Node starts");
        let mut port = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut port).expect("a port");
        Self { child, url: format!("http://127.0.0.1:{}", port.trim()) }
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
