//! What stands in a list of Python's requirements besides requirements: options, some of which have foreign code run.
//!
//! requirements.txt -> its options, or why it is not used. Pure. Invariant: what uv takes for an option is found; what is none
//! may be, too.

use anyhow::{Context, Result};
use drydock_catalog::Server;

use crate::hint::with_hint;

/// In bytes.
pub(super) const MAX_LIST: usize = 16 << 20;

/// They say where packages come from, and which files they are. All others could have a package built, which runs its code,
/// or lead to another list that does.
const HARMLESS: [&str; 10] = [
    "--hash",
    "--index-url",
    "-i",
    "--extra-index-url",
    "--find-links",
    "-f",
    "--no-index",
    "--trusted-host",
    "--require-hashes",
    "--pre",
];

/// The words that begin with `-`, outside of comments. For uv a comment ends with its line, whatever stands at the end of that,
/// and a carriage return ends one.
pub(super) fn options(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.trim_start_matches('\u{feff}').split(['\n', '\r']);
    lines
        .flat_map(|line| line.split_whitespace().take_while(|it| !it.starts_with('#')))
        .filter(|it| it.starts_with('-'))
}

/// Whether uv, which has the network, may be given this list of a folder of one's own.
pub(super) fn check(server: &Server, list: &[u8]) -> Result<()> {
    // What is no UTF-8 uv may read in another way.
    let text = std::str::from_utf8(list).context("its list of requirements is no UTF-8")?;
    let name = |it: &str| it.split('=').next().unwrap_or_default().to_owned();
    let found = options(text).find(|it| !HARMLESS.contains(&name(it).as_str()));
    match found.filter(|_| !server.install_scripts) {
        None => Ok(()),
        Some(option) => Err(with_hint(
            format!(
                "the requirements of {} hold the option {option:?}, which can have packages run their own code while the \
                 image is built",
                server.name
            ),
            "take it out, or allow that: install-scripts = true in its drydock.toml",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_found_where_uv_sees_them() {
        for (text, expected) in [
            (
                "a==1 # via -r x.in\n#  pip-compile --generate-hashes\nb-c>=2 ; sys_platform == 'win32'\n",
                &[][..],
            ),
            (
                "a==1 \\\n    --hash=sha256:aa \\\r\n\t--hash=sha256:bb\n",
                &["--hash=sha256:aa", "--hash=sha256:bb"],
            ),
            ("--index-url https://example.com/x-y --no-binary a\n", &["--index-url", "--no-binary"]),
            ("\u{feff}-e .\n", &["-e"]),
            ("# x \\\n--no-binary a\n", &["--no-binary"]),
            ("# x\r-rmore.txt\n", &["-rmore.txt"]),
            ("a\u{a0}--config-settings=b\n", &["--config-settings=b"]),
        ] {
            assert_eq!(options(text).collect::<Vec<_>>(), expected, "{text:?}");
        }
    }
}
