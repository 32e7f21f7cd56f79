//! Our entry, brought up to date.
//!
//! Tree + entry as it was written + entry as it should be -> splices. Invariant: a field that we do not write stays,
//! and so does one that we wrote once and somebody has changed since.

use jsonc_parser::ast::Object;
use jsonc_parser::common::Ranged;
use serde_json::Value;

use super::nodes::{member, value};
use super::splice;
use super::style::Style;
use crate::text::Splice;
use crate::{Entry, Result};

/// The file that the entry is in.
pub(super) struct Scene<'a> {
    pub(super) text: &'a str,
    pub(super) clean: &'a str,
    pub(super) root: &'a Object<'a>,
}

/// What brings our entry up to date.
#[derive(Default)]
pub(super) struct Update {
    pub(super) splices: Vec<Splice>,
    /// Paths inside the entry that we wrote once, and that nobody has changed or needs any more.
    pub(super) stale: Vec<Vec<String>>,
}

impl Update {
    pub(super) fn object(
        &mut self,
        scene: &Scene<'_>,
        object: Option<&Object<'_>>,
        written: Option<&Entry>,
        wanted: &Entry,
        path: &mut Vec<String>,
    ) -> Result<()> {
        let Some(object) = object else { return Ok(()) };
        let mut new = Vec::new();
        for (key, want) in wanted {
            let Some(it) = member(scene.text, object, key)? else {
                new.push((key.as_str(), want));
                continue;
            };
            if let (Some(inner), Value::Object(want)) = (it.value.as_object(), want) {
                path.push(key.clone());
                self.object(scene, Some(inner), written.and_then(|it| it.get(key)?.as_object()), want, path)?;
                path.pop();
            } else if value(scene.clean, &it.value) != *want {
                let with = Style::of(scene.text, scene.root, object).value(want);
                self.splices.push(Splice { range: it.value.start()..it.value.end(), with });
            }
        }
        if !new.is_empty() {
            self.splices.extend(splice::insert(scene.text, scene.root, object, &new));
        }
        self.find_stale(scene, object, written, wanted, path)
    }

    fn find_stale(
        &mut self,
        scene: &Scene<'_>,
        object: &Object<'_>,
        written: Option<&Entry>,
        wanted: &Entry,
        path: &[String],
    ) -> Result<()> {
        for (key, old) in written.into_iter().flatten().filter(|(key, _)| !wanted.contains_key(*key)) {
            if let Some(it) = member(scene.text, object, key)?
                && value(scene.clean, &it.value) == *old
            {
                self.stale.push(path.iter().chain([key]).cloned().collect());
            }
        }
        Ok(())
    }
}
