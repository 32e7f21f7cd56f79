//! Resources: what a client can read and show without a tool call.
//!
//! URI -> text. Invariant: what is listed can be read, and nothing else can.

use std::fmt::Write;

use drydock_kit::prelude::*;
use rmcp::ErrorData;
use rmcp::model::{
    ListResourcesResult, ReadResourceResponse, ReadResourceResult, Resource, ResourceContents,
};

use crate::places;

const COUNTRIES: &str = "places://countries";
const SOURCES: &str = "places://sources";

pub(crate) fn list() -> ListResourcesResult {
    let countries = Resource::new(COUNTRIES, "countries")
        .with_title("Countries and their places")
        .with_description("How many places `find_place` knows in each country")
        .with_mime_type("text/csv");
    let sources = Resource::new(SOURCES, "sources")
        .with_title("Sources")
        .with_description("Where the data come from, and under which licence")
        .with_mime_type("text/markdown");
    ListResourcesResult::with_all_items(vec![countries, sources])
}

pub(crate) fn read(uri: &str) -> Result<ReadResourceResponse, ErrorData> {
    let (text, mime_type) = match uri {
        COUNTRIES => (countries(), "text/csv"),
        SOURCES => (include_str!("../data/SOURCES.md").to_owned(), "text/markdown"),
        _ => return Err(ErrorData::resource_not_found(format!("no resource `{uri}`"), None)),
    };
    let contents = ResourceContents::text(text, uri).with_mime_type(mime_type);
    Ok(ReadResourceResult::new(vec![contents]).into())
}

fn countries() -> String {
    let mut text = String::from("country,code,places\n");
    for (name, code, places) in places::countries() {
        let _ = writeln!(text, "\"{name}\",{code},{places}");
    }
    text
}
