//! A short name for bytes, by which they are known again.
//!
//! Bytes -> 16 hexadecimal digits. Invariant: nothing depends on its being hard to forge, or on its staying the same from
//! one version of Drydock to the next: bytes that are not known again count as changed by somebody.

use std::hash::Hasher;

use rustc_hash::FxHasher;

/// The hash of rustc's tables, eight bytes a step: files of 10 MB are named in a debug build, too.
pub(crate) fn fingerprint(bytes: &[u8]) -> String {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_for_the_same_bytes_only() {
        assert_eq!(fingerprint(b"{\"mcpServers\": {}}"), fingerprint(b"{\"mcpServers\": {}}"));
        let all =
            [&b""[..], b"\0", b"\0\0", b"a", b"a\0", b"{\"mcpServers\": {}}", b"{\"mcpServers\": {}}\n"];
        let names: std::collections::BTreeSet<_> = all.iter().map(|it| fingerprint(it)).collect();
        assert_eq!(names.len(), all.len());
        assert!(names.iter().all(|it| it.len() == 16), "{names:?}");
    }
}
