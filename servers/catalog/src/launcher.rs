//! `runtimeArguments`: what a publisher says to `npx`, `uvx` or an interpreter, and what that means where neither npx nor
//! uvx is ever run.
//!
//! Package -> `LauncherArguments`. Invariant: each word is honoured, is known to change nothing here, is told, or is wanted from the
//! person; what a build is told to install has the form of a requirement and nothing else.

use crate::error::Error;
use crate::excerpt::quoted;
use crate::manifest::{MissingArgument, Package, is_exact_pypi};
use crate::program::Requirement;

/// What is to be installed besides the package itself, and what is started.
#[derive(Debug, Default)]
pub(crate) struct LauncherArguments {
    pub(crate) runtime: Vec<String>,
    pub(crate) args: Vec<String>,
    pub(crate) extras: Vec<String>,
    pub(crate) with: Vec<Requirement>,
    pub(crate) script: Option<String>,
    pub(crate) python: Option<String>,
    pub(crate) wanted: Vec<MissingArgument>,
    pub(crate) notes: Vec<String>,
}

/// They say how npx and uvx behave, and change nothing in what is installed or started.
const HARMLESS: [&str; 14] = [
    "-y",
    "--yes",
    "-q",
    "--quiet",
    "-v",
    "--verbose",
    "--no-progress",
    "-n",
    "--no-cache",
    "--refresh",
    "--isolated",
    "--no-config",
    "--ignore-scripts",
    "--",
];
/// Packages come from where npm and uv look by themselves.
const ELSEWHERE: [&str; 6] =
    ["--registry", "--index", "--index-url", "--default-index", "--extra-index-url", "-i"];

/// Whether npx and uvx take this word for themselves, and it changes nothing here.
pub(crate) fn is_harmless(word: &str) -> bool {
    HARMLESS.contains(&word)
}

/// How the package is started.
pub(crate) fn read(package: &Package, is_python: bool) -> Result<LauncherArguments, Error> {
    let mut launch = LauncherArguments {
        args: package.arguments.words.clone(),
        wanted: [&package.arguments, &package.runtime_arguments]
            .iter()
            .flat_map(|it| it.wanted.clone())
            .collect(),
        notes: [&package.arguments, &package.runtime_arguments]
            .iter()
            .flat_map(|it| it.notes.clone())
            .collect(),
        ..LauncherArguments::default()
    };
    let words = &package.runtime_arguments.words;
    if matches!(package.runtime.as_deref(), Some("node" | "python" | "python3")) {
        launch.runtime.clone_from(words);
        return Ok(launch);
    }
    let mut reader = Reader { package, is_python, launch, from: false };
    reader.all(words)?;
    Ok(reader.launch)
}

struct Reader<'a> {
    package: &'a Package,
    is_python: bool,
    launch: LauncherArguments,
    /// Whether the package was named by an option, so that the next word is its program.
    from: bool,
}

impl Reader<'_> {
    fn all(&mut self, words: &[String]) -> Result<(), Error> {
        let mut rest = words;
        while let Some((word, after)) = rest.split_first() {
            if !word.starts_with('-') {
                return self.command(rest);
            }
            let (option, joined) = match word.split_once('=') {
                Some((option, value)) if word.starts_with("--") => (option, Some(value)),
                _ => (word.as_str(), None),
            };
            if joined.is_none() && is_harmless(option) {
                rest = after;
                continue;
            }
            let value = joined.or(after.first().map(String::as_str));
            match (option, value) {
                ("--from", None) if self.is_python => return self.program_from_arguments(),
                ("-p" | "--package", None) if !self.is_python => return self.program_from_arguments(),
                ("--from", Some(value)) if self.is_python => self.package_named(value)?,
                ("-p" | "--package", Some(value)) if !self.is_python => self.package_named(value)?,
                ("--with", Some(value)) if self.is_python => self.with(value)?,
                ("-p" | "--python", Some(value)) if self.is_python => self.python(value)?,
                (it, Some(value)) if ELSEWHERE.contains(&it) => self.launch.notes.push(format!(
                    "{it} {} is left out: packages come from where npm and uv look by themselves",
                    quoted(value)
                )),
                _ => {
                    self.want(rest, "are for a program that Drydock does not run");
                    return Ok(());
                }
            }
            rest = if joined.is_some() { after } else { &after[1..] };
        }
        Ok(())
    }

    /// The first word that is no option: what npx or uvx would run, and all that follows is told to it.
    fn command(&mut self, words: &[String]) -> Result<(), Error> {
        let (command, after) = (&words[0], &words[1..]);
        if self.is_own(command) {
            // Named once more: npx and uvx run it under that name.
        } else if self.from && is_program(command) {
            self.launch.script = Some(command.clone());
        } else {
            let name = &self.package.identifier;
            self.want(words, &format!("would be run in place of {}: a publisher's mistake", quoted(name)));
            return Ok(());
        }
        // After a program of another name, the package itself may stand once more.
        let after = if after.first().is_some_and(|it| self.is_own(it)) { &after[1..] } else { after };
        self.launch.args.splice(0..0, after.iter().cloned());
        Ok(())
    }

    /// `--from` as the last word: the package itself follows, and its first argument is the program.
    fn program_from_arguments(&mut self) -> Result<(), Error> {
        match self.launch.args.first() {
            Some(first) if is_program(first) => self.launch.script = Some(self.launch.args.remove(0)),
            _ => {
                return Err(
                    self.wrong("end with the option before a program's name, and no argument names one")
                );
            }
        }
        Ok(())
    }

    /// A requirement that must be the package itself.
    fn package_named(&mut self, text: &str) -> Result<(), Error> {
        let version = self.package.version.as_deref();
        if !self.is_python {
            self.from = self.is_own(text);
            return if self.from { Ok(()) } else { Err(self.another(text)) };
        }
        let with_at = match text.rsplit_once('@') {
            Some((name, wanted)) => format!("{name}=={wanted}"),
            None => text.to_owned(),
        };
        let Some(found) = requirement(&with_at) else { return Err(self.another(text)) };
        let is_same = found.version.is_empty() || found.version.strip_prefix("==") == version;
        if normal(&found.name) != normal(&self.package.identifier) || !is_same {
            return Err(self.another(text));
        }
        self.launch.extras = found.extras;
        self.from = true;
        Ok(())
    }

    fn with(&mut self, text: &str) -> Result<(), Error> {
        for one in split_requirements(text) {
            let found = requirement(one).ok_or_else(|| {
                self.wrong(&format!("hold --with {}, which is no package of PyPI", quoted(one)))
            })?;
            self.launch.with.push(found);
        }
        Ok(())
    }

    fn python(&mut self, text: &str) -> Result<(), Error> {
        let version = text.trim_start_matches("cpython").trim_start_matches("python").trim_start_matches('@');
        let numbers: Vec<_> = version.split('.').collect();
        let whole = |it: &&str| (1..=2).contains(&it.len()) && it.bytes().all(|b| b.is_ascii_digit());
        match numbers.as_slice() {
            ["3"] => {}
            ["3", rest @ ..] if rest.len() <= 2 && rest.iter().all(whole) => {
                self.launch.python = Some(version.to_owned());
            }
            _ => {
                return Err(self
                    .wrong(&format!("ask for Python {}, and must name one version, as 3.13", quoted(text))));
            }
        }
        Ok(())
    }

    fn want(&mut self, words: &[String], why: &str) {
        let shown = quoted(&words.join(" "));
        let problem =
            format!("`runtimeArguments` of {} hold {shown}, which {why}", quoted(&self.package.identifier));
        self.launch.wanted.push(MissingArgument {
            flag: None,
            problem,
            example: words.to_vec(),
            description: None,
        });
    }

    fn wrong(&self, what: &str) -> Error {
        Error::new(format!("`runtimeArguments` of {} {what}", quoted(&self.package.identifier)))
    }

    fn another(&self, text: &str) -> Error {
        self.wrong(&format!("name {}, which is another package or version", quoted(text)))
    }

    /// `it`, `it==1.0.0`, `it@1.0.0`.
    fn is_own(&self, text: &str) -> bool {
        let (name, version) = (&self.package.identifier, self.package.version.as_deref().unwrap_or_default());
        let same = |it: &str| if self.is_python { normal(it) == normal(name) } else { it == name };
        let with = |between: &str| {
            text.strip_suffix(version).and_then(|it| it.strip_suffix(between)).is_some_and(same)
        };
        same(text) || with("==") || with("@")
    }
}

/// `a[b]>=1,<2,c` -> `a[b]>=1,<2` and `c`: a comma before a letter begins the next one.
fn split_requirements(text: &str) -> Vec<&str> {
    let (mut all, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 && text[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic()) => {
                all.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    all.push(&text[start..]);
    all
}

/// `name`, `name[extra,..]`, each with versions such as `==1.0` and `>=1,<2` or without; nothing for a URL, a path, an
/// option, a marker.
fn requirement(text: &str) -> Option<Requirement> {
    let end = text.find(|c: char| "[=<>!~".contains(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let (extras, version) = match rest.strip_prefix('[').map(|it| it.split_once(']')) {
        Some(found) => found?,
        None => ("", rest),
    };
    let extras: Vec<_> = extras.split(',').filter(|_| rest.starts_with('[')).map(str::to_owned).collect();
    let compared = |it: &str| {
        let number = ["==", "~=", ">=", "<=", "!=", ">", "<"].iter().find_map(|op| it.strip_prefix(op));
        number.is_some_and(is_exact_pypi)
    };
    let good = is_name(name)
        && extras.iter().all(|it| is_name(it))
        && (version.is_empty() || version.split(',').all(compared));
    good.then(|| Requirement { name: name.to_owned(), extras, version: version.to_owned() })
}

/// What PyPI calls a name.
fn is_name(text: &str) -> bool {
    let ends = |it: Option<char>| it.is_some_and(|it| it.is_ascii_alphanumeric());
    ends(text.chars().next()) && ends(text.chars().last()) && is_program(text)
}

/// A program's name, which is no path and no option.
fn is_program(text: &str) -> bool {
    let known = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    known && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// PyPI takes `a_b`, `A.b` and `a-b` for one.
fn normal(name: &str) -> String {
    let parts = name.split(['-', '_', '.']).filter(|it| !it.is_empty());
    parts.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_is_a_name_with_extras_and_versions_and_nothing_else() {
        let shown = |text| requirement(text).map(|it| it.to_string());
        for fine in ["it", "it[cli]", "it[a,b]==1.0", "it>=1,<2", "it~=1.2"] {
            assert_eq!(shown(fine).as_deref(), Some(fine));
        }
        for bad in [
            "",
            "-e",
            "--index-url",
            "it==",
            "it[",
            "it[]",
            "it]",
            "it @ file:///x",
            "git+https://example.com/x",
            "./it",
            "it==1.*",
            "it; python_version<'3'",
            "it\n--index-url",
            "it==1 --hash",
            "it=1",
            "a b",
        ] {
            assert_eq!(shown(bad), None, "{bad}");
        }
        assert_eq!(split_requirements("a[x,y]>=1,<2,b"), ["a[x,y]>=1,<2", "b"]);
    }
}
