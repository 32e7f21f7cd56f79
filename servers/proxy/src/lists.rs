//! What the client knows of its server's lists, and whether a new server's are the same.
//!
//! Pages of `tools/list`, `prompts/list`, `resources/list` and `resources/templates/list` -> a number for each whole list;
//! and of the tools, which may be called twice. Invariants: a list that the client has never asked for is not
//! compared; and what one server said of a tool counts for that server alone.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hasher};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::frame::text_of;

/// A server that never ends a list is not asked for more pages than that.
const MAX_PAGES: u32 = 1000;

/// A list that a server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ListKind {
    Tools,
    Prompts,
    Resources,
    Templates,
}

impl ListKind {
    pub(crate) const ALL: [Self; 4] = [Self::Tools, Self::Prompts, Self::Resources, Self::Templates];

    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::Tools => "tools/list",
            Self::Prompts => "prompts/list",
            Self::Resources => "resources/list",
            Self::Templates => "resources/templates/list",
        }
    }

    pub(crate) fn of_method(method: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.method() == method)
    }

    /// The notification that tells of a change, and the field of a filter that asks for it.
    pub(crate) fn change(self) -> (&'static str, &'static str) {
        match self {
            Self::Tools => ("notifications/tools/list_changed", "toolsListChanged"),
            Self::Prompts => ("notifications/prompts/list_changed", "promptsListChanged"),
            Self::Resources | Self::Templates => {
                ("notifications/resources/list_changed", "resourcesListChanged")
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    #[serde(borrow)]
    tools: Option<&'a RawValue>,
    #[serde(borrow)]
    prompts: Option<&'a RawValue>,
    #[serde(borrow)]
    resources: Option<&'a RawValue>,
    #[serde(borrow)]
    resource_templates: Option<&'a RawValue>,
    #[serde(borrow)]
    next_cursor: Option<&'a RawValue>,
}

impl<'a> Page<'a> {
    fn items(&self, kind: ListKind) -> &'a str {
        let items = match kind {
            ListKind::Tools => self.tools,
            ListKind::Prompts => self.prompts,
            ListKind::Resources => self.resources,
            ListKind::Templates => self.resource_templates,
        };
        items.map_or("", RawValue::get)
    }
}

#[derive(Deserialize)]
struct Tool<'a> {
    #[serde(borrow)]
    name: &'a RawValue,
    annotations: Option<Annotations>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Annotations {
    read_only_hint: Option<bool>,
    idempotent_hint: Option<bool>,
}

/// One list, whole or growing.
#[derive(Debug, Default)]
struct List {
    /// The client has a part of it at least.
    is_seen: bool,
    /// Of the whole list, as the client has it.
    known: Option<u64>,
    /// What a request of ours has to carry in `_meta`; its text.
    meta: Option<String>,
    growing: Option<Growing>,
    /// Of the list that we ask the new server for.
    check: Option<Growing>,
    /// It has changed, and the client could not be told.
    is_untold: bool,
}

#[derive(Debug, Clone, Default)]
struct Growing {
    hasher: DefaultHasher,
    /// Of the next page; its text.
    cursor: Option<String>,
    pages: u32,
}

impl Growing {
    /// Takes a page; a number when it was the last.
    fn add(&mut self, items: &str, next: Option<&RawValue>) -> Option<u64> {
        self.hasher.write(items.as_bytes());
        self.pages += 1;
        self.cursor = next.filter(|_| self.pages < MAX_PAGES).map(|it| it.get().to_owned());
        self.cursor.is_none().then(|| self.hasher.finish())
    }
}

/// What came of a page that we asked a new server for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Compared {
    /// The next page is at this cursor; its text.
    More(String),
    Same,
    Differs,
}

/// All four.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    lists: [List; 4],
    /// Tools that say of themselves that they only read, or that a second call does no more than the first.
    repeatable: HashSet<String>,
}

impl Lists {
    /// Whether a call of this tool may be made a second time.
    pub(crate) fn is_repeatable(&self, tool: &str) -> bool {
        self.repeatable.contains(tool)
    }

    /// The client asks for a list; `meta` is what a request of ours has to carry in `_meta`; its text.
    pub(crate) fn on_asked(&mut self, kind: ListKind, meta: Option<&str>) {
        self.lists[kind as usize].meta = meta.map(str::to_owned);
    }

    /// The parameters of a request of ours for a page of a list; their text.
    pub(crate) fn params(&self, kind: ListKind, cursor: Option<&str>) -> Option<String> {
        let meta = self.lists[kind as usize].meta.as_ref().map(|it| format!(r#""_meta":{it}"#));
        let cursor = cursor.map(|it| format!(r#""cursor":{it}"#));
        let fields: Vec<_> = meta.into_iter().chain(cursor).collect();
        (!fields.is_empty()).then(|| format!("{{{}}}", fields.join(",")))
    }

    /// A page on its way to the client; `cursor` is what it asked for.
    pub(crate) fn on_page(&mut self, kind: ListKind, cursor: Option<&str>, result: &str) {
        let Ok(page) = serde_json::from_str::<Page<'_>>(result) else { return };
        let items = page.items(kind);
        if kind == ListKind::Tools {
            self.note_tools(items, cursor.is_none());
        }
        let list = &mut self.lists[kind as usize];
        let mut growing = match (cursor, list.growing.take()) {
            (None, _) => Growing::default(),
            (Some(cursor), Some(growing)) if growing.cursor.as_deref() == Some(cursor) => growing,
            (Some(_), other) => {
                list.growing = other;
                return;
            }
        };
        list.is_seen = true;
        list.is_untold &= cursor.is_some(); // a client that asks again knows
        match growing.add(items, page.next_cursor) {
            Some(whole) => list.known = Some(whole),
            None => list.growing = Some(growing),
        }
    }

    fn note_tools(&mut self, items: &str, is_first_page: bool) {
        if is_first_page {
            self.repeatable.clear();
        }
        let Ok(tools) = serde_json::from_str::<Vec<&RawValue>>(items) else { return };
        for tool in tools {
            let Ok(tool) = serde_json::from_str::<Tool<'_>>(tool.get()) else { continue };
            let Some(name) = text_of(tool.name.get()) else { continue };
            let annotations = tool.annotations.unwrap_or_default();
            if annotations.read_only_hint == Some(true) || annotations.idempotent_hint == Some(true) {
                self.repeatable.insert(name.into_owned());
            } else {
                self.repeatable.remove(&*name);
            }
        }
    }

    /// There is a new server, of whose tools nothing is known.
    pub(crate) fn forget_tools(&mut self) {
        self.repeatable.clear();
    }

    /// There is a new server: the lists that the client has seen, to be asked for again, from their first pages. One of which it
    /// has seen only a part counts as changed: its next page would be another list's.
    pub(crate) fn start_checks(&mut self) -> Vec<ListKind> {
        let mut asked = Vec::new();
        for kind in ListKind::ALL {
            let list = &mut self.lists[kind as usize];
            if list.growing.take().is_some() {
                list.known = None;
            }
            if !list.is_seen {
                continue;
            }
            list.check = Some(Growing::default());
            asked.push(kind);
        }
        asked
    }

    /// What has changed without the client's knowing.
    pub(crate) fn untold(&self) -> Vec<ListKind> {
        ListKind::ALL.into_iter().filter(|it| self.lists[*it as usize].is_untold).collect()
    }

    pub(crate) fn set_told(&mut self, kind: ListKind, is_told: bool) {
        self.lists[kind as usize].is_untold = !is_told;
    }

    /// A page that we asked for; `None`: an error.
    pub(crate) fn on_checked(&mut self, kind: ListKind, result: Option<&str>) -> Compared {
        let page = result.and_then(|it| serde_json::from_str::<Page<'_>>(it).ok());
        let items = page.as_ref().map_or("", |it| it.items(kind));
        if kind == ListKind::Tools {
            self.note_tools(items, false);
        }
        let list = &mut self.lists[kind as usize];
        let Some(mut check) = list.check.take() else { return Compared::Same };
        let Some(whole) = check.add(items, page.and_then(|it| it.next_cursor)) else {
            let cursor = check.cursor.clone().unwrap_or_default();
            list.check = Some(check);
            return Compared::More(cursor);
        };
        if list.known.replace(whole) == Some(whole) { Compared::Same } else { Compared::Differs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(names: &[&str], next: Option<&str>) -> String {
        let tools: Vec<_> = names.iter().map(|it| serde_json::json!({ "name": it })).collect();
        serde_json::json!({ "tools": tools, "nextCursor": next })
            .to_string()
            .replace(",\"nextCursor\":null", "")
    }

    #[test]
    fn a_list_is_compared_page_by_page() {
        let mut lists = Lists::default();
        assert_eq!(lists.start_checks(), []);
        lists.on_page(ListKind::Tools, None, &page(&["a"], Some("2")));
        lists.on_page(ListKind::Tools, Some("\"2\""), &page(&["b"], None));
        let check = |lists: &mut Lists, second: &str| {
            assert_eq!(lists.start_checks(), [ListKind::Tools]);
            let first = lists.on_checked(ListKind::Tools, Some(&page(&["a"], Some("2"))));
            assert_eq!(first, Compared::More("\"2\"".into()));
            lists.on_checked(ListKind::Tools, Some(&page(&[second], None)))
        };
        assert_eq!(check(&mut lists, "b"), Compared::Same);
        assert_eq!(check(&mut lists, "c"), Compared::Differs);
        assert_eq!(check(&mut lists, "c"), Compared::Same, "that was told");
        lists.start_checks();
        assert_eq!(lists.on_checked(ListKind::Tools, None), Compared::Differs, "it has no tools any more");
    }

    #[test]
    fn a_list_that_two_servers_gave_counts_as_changed() {
        let mut lists = Lists::default();
        lists.on_page(ListKind::Tools, None, &page(&["a"], Some("2")));
        assert_eq!(lists.start_checks(), [ListKind::Tools]);
        lists.on_page(ListKind::Tools, Some("\"2\""), &page(&["b"], None));
        assert_eq!(lists.on_checked(ListKind::Tools, Some(&page(&["a", "b"], None))), Compared::Differs);
    }

    #[test]
    fn a_list_is_asked_for_as_the_client_did() {
        let mut lists = Lists::default();
        assert_eq!(lists.params(ListKind::Tools, None), None);
        assert_eq!(lists.params(ListKind::Tools, Some("\"2\"")).as_deref(), Some(r#"{"cursor":"2"}"#));
        lists.on_asked(ListKind::Tools, Some(r#"{"v":"2026-07-28"}"#));
        let params = lists.params(ListKind::Tools, Some("\"2\""));
        assert_eq!(params.as_deref(), Some(r#"{"_meta":{"v":"2026-07-28"},"cursor":"2"}"#));
    }

    #[test]
    fn tools_are_repeatable_that_say_so() {
        let mut lists = Lists::default();
        let list = |annotations: &str| format!(r#"{{"tools":[{{"name":"a","annotations":{annotations}}}]}}"#);
        for (annotations, expected) in [
            (r#"{"readOnlyHint":true}"#, true),
            ("{}", false),
            (r#"{"idempotentHint":true,"readOnlyHint":false}"#, true),
            (r#"{"destructiveHint":false}"#, false),
        ] {
            lists.on_page(ListKind::Tools, None, &list(annotations));
            assert_eq!(lists.is_repeatable("a"), expected, "{annotations}");
        }
        let tools = r#"{"tools":[{"name":"b"},7,{"name":"c","annotations":{"readOnlyHint":true}}]}"#;
        lists.on_page(ListKind::Tools, None, tools);
        assert!(lists.is_repeatable("c") && !lists.is_repeatable("b"));
        lists.on_page(
            ListKind::Tools,
            None,
            r#"{"tools":[{"name":"c","annotations":{"readOnlyHint":"true"}}]}"#,
        );
        assert!(!lists.is_repeatable("c"), "it says nothing that can be read");
        lists.on_page(ListKind::Tools, None, tools);
        lists.forget_tools();
        assert!(!lists.is_repeatable("c"), "that was another server's");
    }
}
