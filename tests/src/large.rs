//! Files of clients as large as they get: more than 10 MB, with 50,000 servers, in each format.
//!
//! A format -> a client's file. Invariant: each is made like a real one of that client's.

use std::fs;
use std::path::PathBuf;

use crate::test_env::TestEnv;

const SERVERS: usize = 50_000;

/// A client's configuration file of more than 10 MB.
#[derive(Debug)]
pub struct LargeConfig {
    /// The client's id.
    pub client: &'static str,
    /// Below the home folder.
    pub path: &'static str,
    head: &'static str,
    /// With `@` for the number.
    server: &'static str,
    between: &'static str,
    tail: &'static str,
}

/// One for each format that clients use.
pub const LARGE_CONFIGS: &[LargeConfig] = &[
    LargeConfig {
        client: "cursor",
        path: ".cursor/mcp.json",
        head: "{\n  \"mcpServers\": {\n",
        server: "    \"server-@\": {\n      \"command\": \"docker\",\n      \"args\": [\"exec\", \"-i\", \"mcp-server-@\", \"/mcp\", \
                 \"stdio\"],\n      \"env\": { \"API_KEY\": \"${env:API_KEY}\", \"LANG\": \"C\" }, // its own\n      \
                 \"disabled\": false\n    }",
        between: ",\n",
        tail: "\n  }\n}\n",
    },
    LargeConfig {
        client: "codex",
        path: ".codex/config.toml",
        head: "model = \"gpt-5\" # mine\n\n",
        server: "# server number @\n[mcp_servers.server-@]\ncommand = \"docker\"\nargs = [\"exec\", \"-i\", \"mcp-server-@\", \
                 \"/mcp\", \"stdio\"]\nstartup_timeout_sec = 20\nenv = { API_KEY = \"none-of-yours\", LANG = \"C\" }\n\
                 enabled = false\n",
        between: "\n",
        tail: "",
    },
    LargeConfig {
        client: "goose",
        path: ".config/goose/config.yaml",
        head: "GOOSE_PROVIDER: anthropic # mine\nextensions:\n",
        server: "  server-@:\n    name: server-@\n    enabled: true\n    type: stdio\n    cmd: docker\n    args:\n    - exec\n    \
                 - -i\n    - mcp-server-@\n    - /mcp\n    - stdio\n    timeout: 300\n    description: ''\n    \
                 bundled: null\n    available_tools: []\n",
        between: "",
        tail: "GOOSE_MODE: auto\n",
    },
];

impl LargeConfig {
    /// Into the environment's home.
    pub fn write(&self, env: &TestEnv) -> PathBuf {
        let servers: Vec<String> =
            (0..SERVERS).map(|n| self.server.replace('@', &format!("{n:05}"))).collect();
        let text = format!("{}{}{}", self.head, servers.join(self.between), self.tail);
        let path = env.home().join(self.path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a new folder");
        fs::write(&path, text).expect("a new file");
        path
    }

    /// The arguments of xtask that add an entry to it.
    pub fn install(&self) -> [&str; 6] {
        ["install-client", self.client, "--name", "remote", "--url", "http://127.0.0.1:9/mcp"]
    }

    /// The arguments of xtask that take that entry out.
    pub fn uninstall(&self) -> [&str; 2] {
        ["uninstall-client", self.client]
    }
}
