//! Connects to a server, directly or as a client's entry has it, and lists its tools.
//!
//! Target -> `CheckResult`. Invariant: with a client's entry exactly what stands in that client's file is started, in the
//! environment that the client gives it; what somebody else wrote there only when the person has agreed.

mod environment;
pub(crate) mod targets;

use std::time::Instant;

use anyhow::{Error, Result};
use drydock_catalog::Server;
use drydock_config::client::{Scope, Transport};
use serde::Serialize;

use self::environment::Lack;
use self::targets::CheckTarget;
use crate::connect::{self, Connect, Failure, Options, Protocol, ServerInfo};
use crate::hint::hints;
use crate::ops::missing_grant;
use crate::ops::preflight::{self, UnmetRequirement};
use crate::ops::reinstall;
use crate::workspace::Workspace;

/// How one check went. The field names are promised.
#[derive(Debug, Default, Serialize)]
pub(crate) struct CheckResult {
    /// The server, or the entry where no server of ours stands behind it.
    pub(crate) name: String,
    /// The client whose entry was started; nothing when we went in ourselves.
    pub(crate) client: Option<String>,
    pub(crate) scope: Option<Scope>,
    pub(crate) entry: Option<String>,
    pub(crate) ok: bool,
    /// `name` and `version`, as the server says.
    pub(crate) server: Option<ServerInfo>,
    /// `version`, and `lifecycle`: `discover` or `initialize`.
    pub(crate) protocol: Option<Protocol>,
    pub(crate) tool_names: Vec<String>,
    /// The wait, in milliseconds: from the start of the command to the whole list, with a first try that failed; of a check
    /// that fails, until that is known.
    pub(crate) ms: Option<f64>,
    /// `kind`, `step`, `reason`, `message` (for people), `hint`, `stderr`.
    pub(crate) error: Option<Failure>,
    /// Why the client may not use the entry, or not all of it, although it answers.
    pub(crate) notes: Vec<String>,
}

/// One handshake and tool list.
pub(crate) fn check(
    ws: &Workspace,
    connect: &Connect,
    options: &Options,
    target: CheckTarget,
) -> Result<CheckResult> {
    let result = CheckResult {
        name: target.name,
        client: target.client,
        scope: target.scope,
        entry: target.entry,
        notes: target.notes,
        ..CheckResult::default()
    };
    if let Some(err) = target.refusal {
        return Ok(CheckResult { error: Some(not_started("not-as-written", &err)), ..result });
    }
    let transport = match target.transport {
        Ok(transport) => transport,
        Err(err) => return Ok(CheckResult { error: Some(not_started("cannot-start", &err)), ..result }),
    };
    let begun = Instant::now();
    let report = connect.check(&transport, options)?;
    let mut error = report.error;
    if let Some(error) = &mut error {
        let blocker = find_blocker(ws, &transport, result.client.is_some(), target.server.as_ref());
        let blocker = match (blocker, target.through.as_deref()) {
            (None, Some(client)) => find_lack(connect, options, &transport)?.map(|lack| UnmetRequirement {
                what: lack.cause(client.name()),
                fix: Some(lack.cure(result.scope, &target.reinstall)),
            }),
            (blocker, _) => blocker,
        };
        explain(error, blocker, target.repair);
        if let Some(server) = &target.server {
            advise_grant(ws, server, begun, error);
        }
    }
    let long = target.through.zip(result.entry.as_ref());
    let long = long.and_then(|(client, entry)| client.long_tool_names(entry, &report.tool_names));
    let again = report.first_try.map(|it| format!("the server was asked twice, from the start: {it}"));
    let long = long.map(|it| format!("{} ({})", it.what, it.fix));
    let notes = result.notes.iter().cloned().chain(again).chain(long);
    Ok(CheckResult {
        notes: notes.collect(),
        ok: report.ok,
        server: report.server,
        protocol: report.protocol,
        tool_names: report.tool_names,
        ms: Some(tenths(if report.ok {
            report.ms.values().sum()
        } else {
            begun.elapsed().as_secs_f64() * 1e3
        })),
        error,
        ..result
    })
}

/// Where a grant is missing, the hint says which; of a server that hangs, its log says it.
fn advise_grant(ws: &Workspace, server: &Server, begun: Instant, error: &mut Failure) {
    if error.hint.is_none() {
        let said = format!("{}\n{}", error.message, error.stderr.join("\n"));
        error.hint = missing_grant::advice(ws, server, &said);
    }
    if error.kind == "timeout" {
        error.hint = missing_grant::advice_by_log(ws, server, begun).or(error.hint.take());
    }
}

/// As in `90.8`: a sum of such numbers is not one.
fn tenths(ms: f64) -> f64 {
    (ms * 10.0).round() / 10.0
}

/// What the client keeps from the server, if it answers with that.
fn find_lack(connect: &Connect, options: &Options, transport: &Transport) -> Result<Option<Lack>> {
    let Transport::Stdio(launch) = transport else { return Ok(None) };
    let Some(lack) = Lack::of(launch) else { return Ok(None) };
    let complete = connect.check(&Transport::Stdio(lack.complete.clone()), options)?;
    Ok(complete.ok.then_some(lack))
}

fn not_started(kind: &str, err: &Error) -> Failure {
    let reason = format!("{err:#}");
    Failure {
        kind: kind.to_owned(),
        step: "start".to_owned(),
        message: reason.clone(),
        reason,
        hint: hints(err).first().cloned(),
        stderr: Vec::new(),
    }
}

/// Puts what we know better in the place of what our client saw.
fn explain(error: &mut Failure, blocker: Option<UnmetRequirement>, repair: Option<String>) {
    let fix = blocker.as_ref().and_then(|it| it.fix.clone());
    if let Some(blocker) = blocker {
        (error.reason, error.hint) = (blocker.what, None);
        error.message = error.reason.clone();
    }
    let hints: Vec<_> = fix.into_iter().chain(repair).collect();
    if !hints.is_empty() {
        error.hint = Some(hints.join("; "));
    }
}

/// What the engine knows better than our client: the entry's own container is missing, or the server's is not well.
fn find_blocker(
    ws: &Workspace,
    transport: &Transport,
    is_entry: bool,
    server: Option<&Server>,
) -> Option<UnmetRequirement> {
    if let Transport::Stdio(launch) = transport
        && is_entry
    {
        let blocker = preflight::find_blocker(ws, &ws.engine(), None, launch);
        if blocker.is_some() || reinstall::container(launch).is_none() {
            return blocker;
        }
    }
    let (what, fix) = connect::diagnose(ws, server?)?;
    Some(UnmetRequirement { what, fix: Some(fix) })
}

impl CheckResult {
    /// As in `cursor, user`, or `directly`.
    pub(crate) fn through(&self) -> String {
        match (&self.client, self.scope, &self.entry) {
            (Some(client), Some(scope), Some(entry)) if *entry == self.name => format!("{client}, {scope}"),
            (Some(client), Some(scope), Some(entry)) => format!("{client}, {scope}: {entry}"),
            _ => "directly".to_owned(),
        }
    }
}
