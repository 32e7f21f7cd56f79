//! Whether the kernel has ended a process for want of memory.
//!
//! The container's control group -> a count that has grown, or not. Invariant: where nobody counts, none is told.

use std::fs;

/// Where a container finds the counter: version 2 of control groups, version 1.
const FILES: [&str; 2] = ["/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"];

/// What is said of a process that the kernel has ended so.
pub const OUT_OF_MEMORY: &str = "the kernel has ended it for want of memory";

/// What was counted when it was asked last.
///
/// ```
/// let mut kills = drydock_runtime::oom_kills::OomKills::new();
/// assert!(!kills.has_grown());
/// ```
#[derive(Debug)]
pub struct OomKills {
    counted: Option<u64>,
}

impl OomKills {
    /// Counts from now on.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it looks at the system")]
    pub fn new() -> Self {
        Self { counted: count() }
    }

    /// Whether a process was killed since this was asked last.
    pub fn has_grown(&mut self) -> bool {
        let before = std::mem::replace(&mut self.counted, count());
        self.counted > before
    }
}

fn count() -> Option<u64> {
    FILES.iter().find_map(|file| parse(&fs::read_to_string(file).ok()?))
}

fn parse(events: &str) -> Option<u64> {
    events.lines().find_map(|line| line.strip_prefix("oom_kill "))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_of_the_counter_are_read() {
        assert_eq!(parse("low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n"), Some(2));
        assert_eq!(parse("oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"), Some(1));
        assert_eq!(parse("oom_kill_disable 0\nunder_oom 0\n"), None);
    }

    #[test]
    fn it_tells_of_each_kill_once() {
        let mut kills = OomKills { counted: count().map(|it| it.saturating_sub(1)) };
        if count().is_some_and(|it| it > 0) {
            assert!(kills.has_grown());
        }
        assert!(!kills.has_grown());
    }
}
