//! The connections of one client: TLS, time-outs, proxies, and names that lead to no forbidden address.
//!
//! A URL -> a client of reqwest that may be asked for it. Invariant: what connects by itself sees only the addresses that the
//! rules let through, so that no second look-up can lead elsewhere; what a proxy of the environment connects to, the proxy
//! decides.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Url, redirect};
use rustls::{ClientConfig, RootCertStore};

use super::addresses::AddressRules;
use super::failure::{Failure, causes};
use crate::log;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Name -> addresses, without a port.
pub(super) type LookUp = fn(String) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Nothing of it is made before the first request.
pub(super) struct Connections {
    resolver: Resolver,
    direct: OnceLock<Result<Client, Failure>>,
    /// As reqwest reads them from the environment.
    proxies: OnceLock<Matcher>,
    proxied: OnceLock<Result<Client, Failure>>,
}

impl Connections {
    pub(super) fn new(rules: AddressRules, look_up: LookUp) -> Self {
        let resolver = Resolver { rules, look_up };
        Self { resolver, direct: OnceLock::new(), proxies: OnceLock::new(), proxied: OnceLock::new() }
    }

    /// What may be asked for this URL, and for no other: it is redirected nowhere.
    pub(super) fn client(&self, url: &Url) -> Result<&Client, Failure> {
        self.resolver.rules.check_host(url.host_str().unwrap_or_default())?;
        let target = url.as_str().parse::<::http::Uri>().map_err(|e| Failure::unusable(&e.to_string()))?;
        let client = if self.proxies.get_or_init(Matcher::from_system).intercept(&target).is_some() {
            // The proxy's own name may be a private one: who set the variable chose it.
            self.proxied.get_or_init(|| build(|it| it))
        } else {
            let resolver = self.resolver.clone();
            self.direct.get_or_init(|| build(|it| it.no_proxy().dns_resolver(resolver)))
        };
        client.as_ref().map_err(Clone::clone)
    }
}

#[derive(Clone)]
struct Resolver {
    rules: AddressRules,
    look_up: LookUp,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (rules, found) = (self.rules.clone(), (self.look_up)(name.as_str().to_owned()));
        Box::pin(async move {
            let mut found = found.await?;
            let mut forbidden = None;
            found.retain(|it| rules.check(it.ip()).map_err(|why| *forbidden.get_or_insert(why)).is_ok());
            match forbidden {
                Some(why) if found.is_empty() => Err(why.into()),
                _ => Ok(Box::new(found.into_iter()) as Addrs),
            }
        })
    }
}

/// Asks the system, as everything else on this machine does.
pub(super) fn system_look_up(
    name: String,
) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>> {
    Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
}

fn build(resolve: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder) -> Result<Client, Failure> {
    static TLS: OnceLock<Result<ClientConfig, Failure>> = OnceLock::new();
    let builder = Client::builder()
        .tls_backend_preconfigured(TLS.get_or_init(tls).clone()?)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(redirect::Policy::none());
    resolve(builder).build().map_err(|e| Failure::unusable(&causes(&e)))
}

/// It trusts the system's certificates, and the built-in ones where there are none, as in a scratch image.
fn tls() -> Result<ClientConfig, Failure> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(system.certs);
    for error in system.errors {
        log::warn(&format!("the system's certificates: {error}"));
    }
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| Failure::unusable(&format!("there is no TLS: {e}")))?;
    Ok(tls.with_root_certificates(roots).with_no_client_auth())
}
