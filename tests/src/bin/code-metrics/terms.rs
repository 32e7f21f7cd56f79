//! Words of the old vocabulary that are left, each with its standard term.
//!
//! A checkout -> a table of word, term, count and first place. Invariant: only words that are unmistakable count: as a
//! whole identifier (a `*` at an end stands for anything), as a file's name, as a phrase in a string, as a heading.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::crates::rust_files;

/// Identifiers, or names of files where they end with `.rs`: the word, the term, and the folders where it means that.
const WORDS: &[(&str, &str, &str)] = &[
    ("again.rs", "reinstall.rs, drift.rs", ""),
    ("needs.rs", "preflight.rs", ""),
    ("Missing", "UnmetRequirement", "xtask/src/ops/preflight"),
    ("obstacle", "find_blocker", ""),
    ("each.rs", "batch.rs", ""),
    ("fixable.rs", "hint.rs", ""),
    ("Fixable", "HintedError", ""),
    ("fixable", "with_hint", ""),
    ("nearest", "suggest", "xtask|clients|servers/catalog"),
    ("argv.rs", "docker_args.rs", ""),
    ("argv", "docker_args", ""),
    ("Spot", "ClientConfigFile, Location", ""),
    ("Fate", "EntryAction", ""),
    ("Wanted", "DesiredEntry", ""),
    ("Ours", "Managed", ""),
    ("Foreign", "Unmanaged", ""),
    ("Drifted", "Modified", ""),
    ("AlreadyThere", "Identical", ""),
    ("GivenBack", "Restored", ""),
    ("pasted", "render_snippet", ""),
    ("some_entries", "entries_named", ""),
    ("unmake", "prune_created_parents", ""),
    ("same_but", "verify_only_changed", ""),
    ("pieces.rs", "fragments.rs", ""),
    ("braces.rs", "inline_parent.rs", ""),
    ("ugly.rs", "generate.rs", ""),
    ("ugly", "generate", ""),
    ("Dice", "Rng", "xtask|clients"),
    ("judges", "differential", ""),
    ("by_hand", "test_support", ""),
    ("Written", "InstalledEntry", ""),
    ("Around", "CreatedScaffolding", ""),
    ("put_back", "restore", ""),
    ("dress", "copy_metadata", ""),
    ("tidy", "remove_stale_temps", ""),
    ("Stamp", "FileIdentity", ""),
    ("Audience", "Visibility", ""),
    ("written_late", "late_write", ""),
    ("Way", "Transport, ResolvedPath", ""),
    ("Reach", "Http", ""),
    ("Launch", "StdioCommand", ""),
    ("Remote", "HttpEndpoint", "xtask|clients"),
    ("bare", "clear_env", "xtask|clients/config"),
    ("Machine", "HostEnv", ""),
    ("Shapes", "Templates", "xtask|clients"),
    ("Taken", "ExtractedValues", "xtask|clients"),
    ("Expands", "Interpolation", ""),
    ("wanted.rs", "plan.rs", ""),
    ("agree", "confirm", "xtask"),
    ("tell", "print_report", "xtask"),
    ("complaint", "error_text", "xtask|docker"),
    ("silent", "unreachable", "xtask|docker"),
    ("Stranger", "Unmanaged", ""),
    ("survey", "load_partial", ""),
    ("may_touch", "check_ownership", ""),
    ("elsewhere", "created_concurrently", "xtask|docker"),
    ("How", "UpOptions", "xtask|docker"),
    ("tries.rs", "targets.rs", ""),
    ("Try", "CheckTarget", ""),
    ("sick", "unhealthy", ""),
    ("stands", "server_status", "xtask"),
    ("broke_off", "aborted", ""),
    ("station.rs", "control_server.rs", ""),
    ("station", "control_server", ""),
    ("Station", "ControlServer", ""),
    ("link.rs", "control_client.rs", ""),
    ("Announced", "Registration", ""),
    ("linger.rs", "drain_stdout.rs", ""),
    ("linger", "drain_stdout", ""),
    ("Verb", "Subcommand", ""),
    ("Wire", "StdioTransport", ""),
    ("Guard", "CallLimiter", "servers/kit"),
    ("hold_back", "apply_backpressure", ""),
    ("keeper*", "supervisor", ""),
    ("Said", "StderrTail", ""),
    ("Job", "ChildSpec", ""),
    ("hushed", "quiet", ""),
    ("bury", "reap", ""),
    ("seat", "assign_waiting", ""),
    ("farewell", "shutdown", ""),
    ("strays", "orphans", ""),
    ("guest*", "external_session", ""),
    ("hear*", "on_*_message", "servers"),
    ("PATIENCE", "*_TIMEOUT", ""),
    ("*_PATIENCE", "*_TIMEOUT", ""),
    ("AGAIN", "RETRY_INTERVAL", "xtask|servers/runtime|servers/kit"),
    ("LONGEST*", "MAX_*", ""),
    ("LARGEST*", "MAX_*", ""),
    ("MOST*", "MAX_*", ""),
    ("FAREWELL", "SHUTDOWN_TIMEOUT", ""),
    ("SETTLED", "STARTUP_GRACE", ""),
    ("HOLD", "BACKPRESSURE_TIMEOUT", ""),
    ("TURN", "YIELD_EVERY", ""),
    ("UNSENT", "MAX_UNSENT", ""),
    ("spot.rs", "location.rs", ""),
    ("fold.rs", "normalize.rs", ""),
    ("folded", "normalized", "servers/weather"),
    ("*Answer", "*Response", "servers/weather/src"),
    ("Agreed", "Negotiated", ""),
    ("agreed", "negotiated", "clients/connect"),
    ("took", "timings", "clients/connect"),
    ("obituary", "exit_reason", ""),
    ("misused", "usage_error", ""),
    ("text.rs", "escape.rs", "clients/connect"),
    ("world.rs", "test_env.rs", ""),
    ("World", "TestEnv", ""),
    ("world", "env", "tests"),
    ("Finished", "CommandOutput", ""),
    ("normal", "normalize", "tests"),
    ("*janitor*", "spawn_cleanup", ""),
    ("JANITOR", "CLEANUP", ""),
    ("mod.rs", "NAME.rs beside NAME/", ""),
];

/// In strings that a program says.
const PHRASES: &[(&str, &str)] = &[
    ("foreign", "unmanaged"),
    ("somebody else's", "not managed by Drydock"),
    ("making it anew", "recreating"),
    ("in a hurry", "quick (unoptimised) build"),
    ("a fault of ours", "internal error: please report it"),
    ("a text", "a string"),
    ("nobody is there to be asked", "stdin is not a terminal"),
    ("/mcp keep", "/mcp supervise"),
];

/// Of README.md and ARCHITECTURE.md.
const HEADINGS: &[(&str, &str)] = &[
    ("How the parts meet", "How it works"),
    ("Ask a server", "Call tools"),
    ("Wire up a client", "Configure clients"),
    ("See what is wrong", "Troubleshooting"),
    ("Leave no trace", "Uninstall"),
    ("By hand and with Drydock", "Comparison"),
    ("Figures", "Benchmarks"),
    ("Words", "Glossary"),
    ("Ways through the house", "Data flow"),
];

/// Word and term -> how often, and where first.
type Counts = BTreeMap<(&'static str, &'static str), (usize, String)>;

pub(crate) fn left(root: &Path) -> Result<String, String> {
    let mut counts = Counts::new();
    for path in all_rust_files(root)? {
        let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        if shown.contains("code-metrics") {
            continue;
        }
        let name = shown.rsplit('/').next().unwrap_or_default().to_owned();
        for (word, term, _) in WORDS.iter().filter(|it| it.0 == name && is_in(&shown, it.2)) {
            count(&mut counts, word, term, &shown);
        }
        let text = fs::read_to_string(&path).map_err(|e| format!("{shown}: {e}"))?;
        let tokens: TokenStream = text.parse().map_err(|e| format!("{shown}: {e}"))?;
        of_tokens(tokens, &shown, &mut counts);
    }
    headings(root, &mut counts);
    Ok(table(&counts))
}

fn table(counts: &Counts) -> String {
    let sum: usize = counts.values().map(|(count, _)| count).sum();
    let mut text = format!("\n## words of the old vocabulary: {} words, {sum} uses\n", counts.len());
    for ((word, term), (count, first)) in counts {
        let _ = writeln!(text, "{word:<28} {count:>5}  {term:<34} {first}");
    }
    text
}

/// Of all packages, tests included.
fn all_rust_files(root: &Path) -> Result<Vec<std::path::PathBuf>, String> {
    let mut all = Vec::new();
    for folder in ["xtask", "servers", "docker", "clients", "tests"] {
        let folder = root.join(folder);
        if !folder.is_dir() {
            continue;
        }
        all.extend(rust_files(&folder)?);
        let packages = fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        for package in packages.flatten().map(|it| it.path()).filter(|it| it.join("Cargo.toml").exists()) {
            all.extend(rust_files(&package)?);
            let inner = fs::read_dir(&package).into_iter().flatten().flatten().map(|it| it.path());
            for nested in inner.filter(|it| it.join("Cargo.toml").exists()) {
                all.extend(rust_files(&nested)?);
            }
        }
    }
    all.sort();
    Ok(all)
}

fn of_tokens(tokens: TokenStream, path: &str, counts: &mut Counts) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let place = format!("{path}:{}", token.span().start().line);
        match token {
            TokenTree::Ident(it) => {
                let name = it.to_string();
                let known = WORDS.iter().filter(|it| is_in(path, it.2) && matches(it.0, &name));
                known.for_each(|(word, term, _)| count(counts, word, term, &place));
            }
            TokenTree::Literal(it) => {
                let text = it.to_string().to_lowercase();
                let known = PHRASES.iter().filter(|(phrase, _)| holds(&text, phrase));
                known.for_each(|(phrase, term)| count(counts, phrase, term, &place));
            }
            TokenTree::Group(it) => of_tokens(it.stream(), path, counts),
            TokenTree::Punct(it) if it.as_char() == '#' => {
                // Documentation says what it likes.
                let is_doc = |it: &TokenTree| match it {
                    TokenTree::Group(it) if it.delimiter() == Delimiter::Bracket => {
                        it.stream().to_string().starts_with("doc")
                    }
                    _ => false,
                };
                tokens.next_if(|it| matches!(it, TokenTree::Punct(it) if it.as_char() == '!'));
                tokens.next_if(is_doc);
            }
            TokenTree::Punct(_) => {}
        }
    }
}

fn headings(root: &Path, counts: &mut Counts) {
    for file in ["README.md", "ARCHITECTURE.md"] {
        let text = fs::read_to_string(root.join(file)).unwrap_or_default();
        for (at, line) in text.lines().enumerate() {
            let heading = line.strip_prefix('#').map(|it| it.trim_start_matches('#').trim());
            for (old, term) in HEADINGS.iter().filter(|it| Some(it.0) == heading) {
                count(counts, old, term, &format!("{file}:{}", at + 1));
            }
        }
    }
}

fn count(counts: &mut Counts, word: &'static str, term: &'static str, place: &str) {
    counts.entry((word, term)).or_insert_with(|| (0, place.to_owned())).0 += 1;
}

/// Whether a path lies in one of some folders, `|` between them; an empty one is everywhere.
fn is_in(path: &str, folders: &str) -> bool {
    folders.split('|').any(|it| path.starts_with(it))
}

fn matches(pattern: &str, name: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(_), Some(_)) => name.contains(pattern.trim_matches('*')),
        (Some(end), None) => name.ends_with(end),
        (None, Some(start)) => name.starts_with(start),
        (None, None) => name == pattern,
    }
}

/// Whether a phrase stands in a text, not as a part of other words.
fn holds(text: &str, phrase: &str) -> bool {
    text.match_indices(phrase).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + phrase.len()..].chars().next();
        let is_letter = |it: Option<char>| it.is_some_and(char::is_alphanumeric);
        !is_letter(before) && !is_letter(after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_count_and_documentation_does_not() {
        let text = "/// Spot, foreign\n#[doc = \"foreign\"]\nfn f() { Spot; Spots; say(\"a foreign one\"); \"foreigner\"; }\n";
        let mut counts = Counts::new();
        of_tokens(text.parse().unwrap(), "xtask/src/a.rs", &mut counts);
        let found: Vec<_> =
            counts.iter().map(|((word, _), (count, first))| (*word, *count, &**first)).collect();
        assert_eq!(found, [("Spot", 1, "xtask/src/a.rs:3"), ("foreign", 1, "xtask/src/a.rs:3")]);
    }
}
