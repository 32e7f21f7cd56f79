//! Archives for tests, made header by header: also such as no engine writes.

use tar::Header;

pub(crate) struct Raw<'a> {
    pub(crate) kind: u8,
    pub(crate) path: &'a [u8],
    pub(crate) target: &'a [u8],
    pub(crate) mode: u32,
    pub(crate) content: &'a [u8],
}

pub(crate) const FILE: Raw<'_> =
    Raw { kind: b'0', path: b"out/app/it", target: b"", mode: 0o644, content: b"abc" };

pub(crate) fn folder(path: &str) -> Raw<'_> {
    Raw { kind: b'5', path: path.as_bytes(), mode: 0o755, content: b"", ..FILE }
}

pub(crate) fn file(path: &str) -> Raw<'_> {
    Raw { path: path.as_bytes(), ..FILE }
}

pub(crate) fn link<'a>(kind: u8, path: &'a str, target: &'a str) -> Raw<'a> {
    Raw { kind, path: path.as_bytes(), target: target.as_bytes(), content: b"", ..FILE }
}

pub(crate) fn symlink<'a>(path: &'a str, target: &'a str) -> Raw<'a> {
    link(b'2', path, target)
}

pub(crate) fn extension<'a>(kind: u8, content: &'a [u8]) -> Raw<'a> {
    Raw { kind, path: b"extension", content, ..FILE }
}

/// `LENGTH KEY=VALUE`.
pub(crate) fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = [b" ", key.as_bytes(), b"=", value, b"\n"].concat();
    let length = (1..).find(|it: &usize| it.to_string().len() + rest.len() == *it).unwrap();
    [length.to_string().as_bytes(), &rest].concat()
}

pub(crate) fn archive(entries: &[Raw<'_>]) -> Vec<u8> {
    let mut all = Vec::new();
    for it in entries {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..it.path.len()].copy_from_slice(it.path);
        header.as_old_mut().linkname[..it.target.len()].copy_from_slice(it.target);
        header.as_old_mut().linkflag[0] = it.kind;
        header.set_mode(it.mode);
        header.set_uid(65_532);
        header.set_gid(65_532);
        header.set_mtime(1_700_000_000);
        header.set_size(it.content.len() as u64);
        header.set_cksum();
        all.extend_from_slice(header.as_bytes());
        all.extend_from_slice(it.content);
        all.resize(all.len().next_multiple_of(512), 0);
    }
    all.resize(all.len() + 1024, 0);
    all
}
