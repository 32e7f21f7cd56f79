//! What the registries of packages take for one exact version.
//!
//! Text -> yes or no. Invariant: nothing that npm or a Python installer would read as a range, a tag or a pattern passes.

/// `1.2.3`, `1.2.3-rc.1`, `1.2.3+b4`: `1.2` and `2025` are ranges for npm, and words are tags.
pub(super) fn is_exact_npm(text: &str) -> bool {
    let (text, build) = text.split_once('+').map_or((text, None), |(text, build)| (text, Some(build)));
    let (core, before) = text.split_once('-').map_or((text, None), |(core, before)| (core, Some(before)));
    let numbers: Vec<_> = core.split('.').collect();
    let tail = |it: Option<&str>| it.is_none_or(|it| it.split('.').all(is_identifier));
    let whole = |it: &&str| !it.is_empty() && it.len() <= 15 && it.bytes().all(|b| b.is_ascii_digit());
    let no_zero = |it: &&str| *it == "0" || !it.starts_with('0');
    let is_release = numbers.len() == 3 && numbers.iter().all(|it| whole(it) && no_zero(it));
    let before_is_plain = before.is_none_or(|it| it.split('.').all(|it| !whole(&it) || no_zero(&it)));
    is_release && tail(before) && before_is_plain && tail(build)
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// PEP 440, in any of its spellings: `1.2`, `2025.1.post2`, `1!2.0rc1`, `1.0.0-beta.2+local.1`. `1.*` is a pattern.
pub(crate) fn is_exact_pypi(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let (text, local) = text.split_once('+').map_or((text.as_str(), None), |(text, it)| (text, Some(it)));
    let plain = |it: &str| !it.is_empty() && it.bytes().all(|b| b.is_ascii_alphanumeric());
    if local.is_some_and(|it| !it.split(['.', '-', '_']).all(plain)) {
        return false;
    }
    let text = text.strip_prefix('v').unwrap_or(text);
    let text = match text.split_once('!') {
        Some((epoch, rest)) if digits(epoch) == Some("") => rest,
        Some(_) => return false,
        None => text,
    };
    let Some(mut rest) = digits(text) else { return false };
    while let Some(more) = rest.strip_prefix('.').and_then(digits) {
        rest = more;
    }
    rest = part(rest, &["alpha", "beta", "preview", "pre", "rc", "a", "b", "c"]);
    rest = match rest.strip_prefix('-').and_then(digits) {
        Some(more) => more,
        None => part(rest, &["post", "rev", "r"]),
    };
    part(rest, &["dev"]).is_empty()
}

/// What follows digits.
fn digits(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    (rest.len() < text.len()).then_some(rest)
}

/// What follows one of these words and its number; the text itself where none of them begins it.
fn part<'a>(text: &'a str, words: &[&str]) -> &'a str {
    let separated = |it: &'a str| it.strip_prefix(['.', '-', '_']).unwrap_or(it);
    let Some(rest) = words.iter().find_map(|it| separated(text).strip_prefix(it)) else { return text };
    digits(separated(rest)).unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn npm_takes_three_numbers_for_one_version_and_all_else_for_a_range_or_a_tag() {
        for fine in [
            "1.2.3",
            "0.0.1",
            "1.2.3-rc.1",
            "3.0.0-prerelease.2",
            "1.2.3+b4",
            "1.2.3-a-b.0+001",
            "2025.11.25",
        ] {
            assert!(is_exact_npm(fine), "{fine}");
        }
        for bad in [
            "1.2",
            "2025",
            "next",
            "latest",
            "1",
            "^1.2.3",
            "~1.2.3",
            "1.x",
            "1.2.x",
            "*",
            "",
            "v1.2.3",
            "=1.2.3",
            ">=1.2.3",
            "1.2.3 || 2.0.0",
            "1.2.3.4",
            "01.2.3",
            "1.2.3-",
            "1.2.3-01",
            "1.2.3+",
            "1..3",
            "1.2.3-a..b",
            "<<Version>>",
            "{{VERSION}}",
            "$VERSION",
            "file:../x",
            "npm:other@1.0.0",
            "1.2.3 ",
        ] {
            assert!(!is_exact_npm(bad), "{bad}");
        }
    }

    #[test]
    fn pypi_takes_what_pep_440_calls_a_version() {
        for fine in [
            "1",
            "1.2",
            "2025",
            "1.2.3.4",
            "1.0rc1",
            "1.0.0-beta.2",
            "1.0a",
            "1!2.0",
            "1.0.post1",
            "1.0-1",
            "1.0.dev3",
            "1.0rc1.post2.dev3",
            "v1.0",
            "1.0+local.1",
            "2.4.1rc1",
            "0.1.13",
        ] {
            assert!(is_exact_pypi(fine), "{fine}");
        }
        for bad in [
            "",
            "next",
            "latest",
            "1.*",
            "1.x",
            "^1",
            "~=1.0",
            ">=1",
            "1.",
            ".1",
            "1.0rc1x",
            "1.0+",
            "!1",
            "1,2",
            "1.0;x",
            "$VERSION",
            "<<Version>>",
            "1.0 ",
            "1.0-",
            "stable",
        ] {
            assert!(!is_exact_pypi(bad), "{bad}");
        }
    }
}
