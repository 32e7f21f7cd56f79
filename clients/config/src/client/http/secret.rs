//! Whether an address holds a secret: by the names of its values, and by what a key looks like.
//!
//! URL without its scheme -> the reason to refuse it. Invariant: the reason names a place and never the secret.

/// What holds a secret, word by word.
const SECRET_WORDS: [&str; 22] = [
    "key",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "token",
    "accesstoken",
    "authtoken",
    "apitoken",
    "secret",
    "clientsecret",
    "password",
    "passwd",
    "pwd",
    "auth",
    "bearer",
    "jwt",
    "credential",
    "credentials",
    "signature",
    "sig",
    "apisecret",
];

/// How the keys of well-known services begin.
const KEY_BEGINNINGS: [&str; 24] = [
    "sk-",
    "sk_",
    "pk_",
    "rk_",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "xapp-",
    "AKIA",
    "ASIA",
    "AIza",
    "eyJ",
    "hf_",
    "npm_",
    "pypi-",
    "dckr_pat_",
    "lin_api_",
];

/// Fewer letters and digits than this in a row are a name, or a number.
const MIN_KEY: usize = 20;

/// Whether something of that name probably holds a secret, as `api_key`, `--auth-token`, `PASSWORD` do.
pub fn sounds_secret(name: &str) -> bool {
    let words = name.to_ascii_lowercase();
    let mut words = words.split(|it: char| !it.is_ascii_alphanumeric());
    words.any(|word| SECRET_WORDS.contains(&word))
}

/// Where the secret is, as in ``gives a value to `api_key` ``; `rest` is what follows the host.
pub(super) fn find(rest: &str) -> Option<String> {
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path: Vec<_> = path.split(['/', ';']).map(decoded).collect();
    let values: Vec<_> = [query, fragment].iter().flat_map(|it| it.split(['&', ';'])).map(decoded).collect();
    let given = |(name, value): (&str, &str)| {
        (sounds_secret(name) && !value.is_empty())
            .then(|| format!("gives a value to `{}`", name.escape_debug()))
    };
    let named = values.iter().chain(&path).find_map(|it| given(it.split_once('=')?));
    let in_path = || {
        let pairs = path.iter().zip(path.iter().skip(1));
        pairs.filter(|(_, value)| is_mixed(value)).find_map(|(name, value)| given((name, value)))
    };
    let looks = |all: &[String], place: &str| {
        let key = |it: &String| looks_like_key(it.split_once('=').map_or(it.as_str(), |it| it.1));
        all.iter().any(key).then(|| format!("has something in its {place} that looks like a key"))
    };
    named.or_else(in_path).or_else(|| looks(&path, "path")).or_else(|| looks(&values, "query or fragment"))
}

/// Eight characters and more, letters and digits: no word.
fn is_mixed(value: &str) -> bool {
    value.len() >= 8 && has(value, |it| it.is_ascii_digit()) && has(value, |it| it.is_ascii_alphabetic())
}

fn looks_like_key(text: &str) -> bool {
    let begins = KEY_BEGINNINGS.iter().any(|it| text.starts_with(it) && text.len() >= it.len() + 5);
    let mut runs = text.split(|it: char| !it.is_ascii_alphanumeric());
    begins || runs.any(|it| it.len() >= MIN_KEY && is_mixed(it))
}

fn has(text: &str, what: impl Fn(char) -> bool) -> bool {
    text.chars().any(what)
}

/// `%2D` is a hyphen. What is no such code stays.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = (byte == b'%').then(|| after.get(..2)).flatten();
        let code = code.and_then(|it| u8::from_str_radix(std::str::from_utf8(it).ok()?, 16).ok());
        bytes.push(code.unwrap_or(byte));
        rest = code.map_or(after, |_| &after[2..]);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
