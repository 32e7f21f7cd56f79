//! Each rule of `check`, broken once.
//!
//! A good tool, changed at one place -> the rule that it breaks, and where. Invariant: unchanged, it breaks none.

use std::collections::BTreeSet;

use drydock_kit::prelude::*;
use drydock_kit::testing::{Rule, Value, json, start};
use rmcp::model::{
    Implementation, ListPromptsResult, ListToolsResult, PaginatedRequestParams, Prompt, ServerCapabilities,
    ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};

use super::failure;

/// Lists what it is given, as no macro would.
#[derive(Clone)]
struct Lists {
    tools: Vec<Tool>,
    prompts: Vec<Prompt>,
}

impl ServerHandler for Lists {
    fn get_info(&self) -> ServerConfig {
        let all = ServerCapabilities::builder().enable_tools().enable_prompts().build();
        ServerConfig::new(all).with_server_info(Implementation::new("a-server-of-tests", "1"))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tools.clone()))
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(self.prompts.clone()))
    }
}

fn good() -> Value {
    let stop = json!({"type": "object", "additionalProperties": false, "properties": {
        "name": {"type": "string", "description": "What it is called."}}});
    json!({
        "name": "plan_trip", "title": "Plan a trip", "description": "Plans a trip.",
        "annotations": {"readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": false},
        "inputSchema": {"type": "object", "additionalProperties": false, "properties": {
            "days": {"type": "integer", "description": "How many.", "minimum": 1, "maximum": 16, "default": 7},
            "kind": {"type": "string", "description": "What for.", "enum": ["work", "fun"], "default": "fun"},
            "stops": {"type": "array", "description": "Where.", "items": stop},
            "numbered": {"type": "object", "description": "Where, by number.", "additionalProperties": false,
                "patternProperties": {"^\\d+$": stop}}, // as schemars writes a `BTreeMap<u32, Stop>`
            "way": {"description": "How.", "oneOf": [
                {"type": "object", "additionalProperties": false, "properties": {
                    "by": {"type": "string", "const": "train"}, "class": {"type": "integer", "description": "Of it."}}},
                {"type": "null"}]}}},
        "outputSchema": {"type": "object", "properties": {"plan": {"type": "string"}}},
    })
}

/// One change, by the place in the tool: another value, or none.
fn changed(place: &str, value: Option<Value>) -> Value {
    let mut tool = good();
    let (parent, name) = place.rsplit_once('/').expect("a place below the tool");
    let fields = tool.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object");
    match value {
        Some(value) => fields.insert(name.to_owned(), value),
        None => fields.remove(name),
    };
    tool
}

fn lists(tools: &[Value]) -> Lists {
    let tool = |it: &Value| serde_json::from_value(it.clone()).expect("a tool");
    Lists { tools: tools.iter().map(tool).collect(), prompts: Vec::new() }
}

/// The rules that are broken, each with its argument.
fn broken(server: Lists) -> BTreeSet<(Rule, Option<String>)> {
    let server = start(move || server);
    let problems = server.problems();
    for it in &problems {
        let said = failure(|| server.check());
        assert!(said.contains(&it.to_string()) && said.contains(&it.place.0), "{it} in {said}");
    }
    problems.into_iter().map(|it| (it.rule, it.place.1)).collect()
}

#[test]
fn each_rule_is_broken_once_and_said() {
    assert_eq!(broken(lists(&[good()])), BTreeSet::new());
    let days = "/inputSchema/properties/days";
    let cases: Vec<(Value, Rule, Option<&str>)> = vec![
        (changed("/name", Some(json!("plan trip"))), Rule::Name, None),
        (changed("/name", Some(json!("x".repeat(41)))), Rule::Name, None),
        (changed("/title", None), Rule::Title, None),
        (changed("/title", Some(json!(" "))), Rule::Title, None),
        (changed("/description", None), Rule::Description, None),
        (changed("/outputSchema", None), Rule::OutputSchema, None),
        (changed("/annotations", None), Rule::Annotations, None),
        (changed("/annotations/openWorldHint", None), Rule::Annotations, None),
        (changed("/annotations/destructiveHint", Some(json!(true))), Rule::Annotations, None),
        (changed(&format!("{days}/description"), None), Rule::Description, Some("days")),
        (
            changed("/inputSchema/properties/stops/items/properties/name/description", None),
            Rule::Description,
            Some("stops[].name"),
        ),
        (
            changed(
                "/inputSchema/properties/numbered/patternProperties/^\\d+$/properties/name/description",
                None,
            ),
            Rule::Description,
            Some("numbered.*.name"),
        ),
        (
            changed("/inputSchema/properties/way/oneOf/0/properties/class/description", None),
            Rule::Description,
            Some("way.class"),
        ),
        (changed(&format!("{days}/default"), Some(json!(17))), Rule::Default, Some("days")),
        (changed(&format!("{days}/default"), Some(json!("7"))), Rule::Default, Some("days")),
        (changed("/inputSchema/properties/kind/default", Some(json!("play"))), Rule::Default, Some("kind")),
        (changed("/inputSchema/additionalProperties", None), Rule::UnknownFields, None),
        (
            changed("/inputSchema/properties/stops/items/additionalProperties", None),
            Rule::UnknownFields,
            Some("stops[]"),
        ),
    ];
    for (tool, rule, argument) in cases {
        let expected = BTreeSet::from([(rule, argument.map(str::to_owned))]);
        assert_eq!(broken(lists(std::slice::from_ref(&tool))), expected, "{tool}");
    }
}

#[test]
fn two_tools_are_told_apart() {
    let mut other = changed("/name", Some(json!("Plan-Trip")));
    other["description"] = json!("Plans another one.");
    assert_eq!(broken(lists(&[good(), other])), BTreeSet::from([(Rule::Duplicate, None)]));
    let other = changed("/name", Some(json!("plan_journey")));
    assert_eq!(broken(lists(&[good(), other])), BTreeSet::from([(Rule::Description, None)]));
}

#[test]
fn prompts_are_held_to_the_same() {
    let prompt = |prompt: Value| {
        let prompts = vec![serde_json::from_value(prompt).expect("a prompt")];
        broken(Lists { prompts, ..lists(&[good()]) })
    };
    let argument = json!({"name": "place", "description": "Where."});
    let good = json!({"name": "plan_day", "description": "Plans a day.", "arguments": [argument]});
    assert_eq!(prompt(good.clone()), BTreeSet::new());
    let mut bad = good;
    bad["name"] = json!("plan a day");
    bad["description"] = json!("");
    bad["arguments"][0]["description"] = Value::Null;
    let place = Some("place".to_owned());
    let all = [(Rule::Name, None), (Rule::Description, None), (Rule::Description, place)];
    assert_eq!(prompt(bad), BTreeSet::from(all));
}
