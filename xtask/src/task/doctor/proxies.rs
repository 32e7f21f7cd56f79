//! `doctor`: which proxies and certificates reach what.
//!
//! Environment + engine -> findings; none where no proxy and no certificate is set. Invariant: names alone are shown: a value
//! may hold a password.

use drydock_engine::proxies::{Proxies, settings_file};
use drydock_engine::{Cli, docker_args};

use super::Finding;

/// Where a shell says which certificates to trust besides: a company's own.
const CERTIFICATES: [&str; 6] = [
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "CURL_CA_BUNDLE",
];

pub(super) fn all(cli: Option<&Cli>) -> Vec<Finding> {
    let Some(cli) = cli else { return Vec::new() }; // plain processes have what their client has
    let proxies = Proxies::here(cli);
    let mut all = Vec::new();
    if !(proxies.of_shell().is_empty() && proxies.of_engine().is_empty()) {
        all.push(builds(cli, &proxies));
        all.push(containers(cli, &proxies));
        all.extend(pulls(cli));
    }
    all.extend(certificates(|name| std::env::var_os(name).is_some_and(|it| !it.is_empty())));
    all
}

fn builds(cli: &Cli, proxies: &Proxies) -> Finding {
    const CHECK: &str = "proxies of builds";
    let (own, given) = (proxies.of_engine(), proxies.for_builds());
    if cli.name == "podman" {
        return Finding::ok(CHECK, "podman hands the shell's to builds itself");
    }
    if !own.is_empty() {
        return Finding::ok(CHECK, format!("{}'s own settings: {}", cli.name, own.join(", ")));
    }
    if !given.is_empty() {
        return Finding::ok(CHECK, format!("the shell's {}", given.join(", ")));
    }
    let found = match proxies.on_loopback().as_slice() {
        [] => format!("none: the shell's {} are not handed on", proxies.of_shell().join(", ")),
        names => format!("none: only this machine itself can reach what {} leads to", names.join(", ")),
    };
    Finding::note(CHECK, found, settings(cli))
}

fn containers(cli: &Cli, proxies: &Proxies) -> Finding {
    const CHECK: &str = "proxies of containers";
    let own = proxies.of_engine();
    if cli.name == "podman" {
        return Finding::ok(CHECK, "podman hands the shell's to containers itself");
    }
    if !own.is_empty() {
        let found = format!("{}'s own settings: {}; sessions have them, too", cli.name, own.join(", "));
        return Finding::ok(CHECK, found);
    }
    let names = proxies.of_shell().join(", ");
    Finding::note(
        CHECK,
        format!("none: the shell's {names} reach no container, and no session in one"),
        settings(cli),
    )
}

/// How docker is told a proxy for builds and containers.
fn settings(cli: &Cli) -> String {
    let file = settings_file().map_or_else(|| "its config.json".to_owned(), |it| it.display().to_string());
    format!(
        "write an address that containers can reach as `proxies` into {file} ({} gives it to builds and containers), then \
         `cargo xtask up`; docs/networks.md",
        cli.name
    )
}

/// The engine pulls base images itself, wherever it runs.
fn pulls(cli: &Cli) -> Option<Finding> {
    const CHECK: &str = "proxies of pulls";
    if cli.name != "docker" {
        return None;
    }
    let output = cli.output_with_timeout(&docker_args::info_proxies()).ok()?;
    if !output.status.success() {
        return None;
    }
    Some(if output.stdout.trim_ascii().is_empty() {
        let fix = "where base images cannot be pulled: `proxies` in the engine's daemon.json (Docker 23), or HTTPS_PROXY in the \
                   environment of its service";
        Finding::note(CHECK, "none: the engine itself, which pulls base images, has none", fix)
    } else {
        Finding::ok(CHECK, "the engine itself has its own")
    })
}

fn certificates(is_set: impl Fn(&str) -> bool) -> Option<Finding> {
    let names: Vec<_> = CERTIFICATES.into_iter().filter(|it| is_set(it)).collect();
    if names.is_empty() {
        return None;
    }
    let found = format!("{}: what is built or runs in the engine does not have it", names.join(", "));
    let fix = "where a company's own certificate is needed: base images that trust it, in NODE_IMAGE and PYTHON_IMAGE; \
               docs/networks.md";
    Some(Finding::note("certificates", found, fix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_of_the_shell_are_named() {
        assert!(certificates(|_| false).is_none());
        let finding = certificates(|it| ["SSL_CERT_FILE", "PIP_CERT"].contains(&it)).unwrap();
        assert_eq!(
            finding.found,
            "SSL_CERT_FILE, PIP_CERT: what is built or runs in the engine does not have it"
        );
    }
}
