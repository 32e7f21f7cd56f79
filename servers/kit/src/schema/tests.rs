//! Schemas before and after; what a client then sends is tried in `tests/it/schemas.rs`.

use rmcp::handler::server::common::{schema_for_input, schema_for_output};
use schemars::JsonSchema;
use serde_json::{Value, json};

use super::{Direction, mend, normalize};

fn mended(schema: Value, direction: Direction) -> Value {
    let Value::Object(schema) = schema else { panic!("no schema: {schema}") };
    Value::Object(mend(&schema, direction))
}

fn input(schema: Value) -> Value {
    mended(schema, Direction::Input)
}

fn input_of<T: JsonSchema + 'static>() -> Value {
    Value::Object(mend(&schema_for_input::<T>().unwrap(), Direction::Input))
}

/// What to measure in.
#[derive(serde::Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Units {
    /// °C,
    /// km/h
    Metric,
    /// °F, mph
    Imperial,
    Kelvin,
}

#[derive(serde::Deserialize, serde::Serialize, JsonSchema)]
struct Trip {
    /// Of the answer.
    units: Units,
    other: Units,
    days: u8,
    id: u64,
    signed: Option<i32>,
    any: Value,
}

#[test]
fn a_schema_has_no_words_of_rust_and_no_references() {
    let lines = "- `metric`: °C, km/h\n- `imperial`: °F, mph";
    let units = ["kelvin", "metric", "imperial"];
    assert_eq!(
        input_of::<Trip>(),
        json!({
            "type": "object",
            "properties": {
                "units": {"type": "string", "enum": units, "description": format!("Of the answer.\n{lines}")},
                "other": {"type": "string", "enum": units, "description": format!("What to measure in.\n{lines}")},
                "days": {"type": "integer", "minimum": 0, "maximum": 255},
                "id": {"type": "integer", "minimum": 0, "maximum": 9_007_199_254_740_991_u64},
                "signed": {"type": ["integer", "null"], "minimum": i32::MIN, "maximum": i32::MAX},
                "any": {},
            },
            "required": ["units", "other", "days", "id", "any"],
        })
    );
}

#[test]
fn an_output_takes_all_that_it_took() {
    let output = mend(&schema_for_output::<Trip>(), Direction::Output);
    assert_eq!(output["properties"]["id"], json!({"type": "integer", "minimum": 0}));
    assert_eq!(output["properties"]["units"]["type"], "string");
    assert_eq!(output.get("$defs"), None);
}

#[test]
fn a_range_of_ones_own_stays() {
    let range = |own: Value| {
        let mut schema = json!({"type": "integer", "format": "uint64"});
        schema.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        let mended = input(json!({"type": "object", "properties": {"it": schema}}));
        (mended["properties"]["it"]["minimum"].clone(), mended["properties"]["it"]["maximum"].clone())
    };
    assert_eq!(range(json!({"minimum": 1, "maximum": 16})), (json!(1), json!(16)));
    assert_eq!(range(json!({"maximum": u64::MAX})), (json!(0), json!(u64::MAX)));
}

#[test]
fn only_formats_of_json_schema_stay() {
    let format = |name| input(json!({"type": "string", "format": name}))["format"].clone();
    for name in ["date-time", "date", "email", "uri", "uuid", "ipv6", "json-pointer", "duration"] {
        assert_eq!(format(name), name);
    }
    for name in ["ip", "partial-time", "zoned-date-time", "double", "color"] {
        assert_eq!(format(name), Value::Null, "{name}");
    }
}

#[test]
fn an_input_keeps_the_range_that_its_format_said() {
    let safe = 9_007_199_254_740_991_i64;
    for (format, least, most) in [
        ("int8", -128, 127),
        ("int16", -32_768, 32_767),
        ("int32", -2_147_483_648, 2_147_483_647),
        ("int64", -safe, safe),
        ("int128", -safe, safe),
        ("int", -safe, safe),
        ("uint8", 0, 255),
        ("uint16", 0, 65_535),
        ("uint32", 0, 4_294_967_295),
        ("uint64", 0, safe),
        ("uint128", 0, safe),
        ("uint", 0, safe),
    ] {
        let plain = json!({"type": "integer", "minimum": least, "maximum": most});
        assert_eq!(input(json!({"type": "integer", "format": format})), plain, "{format}");
        let narrower = json!({"type": "integer", "format": format, "minimum": 3, "maximum": 4});
        assert_eq!(input(narrower), json!({"type": "integer", "minimum": 3, "maximum": 4}), "{format}");
    }
    let float = json!({"type": "number", "minimum": f32::MIN, "maximum": f32::MAX});
    assert_eq!(input(json!({"type": "number", "format": "float"})), float);
}

#[test]
fn a_type_that_holds_itself_stays_a_reference() {
    let schema = json!({
        "type": "object",
        "properties": {"tree": {"$ref": "#/$defs/Tree", "description": "The first."}},
        "$defs": {
            "Tree": {"type": "object", "description": "A tree.", "properties": {
                "leaf": {"$ref": "#/$defs/Leaf"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/Tree"}},
            }},
            "Leaf": {"type": "integer", "format": "uint8", "minimum": 0, "maximum": 255},
        },
    });
    let properties = json!({
        "leaf": {"type": "integer", "minimum": 0, "maximum": 255},
        "children": {"type": "array", "items": {"$ref": "#/$defs/Tree"}},
    });
    assert_eq!(
        input(schema),
        json!({
            "type": "object",
            "properties": {"tree": {"type": "object", "description": "The first.", "properties": properties}},
            "$defs": {"Tree": {"type": "object", "description": "A tree.", "properties": properties}},
        })
    );
}

#[test]
fn what_stands_beside_a_reference_is_kept() {
    let beside = |beside: Value, target: Value| {
        let mut property = json!({"$ref": "#/$defs/A%20name~1"});
        property.as_object_mut().unwrap().extend(beside.as_object().unwrap().clone());
        let schema = json!({"type": "object", "properties": {"it": property}, "$defs": {"A name/": target}});
        input(schema)["properties"]["it"].clone()
    };
    let text = json!({"type": "string", "minLength": 1, "default": "a"});
    assert_eq!(
        beside(json!({"default": "b", "maxLength": 3}), text.clone()),
        json!({"type": "string", "minLength": 1, "maxLength": 3, "default": "b"})
    );
    assert_eq!(beside(json!({"minLength": 2}), text.clone()), json!({"minLength": 2, "allOf": [text]}));
    let object = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]});
    let tag = json!({"type": "object", "properties": {"tag": {"type": "string"}}, "required": ["tag", "a"]});
    assert_eq!(
        beside(tag.clone(), object.clone()),
        json!({"type": "object", "properties": {"a": {"type": "string"}, "tag": {"type": "string"}},
            "required": ["a", "tag"]})
    );
    let mut closed = object;
    closed["additionalProperties"] = json!(false);
    let mut both = tag.clone();
    both["allOf"] = json!([closed]);
    assert_eq!(beside(tag, closed), both);
    assert_eq!(beside(json!({"description": "Any."}), json!(true)), json!({"description": "Any."}));
    assert_eq!(beside(json!({}), json!(false)), json!({"not": {}}));
}

#[test]
fn what_cannot_be_replaced_stays_whole() {
    for reference in ["#", "#/$defs/None", "#/$defs/Pair/prefixItems/0", "#anchor", "other.json"] {
        let pair = json!({"type": "array", "prefixItems": [{"type": "string"}]});
        let schema =
            json!({"type": "object", "properties": {"it": {"$ref": reference}}, "$defs": {"Pair": pair}});
        let mended = input(schema);
        assert_eq!(mended["properties"]["it"], json!({"$ref": reference}));
        assert_eq!(mended.get("$defs").is_some(), reference.contains("Pair"), "{reference}");
    }
}

#[test]
fn types_that_are_used_again_and_again_do_not_fill_the_memory() {
    let pair = |name: usize| json!({"type": "array", "prefixItems": [{"$ref": format!("#/$defs/{name}")}, {"$ref": format!("#/$defs/{name}")}]});
    let definitions: serde_json::Map<_, _> = (0..40).map(|it| (it.to_string(), pair(it + 1))).collect();
    let schema = json!({"type": "object", "properties": {"it": {"$ref": "#/$defs/0"}}, "$defs": definitions});
    assert!(input(schema).to_string().len() < 1_000_000);
}

#[test]
fn values_that_look_like_schemas_are_left_alone() {
    let value =
        json!({"$ref": "#/$defs/Units", "format": "uint8", "oneOf": [{"const": "a"}], "$schema": "x"});
    let schema = json!({"type": "object", "properties": {"it": {"default": value, "const": value, "enum": [value], "examples": [value]}}});
    assert_eq!(input(schema.clone()), schema);
}

#[test]
fn constants_that_are_no_plain_enum_stay() {
    for branches in [
        json!([{"const": 1}, {"enum": ["a"]}]),
        json!([{"enum": ["a"]}, {"type": "string"}]),
        json!([{"enum": ["a"], "minLength": 1}, {}]),
        json!([{"enum": ["a", 1]}, {"enum": ["b"]}]),
    ] {
        let schema = json!({"type": "object", "properties": {"it": {"oneOf": branches}}});
        assert_eq!(input(schema.clone()), schema);
    }
}

#[test]
fn branches_that_exclude_each_other_are_any_of() {
    let tagged = |kind: &str| json!({"type": "object", "properties": {"kind": {"type": "string", "const": kind}}, "required": ["kind"]});
    let keyed = |key: &str| json!({"type": "object", "properties": {key: {}}, "required": [key], "additionalProperties": false});
    let keyword = |branches: Value| {
        let mended = input(json!({"type": "object", "properties": {"it": {"oneOf": branches}}}));
        mended["properties"]["it"].as_object().unwrap().keys().next().unwrap().clone()
    };
    for branches in [
        json!([tagged("a"), tagged("b")]),
        json!([keyed("a"), keyed("b"), {"type": "string", "enum": ["c"]}]),
        json!([{"type": "string"}, {"type": "null"}]),
    ] {
        assert_eq!(keyword(branches.clone()), "anyOf", "{branches}");
    }
    for branches in [
        json!([tagged("a"), tagged("a")]),
        json!([tagged("a"), {"type": "object"}]),
        json!([{"type": "integer"}, {"type": "number"}]),
        json!([{"type": "string"}, {"type": "string", "minLength": 3}]),
        json!([{"type": "string"}, {}]),
        json!([{"type": "string"}, {"type": ["null", "string"]}]),
    ] {
        assert_eq!(keyword(branches.clone()), "oneOf", "{branches}");
    }
}

#[test]
fn what_is_said_of_an_option_is_said_of_its_value() {
    #[derive(serde::Serialize, JsonSchema)]
    struct Maybe {
        /// Of the answer.
        units: Option<Units>,
    }
    let units = &input_of::<Maybe>()["properties"]["units"];
    let both = "Of the answer.\nWhat to measure in.\n- `metric`: °C, km/h\n- `imperial`: °F, mph";
    assert_eq!((&units["description"], &units["anyOf"][0]["description"]), (&json!(both), &json!(both)));
    assert_eq!(units["anyOf"][1], json!({"type": "null"}));
}

/// What becomes of a value of a property.
fn normalized(property: Value, value: Value) -> Value {
    let schema = json!({"type": "object", "properties": {"it": property}, "$defs": {
        "Loop": {"$ref": "#/$defs/Loop"},
        "Tree": {"type": "object", "properties": {"n": {"type": "integer"}, "in": {"anyOf": [{"$ref": "#/$defs/Tree"}, {"type": "null"}]}}},
    }});
    let mut arguments = json!({"it": value});
    let before = arguments.clone();
    let has_changed = normalize(schema.as_object().unwrap(), &mut arguments);
    let (before, after) = (before.to_string(), arguments.to_string());
    assert_eq!(has_changed, before != after);
    arguments.get("it").cloned().unwrap_or(json!("(left out)"))
}

#[test]
fn a_whole_number_is_an_integer_where_one_is_wanted() {
    let integer = json!({"type": "integer"});
    for (value, expected) in [
        (json!(2.0), json!(2)),
        (json!(-2.0), json!(-2)),
        (json!(-0.0), json!(0)),
        (json!(9_007_199_254_740_991.0), json!(9_007_199_254_740_991_i64)),
        (json!(-9_007_199_254_740_991.0), json!(-9_007_199_254_740_991_i64)),
        // What these stood for before they were read, nobody knows.
        (json!(9_007_199_254_740_992.0), json!(9_007_199_254_740_992.0)),
        (json!(1e300), json!(1e300)),
        (json!(2.5), json!(2.5)),
        (json!("2.0"), json!("2.0")),
        (json!(u64::MAX), json!(u64::MAX)),
    ] {
        let shown = normalized(integer.clone(), value.clone()).to_string();
        assert_eq!(shown, expected.to_string(), "{value}");
    }
    for schema in [json!({"type": "number"}), json!({"type": ["integer", "number"]}), json!({}), json!(true)]
    {
        assert_eq!(normalized(schema, json!(-0.0)).to_string(), "-0.0");
    }
}

#[test]
fn numbers_are_found_wherever_they_are() {
    let integer = json!({"type": ["integer", "null"]});
    let tree = json!({"$ref": "#/$defs/Tree"});
    let tagged = |kind: &str, of: &str| json!({"type": "object", "properties": {"kind": {"const": kind}, "n": {"type": of}}, "required": ["kind"]});
    let either = json!({"oneOf": [tagged("float", "number"), tagged("whole", "integer")]});
    for (schema, value, expected) in [
        (json!({"items": integer}), json!([1.0, null, 2]), json!([1, null, 2])),
        (json!({"prefixItems": [integer, {"type": "number"}]}), json!([1.0, 2.0, 3.0]), json!([1, 2.0, 3.0])),
        (json!({"additionalProperties": integer}), json!({"a": 1.0}), json!({"a": 1})),
        (json!({"patternProperties": {"^\\d+$": integer}}), json!({"7": 1.0}), json!({"7": 1})),
        (json!({"allOf": [{"properties": {"a": integer}}]}), json!({"a": 1.0}), json!({"a": 1})),
        (json!({"anyOf": [{"type": "string"}, integer]}), json!(1.0), json!(1)),
        (
            tree,
            json!({"in": {"n": 1.0, "in": {"n": 2.0, "in": null}}}),
            json!({"in": {"n": 1, "in": {"n": 2, "in": null}}}),
        ),
        (either.clone(), json!({"kind": "whole", "n": 1.0}), json!({"kind": "whole", "n": 1})),
        (either, json!({"kind": "float", "n": 1.0}), json!({"kind": "float", "n": 1.0})),
        // What is left out is no longer in the way when a branch is chosen.
        (
            json!({"properties": {"a": {"type": "string"}}, "anyOf": [{"properties": {"n": integer}, "additionalProperties": false}]}),
            json!({"a": null, "n": 2.0}),
            json!({"n": 2}),
        ),
    ] {
        assert_eq!(normalized(schema.clone(), value).to_string(), expected.to_string(), "{schema}");
    }
}

#[test]
fn null_leaves_out_what_may_be_left_out_and_cannot_be_null() {
    let left_out = json!("(left out)");
    for schema in [
        json!({"type": "string"}),
        json!({"type": "string", "enum": ["a"]}),
        json!({"enum": ["a"]}),
        json!({"const": 1}),
    ] {
        assert_eq!(normalized(schema, Value::Null), left_out);
    }
    for schema in [
        json!({"type": ["string", "null"]}),
        json!({}),
        json!({"anyOf": [{"type": "string"}, {"type": "null"}]}),
    ] {
        assert_eq!(normalized(schema, Value::Null), Value::Null);
    }
    let inner = json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["a"]});
    assert_eq!(
        normalized(inner.clone(), json!({"a": null, "b": null, "c": null})),
        json!({"a": null, "c": null})
    );
    assert_eq!(
        normalized(json!({"items": inner}), json!([{"a": "x", "b": null}, null])),
        json!([{"a": "x"}, null])
    );
}

#[test]
fn a_schema_without_end_is_given_up() {
    assert_eq!(normalized(json!({"$ref": "#/$defs/Loop"}), json!(1.0)).to_string(), "1.0");
    // Each level doubles what there is to try.
    let branch = |last: &str| json!({"type": "object", "properties": {"in": {"$ref": "#/$defs/Many"}, last: {"type": "integer"}}, "required": [last]});
    let many = json!({"anyOf": [branch("a"), branch("b")]});
    let schema =
        json!({"type": "object", "properties": {"it": {"$ref": "#/$defs/Many"}}, "$defs": {"Many": many}});
    let deep = (0..60).fold(json!({"b": 1.0}), |inner, _| json!({"in": inner, "b": 1.0}));
    normalize(schema.as_object().unwrap(), &mut json!({"it": deep}));
}
