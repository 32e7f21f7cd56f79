//! Takes entries out.
//!
//! Old bytes + ledger + names -> new bytes, and what happened to each. Invariant: what an entry of ours had replaced is
//! back, an entry that another client has from us stays, and what is unmanaged goes by force only.

use std::path::Path;

use drydock_edit as edit;

use super::refusal::Operation;
use super::{Change, ChangeOptions, ClientConfigFile, EntryAction, Outcome};
use crate::error::Result;
use crate::ledger::Ledger;

impl ClientConfigFile<'_> {
    /// Takes entries out; a second time it changes nothing. `state` is the folder with the ledger and the backups.
    ///
    /// # Errors
    /// [`Unmanaged`](crate::ErrorKind::Unmanaged) for an entry that is not managed by Drydock when `force` was not given,
    /// [`Modified`](crate::ErrorKind::Modified) for one of ours that leads elsewhere by now, and as
    /// [`install`](Self::install).
    pub fn uninstall(&self, state: &Path, names: &[String], options: ChangeOptions) -> Result<Outcome> {
        let work = |old: Option<&[u8]>, ledger: &mut Ledger, _| self.take(old, ledger, names, options);
        self.change(state, options, work)
            .map_err(|err| self.named(err, Operation::Remove, names.iter().map(String::as_str)))
    }

    fn take(
        &self,
        old: Option<&[u8]>,
        ledger: &mut Ledger,
        names: &[String],
        options: ChangeOptions,
    ) -> Result<Change> {
        let mut bytes = old.map(<[u8]>::to_vec);
        let mut actions = Vec::new();
        let named = |name: &str| names.iter().any(|it| it == name);
        let present = self.relevant_entries(old, ledger, named, Operation::Remove)?;
        for name in names {
            let found = present.iter().find(|(it, _)| it == name).map(|(_, value)| value);
            let ours = self.ours(ledger, name, found).cloned();
            if let Some(left) = ours.as_ref().and_then(|it| it.without(&self.client.id)) {
                let others = left.clients().map(str::to_owned).collect();
                actions.push((name.clone(), EntryAction::Kept(others)));
                ledger.record(left);
                continue;
            }
            let known = ledger.find(&self.real, self.servers.at, name).is_some();
            let is_other = known && found.is_some();
            if found.is_some() && ours.is_none() && !known && !options.force {
                return Err(self.unmanaged(name, &[]));
            }
            if let (Some(ours), Some(found)) = (&ours, found) {
                self.check_whole(ours, found, options, Operation::Remove)?;
            }
            let removable = found.is_some() && (ours.is_some() || options.force);
            let replaced = ours.as_ref().and_then(|it| it.replaced.as_deref());
            if let (true, Some(now)) = (removable, &bytes) {
                let parents = ledger.created_parents(&self.real);
                bytes = edit::remove(now, self.servers, name, parents, replaced)
                    .map_err(|err| self.refused(err, Operation::Remove))?;
            }
            let changed = ours.as_ref().zip(found).map(|(it, found)| it.differences(found));
            let action = match (removable, replaced, changed.unwrap_or_default()) {
                (false, _, _) if is_other => EntryAction::LeftUnmanaged,
                (false, _, _) => EntryAction::AlreadyAbsent,
                (true, Some(_), _) => EntryAction::Restored,
                (true, None, changed) if changed.is_empty() => EntryAction::Removed,
                (true, None, changed) => EntryAction::RemovedWith(changed),
            };
            ledger.forget(&self.real, self.servers.at, name);
            actions.push((name.clone(), action));
        }
        Ok((bytes, actions))
    }
}
