//! Names in an archive, and where links lead.
//!
//! Bytes -> a path without detours, or why it is none. Pure. Invariant: a path of ours holds no empty component, no `.`, no
//! `..` and no NUL, and begins with no slash.

/// The longest path that Linux takes, in bytes.
const MAX_PATH: usize = 4096;

/// A file's own path, as `a/b`; empty for the top.
pub(crate) fn normalize(name: &[u8]) -> Result<Vec<u8>, &'static str> {
    if name.len() > MAX_PATH {
        return Err("its path is too long");
    }
    if name.contains(&0) {
        return Err("its path holds a NUL");
    }
    if name.starts_with(b"/") {
        return Err("its path is absolute");
    }
    let mut all = Vec::new();
    for part in parts(name) {
        if part == b".." {
            return Err("its path holds `..`");
        }
        all.push(part);
    }
    Ok(all.join(b"/".as_slice()))
}

/// Where a symbolic link at `path` leads: a path from the top. Only `..` at the beginning is followed: behind a name, which
/// may be another link, it could lead anywhere.
pub(super) fn resolve(path: &[u8], target: &[u8]) -> Result<Vec<u8>, &'static str> {
    if target.is_empty() || target.contains(&0) || target.len() > MAX_PATH {
        return Err("is a link that leads nowhere");
    }
    let start: &[u8] = if target.starts_with(b"/") { b"" } else { parent(path) };
    let (mut all, mut may_go_up) = (parts(start).collect::<Vec<_>>(), true);
    for part in parts(target) {
        if part != b".." {
            may_go_up = false;
            all.push(part);
        } else if !may_go_up {
            return Err("is a link with `..` behind a name");
        } else if all.pop().is_none() {
            return Err("is a link that leads out");
        }
    }
    Ok(all.join(b"/".as_slice()))
}

/// Without the last component.
pub(super) fn parent(path: &[u8]) -> &[u8] {
    let slash = path.iter().rposition(|it| *it == b'/');
    slash.map_or(b"", |it| &path[..it])
}

/// The paths of the folders that this one is in, from the top on.
pub(super) fn ancestors(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| &path[..at])
}

/// Two paths in one, either of which may be empty.
pub(super) fn join(folder: &[u8], path: &[u8]) -> Vec<u8> {
    match (folder, path) {
        (b"", it) | (it, b"") => it.to_vec(),
        _ => [folder, b"/", path].concat(),
    }
}

/// What is left of a path below this folder; empty for the folder itself, nothing for what is elsewhere.
pub(super) fn below<'p>(path: &'p [u8], folder: &[u8]) -> Option<&'p [u8]> {
    match path.strip_prefix(folder)? {
        rest if folder.is_empty() || rest.is_empty() => Some(rest),
        rest => rest.strip_prefix(b"/"),
    }
}

fn parts(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|it| *it == b'/').filter(|it| !it.is_empty() && *it != b".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_no_detours() {
        for (name, expected) in [("./a//b/./c/", "a/b/c"), ("./", ""), ("a/..b/c..", "a/..b/c..")] {
            assert_eq!(normalize(name.as_bytes()), Ok(expected.into()), "{name}");
        }
        assert_eq!(normalize(b"a/\xff"), Ok(b"a/\xff".to_vec()), "a name need not be UTF-8");
        for name in ["/a", "a/../b", "..", "a\0b", &"a/".repeat(2049)] {
            assert!(normalize(name.as_bytes()).is_err(), "{name}");
        }
    }

    #[test]
    fn links_are_followed_from_where_they_are() {
        for (path, target, expected) in [
            ("app/node_modules/.bin/it", "../it/cli.js", Some("app/node_modules/it/cli.js")),
            ("app/it", ".././x", Some("x")),
            ("app/it", "..", Some("")),
            ("app/it", "/app//x/", Some("app/x")),
            ("it", ".", Some("")),
            ("app/it", "../../x", None),
            ("app/it", "x/../y", None),
            ("app/it", "/app/../etc", None),
            ("app/it", "/..", None),
            ("app/it", "", None),
            ("app/it", "x\0", None),
        ] {
            let found = resolve(path.as_bytes(), target.as_bytes()).ok();
            assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{path} -> {target}");
        }
    }

    #[test]
    fn folders_end_at_slashes() {
        assert_eq!(below(b"out/a", b"out"), Some(b"a".as_slice()));
        assert_eq!(below(b"out", b"out"), Some(b"".as_slice()));
        assert_eq!(below(b"outer/a", b"out"), None);
        assert_eq!(below(b"a/b", b""), Some(b"a/b".as_slice()));
        assert_eq!(ancestors(b"a/b/c").collect::<Vec<_>>(), [b"a".as_slice(), b"a/b"]);
        assert_eq!((parent(b"a/b/c"), parent(b"a")), (b"a/b".as_slice(), b"".as_slice()));
        assert_eq!(
            (join(b"", b"a"), join(b"a", b""), join(b"a", b"b")),
            (b"a".into(), b"a".into(), b"a/b".into())
        );
    }
}
