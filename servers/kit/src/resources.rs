//! What clients read by its URI: the rows that `#[resources]` makes of functions.
//!
//! Rows + URI -> the list, the templates, or a text. Invariants: what is listed can be read, and nothing else can; a value out of a
//! URI is one part of its path, and leads nowhere else.

use std::fmt::Display;
use std::pin::Pin;
use std::str::FromStr;

use drydock_runtime::log::escape;
use rmcp::ErrorData;
use rmcp::model::{
    ListResourceTemplatesResult, ListResourcesResult, ReadResourceResponse, ReadResourceResult,
    Resource as Listed, ResourceContents, ResourceTemplate,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::Json;
use crate::path_segment::is_one_step;
use crate::schema::percent_decoded;

/// What a function is read by.
#[doc(hidden)]
#[derive(Debug)]
pub struct Resource<S: 'static> {
    /// With its `{..}`, if it is a template.
    pub uri: &'static str,
    /// For programs.
    pub name: &'static str,
    /// For people.
    pub title: Option<&'static str>,
    /// For whoever chooses.
    pub description: &'static str,
    /// Of what is read.
    pub mime_type: Option<&'static str>,
    /// With the values of what stands in `{..}`, in the order of the URI.
    pub read: for<'a> fn(&'a S, Vec<String>) -> Reading<'a>,
}

type Reading<'a> = Pin<Box<dyn Future<Output = Result<String, ErrorData>> + Send + 'a>>;

/// A server without resources: a type's own function of that name comes before this one.
#[doc(hidden)]
pub trait NoResources: Sized + Send + Sync + 'static {
    /// None.
    #[must_use]
    fn __drydock_resources() -> &'static [Resource<Self>] {
        &[]
    }
}

impl<T: Send + Sync + 'static> NoResources for T {}

/// What a function can give.
#[doc(hidden)]
pub trait ResourceText {
    /// What is read.
    ///
    /// # Errors
    /// There is no such resource, or it cannot be written as JSON.
    fn text(self) -> Result<String, ErrorData>;
}

impl ResourceText for String {
    fn text(self) -> Result<String, ErrorData> {
        Ok(self)
    }
}

impl ResourceText for &str {
    fn text(self) -> Result<String, ErrorData> {
        Ok(self.to_owned())
    }
}

impl<T: Serialize + JsonSchema + 'static> ResourceText for Json<T> {
    fn text(self) -> Result<String, ErrorData> {
        self.to_json()
    }
}

impl<T: ResourceText, E: Display> ResourceText for Result<T, E> {
    fn text(self) -> Result<String, ErrorData> {
        self.map_err(|why| ErrorData::resource_not_found(why.to_string(), None))?.text()
    }
}

/// A value of the URI as what its function takes.
#[doc(hidden)]
pub fn argument<T: FromStr>(name: &str, value: &str) -> Result<T, ErrorData> {
    let wrong = || format!("`{name}` in the URI cannot be `{}`", escape(value));
    value.parse().map_err(|_| ErrorData::resource_not_found(wrong(), None))
}

impl<S> Resource<S> {
    fn is_template(&self) -> bool {
        self.uri.contains('{')
    }

    /// What stands in `{..}`.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &'static str> {
        self.uri.split('{').filter_map(|it| Some(it.split_once('}')?.0))
    }

    /// The values of what stands in `{..}`, if the URI is one of this row's.
    fn values(&self, uri: &str) -> Option<Vec<String>> {
        let (mut own, mut rest) = (self.uri, uri);
        let mut values = Vec::new();
        while let Some((before, behind)) = own.split_once('{') {
            rest = rest.strip_prefix(before)?;
            let (_, behind) = behind.split_once('}')?;
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            values.push(percent_decoded(&rest[..end]).filter(|it| is_plain(it))?);
            (own, rest) = (behind, &rest[end..]);
        }
        (own == rest).then_some(values)
    }
}

/// One part of a path, wherever it is put.
fn is_plain(value: &str) -> bool {
    is_one_step(value) && !value.contains(['/', '\\'])
}

/// What can be read as it stands.
#[doc(hidden)]
pub fn list_resources<S>(rows: &[Resource<S>]) -> Result<ListResourcesResult, ErrorData> {
    let listed = rows.iter().filter(|it| !it.is_template()).map(|it| {
        let mut row = Listed::new(it.uri, it.name).with_description(it.description);
        row.title = it.title.map(str::to_owned);
        row.mime_type = it.mime_type.map(str::to_owned);
        row
    });
    Ok(ListResourcesResult::with_all_items(listed.collect()))
}

/// What can be read when its names are filled in.
#[doc(hidden)]
pub fn list_resource_templates<S>(rows: &[Resource<S>]) -> Result<ListResourceTemplatesResult, ErrorData> {
    let listed = rows.iter().filter(|it| it.is_template()).map(|it| {
        let mut row = ResourceTemplate::new(it.uri, it.name).with_description(it.description);
        row.title = it.title.map(str::to_owned);
        row.mime_type = it.mime_type.map(str::to_owned);
        row
    });
    Ok(ListResourceTemplatesResult::with_all_items(listed.collect()))
}

/// Reads one.
#[doc(hidden)]
pub async fn read_resource<S>(
    rows: &[Resource<S>],
    server: &S,
    uri: &str,
) -> Result<ReadResourceResponse, ErrorData> {
    // One that is written out comes before a template that could mean it.
    let exact = rows.iter().find(|it| it.uri == uri && !it.is_template()).map(|it| (it, Vec::new()));
    let found = exact.or_else(|| rows.iter().find_map(|it| Some((it, it.values(uri)?))));
    let Some((row, values)) = found else {
        return Err(ErrorData::resource_not_found(format!("no resource `{}`", escape(uri)), None));
    };
    let mut contents = ResourceContents::text((row.read)(server, values).await?, uri);
    if let Some(mime_type) = row.mime_type {
        contents = contents.with_mime_type(mime_type);
    }
    Ok(ReadResourceResult::new(vec![contents]).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(uri: &'static str) -> Resource<()> {
        let read: for<'a> fn(&'a (), Vec<String>) -> Reading<'a> =
            |_, values| Box::pin(async move { Ok(values.join("|")) });
        Resource { uri, name: "it", title: None, description: "It.", mime_type: Some("text/plain"), read }
    }

    async fn read(rows: &[Resource<()>], uri: &str) -> Option<String> {
        let ReadResourceResponse::Complete(it) = read_resource(rows, &(), uri).await.ok()? else {
            panic!("it is complete")
        };
        match &it.contents[0] {
            ResourceContents::TextResourceContents { text, .. } => Some(text.clone()),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_uri_finds_its_row_and_a_value_is_one_part_of_it() {
        let rows = [row("a://{day}/lines/{line}"), row("a://all"), row("a://{day}")];
        for (uri, expected) in [
            ("a://all", Some("")),
            ("a://monday", Some("monday")),
            ("a://mon%20day%C3%BC", Some("mon dayü")),
            ("a://1/lines/2", Some("1|2")),
            ("a://1/lines/", None),
            ("a://1/lines/2/3", None),
            ("a://", None),
            ("b://all", None),
            ("a://..", None),
            ("a://%2e%2E", None),
            ("a://x%2F..%2Fy", None),
            ("a://x%5Cy", None),
            ("a://x%00", None),
            ("a://%FF", None),
            ("a://%zz", None),
            ("a://x?y", None),
        ] {
            assert_eq!(read(&rows, uri).await.as_deref(), expected, "{uri}");
        }
        let uris: Vec<_> = list_resources(&rows).unwrap().resources.into_iter().map(|it| it.uri).collect();
        assert_eq!(uris, ["a://all"]);
        assert_eq!(list_resource_templates(&rows).unwrap().resource_templates.len(), 2);
    }

    #[test]
    fn what_a_function_gives_is_told_as_it_is() {
        assert_eq!(Ok::<_, String>("x").text().unwrap(), "x");
        let gone = Err::<String, _>("no note 7").text().unwrap_err();
        assert_eq!((gone.code.0, gone.message.as_ref()), (-32002, "no note 7"));
        let wrong = argument::<u8>("line", "300").unwrap_err();
        assert_eq!(wrong.message, "`line` in the URI cannot be `300`");
    }
}
