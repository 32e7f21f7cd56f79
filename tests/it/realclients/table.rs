//! The clients: which package, which file, how each is asked what it is connected to.
//!
//! Pure data but for the questions, which are in ask.rs. Invariant: what stands in a home before we come is in the
//! client's own format, and has a server that works.

use super::ask::{self, Ask};
use super::packages::{self, Package};
use super::terminal::Question;

#[derive(Debug)]
pub(super) struct Client {
    /// As in `clients/ID.toml`.
    pub(super) id: &'static str,
    pub(super) package: Package,
    pub(super) program: &'static str,
    /// The person's file, below HOME, and what it holds: `{node}`, `{theirs}`, `{project}` are filled in.
    pub(super) file: &'static str,
    pub(super) holds: &'static str,
    /// The file that we make where it has none; empty: the same one.
    pub(super) new_file: &'static str,
    /// What else the client wants to find, below HOME.
    pub(super) beside: &'static [(&'static str, &'static str)],
    /// Below the project's folder; empty where it has none, or none is tried.
    pub(super) project: &'static str,
    /// What a person then has to say to the client.
    pub(super) approve: &'static [&'static str],
    /// What it asks a person then, who says yes.
    pub(super) question: Option<Question>,
    pub(super) ask: Ask,
    /// What makes it ask its model, for those that connect to nothing before; then a stand-in for the model runs.
    pub(super) prompt: &'static [&'static str],
    /// Variables for it; `{model}` is the address of the stand-in, here and in files.
    pub(super) env: &'static [(&'static str, &'static str)],
    /// What must be run once before we write to its file.
    pub(super) first_start: &'static [&'static str],
    /// What starts it where its file has our entry and no model: it connects to nothing then. Empty: it connects.
    pub(super) without_model: &'static [&'static str],
    /// What it may add, outermost, to a file that it did not make.
    pub(super) adds: &'static [&'static str],
    /// Where it is started for its user-scope file.
    pub(super) in_home: bool,
    pub(super) any_name: bool,
    /// Whether it reaches servers over HTTP with what our entry for `id` says, a reference in a header included.
    pub(super) http: bool,
}

const NOTHING: Client = Client {
    id: "",
    package: packages::MCPORTER,
    program: "",
    file: "",
    holds: "",
    new_file: "",
    beside: &[],
    project: "",
    approve: &[],
    question: None,
    ask: ask::lines,
    prompt: &[],
    env: &[],
    first_start: &[],
    without_model: &[],
    adds: &[],
    in_home: false,
    any_name: true,
    http: true,
};

pub(super) const CLAUDE_CODE: Client = Client {
    id: "claude-code",
    package: packages::CLAUDE_CODE,
    program: "claude",
    file: ".claude.json",
    holds: include_str!("homes/claude.json"),
    beside: &[(".claude/settings.json", r#"{"enableAllProjectMcpServers":true}"#)],
    project: ".mcp.json",
    adds: &[
        "firstStartTime",
        "firstStartVersion",
        "hasResetAutoModeOptInForDefaultOffer",
        "machineID",
        "migrationVersion",
        "opusProMigrationComplete",
        "projects",
        "seenNotifications",
        "userID",
    ],
    ..NOTHING
};

pub(super) const CODEX: Client = Client {
    id: "codex",
    package: packages::CODEX,
    program: "codex",
    file: ".codex/config.toml",
    holds: include_str!("homes/codex.toml"),
    project: ".codex/config.toml",
    ask: ask::codex,
    any_name: false,
    ..NOTHING
};

pub(super) const GEMINI_CLI: Client = Client {
    id: "gemini-cli",
    package: packages::GEMINI_CLI,
    program: "gemini",
    file: ".gemini/settings.json",
    holds: include_str!("homes/gemini.json"),
    beside: &[(".gemini/trustedFolders.json", r#"{"{project}":"TRUST_FOLDER"}"#)],
    project: ".gemini/settings.json",
    ..NOTHING
};

pub(super) const QWEN_CODE: Client = Client {
    id: "qwen-code",
    package: packages::QWEN_CODE,
    program: "qwen",
    file: ".qwen/settings.json",
    holds: include_str!("homes/qwen.json"),
    adds: &["$version"],
    project: ".qwen/settings.json",
    approve: &["mcp", "approve", "weather"],
    ..NOTHING
};

pub(super) const OPENCODE: Client = Client {
    id: "opencode",
    package: packages::OPENCODE,
    program: "opencode",
    file: ".config/opencode/opencode.jsonc",
    holds: include_str!("homes/opencode.jsonc"),
    new_file: ".config/opencode/opencode.json",
    adds: &["$schema"],
    project: "opencode.json",
    ..NOTHING
};

pub(super) const MCPORTER: Client = Client {
    id: "mcporter",
    package: packages::MCPORTER,
    program: "mcporter",
    file: ".mcporter/mcporter.json",
    holds: include_str!("homes/mcporter.json"),
    project: "config/mcporter.json",
    ask: ask::mcporter,
    ..NOTHING
};

pub(super) const COPILOT_CLI: Client = Client {
    id: "copilot-cli",
    package: packages::COPILOT_CLI,
    program: "copilot",
    file: ".copilot/mcp-config.json",
    holds: include_str!("homes/copilot.jsonc"),
    beside: &[(".copilot/config.json", r#"{"trusted_folders":["{project}"]}"#)],
    project: ".mcp.json",
    ask: ask::copilot,
    prompt: &["-p", "hello", "--allow-all-tools"],
    env: &[
        ("COPILOT_OFFLINE", "true"),
        ("COPILOT_MODEL", "stand-in"),
        ("COPILOT_PROVIDER_BASE_URL", "{model}/v1"),
        ("COPILOT_PROVIDER_API_KEY", "none"),
    ],
    ..NOTHING
};

pub(super) const KILO: Client = Client {
    id: "kilo",
    package: packages::KILO,
    program: "kilo",
    file: ".config/kilo/kilo.jsonc",
    holds: include_str!("homes/kilo.jsonc"),
    project: "kilo.jsonc",
    first_start: &["mcp", "list"],
    ..NOTHING
};

pub(super) const DROID: Client = Client {
    id: "droid",
    package: packages::DROID,
    program: "droid",
    file: ".factory/mcp.json",
    holds: include_str!("homes/droid.json"),
    project: ".factory/mcp.json",
    ask: ask::droid,
    ..NOTHING
};

/// Its key opens nothing: it only keeps Amp from asking for one.
pub(super) const AMP: Client = Client {
    id: "amp",
    package: packages::AMP,
    program: "amp",
    file: ".config/amp/settings.json",
    holds: include_str!("homes/amp.json"),
    project: ".amp/settings.json",
    approve: &["mcp", "approve", "weather"],
    ask: ask::amp,
    env: &[("AMP_API_KEY", "sgamp_user_none"), ("AMP_URL", "http://127.0.0.1:9")],
    ..NOTHING
};

/// It starts a project's servers only where somebody has trusted the folder, in its terminal.
pub(super) const KIMI_CODE: Client = Client {
    id: "kimi-code",
    package: packages::KIMI_CODE,
    program: "kimi",
    file: ".kimi-code/mcp.json",
    holds: include_str!("homes/kimi.json"),
    beside: &[(".kimi-code/config.toml", include_str!("homes/kimi.toml"))],
    project: ".kimi-code/mcp.json",
    question: Some(Question { shows: "Trust this folder?", noted: ".kimi-code/workspace-trust" }),
    ask: ask::by_model,
    prompt: &["-p", "hello"],
    ..NOTHING
};

pub(super) const CLINE: Client = Client {
    id: "cline",
    package: packages::CLINE,
    program: "cline",
    file: ".cline/data/settings/cline_mcp_settings.json",
    holds: include_str!("homes/cline.json"),
    beside: &[(".cline/data/settings/providers.json", include_str!("homes/cline_providers.json"))],
    ask: ask::by_model,
    prompt: &["--json", "say hello"],
    http: false,
    ..NOTHING
};

pub(super) const GROK: Client = Client {
    id: "grok",
    package: packages::GROK,
    program: "grok",
    file: ".grok/config.toml",
    holds: include_str!("homes/grok.toml"),
    project: ".grok/config.toml",
    ask: ask::grok,
    any_name: false,
    ..NOTHING
};

pub(super) const QODER_CLI: Client = Client {
    id: "qoder-cli",
    package: packages::QODER,
    program: "qodercli",
    file: ".qoder/settings.json",
    holds: include_str!("homes/qoder.json"),
    project: ".mcp.json",
    ..NOTHING
};

pub(super) const HERMES: Client = Client {
    id: "hermes",
    package: packages::HERMES,
    program: "hermes",
    file: ".hermes/config.yaml",
    holds: include_str!("homes/hermes.yaml"),
    ask: ask::hermes,
    ..NOTHING
};

/// Its model is named in variables, so that a file which holds our entry alone will do.
pub(super) const MISTRAL_VIBE: Client = Client {
    id: "mistral-vibe",
    package: packages::MISTRAL_VIBE,
    program: "vibe",
    file: ".vibe/config.toml",
    holds: include_str!("homes/vibe.toml"),
    beside: &[(".vibe/trusted_folders.toml", include_str!("homes/vibe_trusted_folders.toml"))],
    project: ".vibe/config.toml",
    ask: ask::vibe,
    prompt: &["-p", "hello"],
    env: &[
        ("VIBE_ACTIVE_MODEL", "stand-in"),
        ("VIBE_MODELS", r#"[{"name":"stand-in","provider":"near"}]"#),
        ("VIBE_PROVIDERS", r#"[{"name":"near","api_base":"{model}/v1"}]"#),
        ("VIBE_ENABLE_CONNECTORS", "false"),
        ("VIBE_ENABLE_TELEMETRY", "false"),
        ("VIBE_ENABLE_UPDATE_CHECKS", "false"),
    ],
    any_name: false,
    ..NOTHING
};

pub(super) const OPENCLAW: Client = Client {
    id: "openclaw",
    package: packages::OPENCLAW,
    program: "openclaw",
    file: ".openclaw/openclaw.json",
    holds: include_str!("homes/openclaw.json"),
    ask: ask::openclaw,
    ..NOTHING
};

pub(super) const AUGGIE: Client = Client {
    id: "auggie",
    package: packages::AUGGIE,
    program: "auggie",
    file: ".augment/settings.json",
    holds: include_str!("homes/auggie.jsonc"),
    ask: ask::auggie,
    http: false,
    ..NOTHING
};

pub(super) const CONTINUE: Client = Client {
    id: "continue",
    package: packages::CONTINUE,
    program: "cn",
    file: ".continue/config.yaml",
    holds: include_str!("homes/continue.yaml"),
    ask: ask::continues,
    without_model: &["--print", "hello"],
    ..NOTHING
};

/// It reads Cursor's files: the person's when it is started below HOME, but knows none of Cursor's variables.
pub(super) const FASTMCP_FOR_CURSOR: Client = Client {
    id: "cursor",
    package: packages::FASTMCP,
    program: "fastmcp",
    file: ".cursor/mcp.json",
    holds: include_str!("homes/cursor.json"),
    project: ".cursor/mcp.json",
    ask: |run| ask::fastmcp(run, "cursor"),
    in_home: true,
    http: false,
    ..NOTHING
};

pub(super) const FASTMCP_FOR_CLAUDE_DESKTOP: Client = Client {
    id: "claude-desktop",
    file: ".config/Claude/claude_desktop_config.json",
    holds: include_str!("homes/claude_desktop.json"),
    project: "",
    ask: |run| ask::fastmcp(run, "claude-desktop"),
    ..FASTMCP_FOR_CURSOR
};

/// It reads any file with `mcpServers`.
pub(super) const INSPECTOR: Client = Client {
    id: "cursor",
    package: packages::INSPECTOR,
    program: "mcp-inspector",
    project: "",
    ask: ask::inspector,
    in_home: false,
    ..FASTMCP_FOR_CURSOR
};
