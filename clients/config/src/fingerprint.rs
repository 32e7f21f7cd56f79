//! A short name for bytes, by which they are known again.
//!
//! Bytes -> 16 hexadecimal digits, the same on every machine and in every version: ledgers and the names of temporary files
//! hold them. (So no crate: `rustc-hash`, which has the same design, may change its results.) Invariant: nothing depends on
//! its being hard to forge: who can write the file can write its fingerprint, too.

/// Eight bytes a step: files of 10 MB are named in a debug build, too.
pub(crate) fn fingerprint(bytes: &[u8]) -> String {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let mut hash = bytes.len() as u64;
    for word in words.iter().chain([&last]) {
        hash = (hash.rotate_left(5) ^ u64::from_le_bytes(*word)).wrapping_mul(0x517C_C1B7_2722_0A95);
    }
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_for_the_same_bytes_only() {
        let all =
            [&b""[..], b"\0", b"\0\0", b"a", b"a\0", b"{\"mcpServers\": {}}", b"{\"mcpServers\": {}}\n"];
        let names: std::collections::BTreeSet<_> = all.iter().map(|it| fingerprint(it)).collect();
        assert_eq!(names.len(), all.len());
        assert!(names.iter().all(|it| it.len() == 16), "{names:?}");
    }

    /// What version 0.1.0 has written into ledgers.
    #[test]
    fn it_never_changes() {
        assert_eq!(fingerprint(b"{\"mcpServers\": {}}"), "5772b403a23a530e");
    }
}
