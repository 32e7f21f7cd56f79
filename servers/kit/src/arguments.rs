//! The arguments of a call, checked against the very schema that its tool advertises.
//!
//! Schema + JSON object -> the object in the form that serde takes, or every rule that it breaks, by field and value. Invariants: no
//! tool ever sees arguments that break a range or length of their schema, and what the schema takes is not refused for how its
//! numbers are written.

#[cfg(feature = "testing")]
mod mismatch;
mod rule;

use drydock_runtime::log::escape;
#[cfg(feature = "testing")]
pub(crate) use mismatch::mismatch;
use rmcp::model::JsonObject;
use serde_json::Value;

use crate::schema::{Node, has_other_schemas, normalize};

/// Of values nested without end no more is looked at. serde_json reads 127 levels.
const MAX_DEPTH: usize = 200;

/// Puts arguments into that form, and checks them.
///
/// # Errors
/// `` `days` is 20, and must be 1 to 16; `name` is "", and must have 1 to 5 characters ``.
pub(crate) fn prepare(schema: &JsonObject, arguments: &mut Option<JsonObject>) -> Result<(), String> {
    let mut object = Value::Object(arguments.take().unwrap_or_default());
    normalize(schema, &mut object);
    let broken: Vec<_> = broken_rules(schema, &object).iter().map(Broken::with_value).collect();
    if let Value::Object(object) = object {
        *arguments = Some(object);
    }
    if broken.is_empty() { Ok(()) } else { Err(broken.join("; ")) }
}

/// Every rule of the schema that a value breaks.
pub(crate) fn broken_rules(schema: &JsonObject, value: &Value) -> Vec<Broken> {
    let mut checker = Checker { root: schema, broken: Vec::new() };
    checker.check(schema, value, &Path::Root, 0);
    checker.broken
}

/// A rule that is broken: where, by what, and the rule, as in `be 1 to 16`.
pub(crate) struct Broken {
    pub(crate) path: String,
    value: String,
    pub(crate) rule: String,
}

impl Broken {
    fn with_value(&self) -> String {
        format!("`{}` is {}, and must {}", self.path, self.value, self.rule)
    }
}

struct Checker<'a> {
    root: &'a JsonObject,
    broken: Vec<Broken>,
}

/// Where a value stands: written out only where it is told.
enum Path<'a> {
    Root,
    Field(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl Path<'_> {
    /// `a.b[2].c`
    fn write(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Field(Self::Root, name) => (*name).to_owned(),
            Self::Field(parent, name) => format!("{}.{name}", parent.write()),
            Self::Item(parent, index) => format!("{}[{index}]", parent.write()),
        }
    }
}

impl<'a> Checker<'a> {
    fn check(&mut self, schema: &'a JsonObject, value: &Value, path: &Path<'_>, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        let node = Node::new(self.root, schema);
        if let Some(rule) = rule::broken(schema, value) {
            self.broken.push(Broken { path: escape(&path.write()), value: shown(value), rule });
            return;
        }
        if has_other_schemas(schema) {
            self.check_others(&node, value, path, depth);
        }
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    // `null` leaves out what may be left out.
                    if let Some(own) = node.field(name).filter(|_| !value.is_null() || node.requires(name)) {
                        self.check(own, value, &Path::Field(path, name), depth + 1);
                    }
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    if let Some(own) = node.item(index) {
                        self.check(own, value, &Path::Item(path, index), depth + 1);
                    }
                }
            }
            _ => {}
        }
    }

    fn check_others(&mut self, node: &Node<'a>, value: &Value, path: &Path<'_>, depth: usize) {
        if let Some(target) = node.target() {
            self.check(target, value, path, depth + 1);
        }
        for branch in node.all_of() {
            self.check(branch, value, path, depth + 1);
        }
        self.check_branches(node, value, path, depth);
    }

    /// Of branches that a value can be meant by, one must take it; else the first says what is wrong.
    fn check_branches(&mut self, node: &Node<'a>, value: &Value, path: &Path<'_>, depth: usize) {
        for branches in node.branches(value) {
            let before = self.broken.len();
            let mut first = None;
            for branch in branches {
                self.check(branch, value, path, depth + 1);
                let broken = self.broken.split_off(before);
                if broken.is_empty() {
                    first = None;
                    break;
                }
                first.get_or_insert(broken);
            }
            self.broken.extend(first.unwrap_or_default());
        }
    }
}

fn shown(value: &Value) -> String {
    const MAX_VALUE: usize = 100;
    let mut text = value.to_string();
    if let Some((end, _)) = text.char_indices().nth(MAX_VALUE) {
        text.truncate(end);
        text.push_str("...");
    }
    escape(&text)
}

/// What serde found wrong with the value at `path`, as it writes paths.
pub(crate) fn misfit(arguments: &JsonObject, path: &str, problem: &str) -> String {
    let path = escape(path);
    match look_up(arguments, &path) {
        Some(value) => format!("`{path}` is {}, but: {problem}", shown(value)),
        None => format!("`{path}`: {problem}"),
    }
}

/// Finds `a.b[2].c`.
fn look_up<'a>(arguments: &'a JsonObject, path: &str) -> Option<&'a Value> {
    let mut steps = path.split(['.', '[']);
    let first = arguments.get(steps.next()?)?;
    steps.try_fold(first, |at, step| match step.strip_suffix(']') {
        Some(index) => at.get(index.parse::<usize>().ok()?),
        None => at.get(step),
    })
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde_json::json;

    use super::*;

    #[derive(JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Trip {
        #[schemars(length(min = 1, max = 5))]
        name: String,
        #[schemars(range(min = 1, max = 16))]
        days: u8,
        #[serde(default)]
        stops: Vec<Stop>,
        #[schemars(range(max = 9))]
        people: Option<u8>,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Stop {
        #[schemars(range(min = -90.0, max = 90.0))]
        latitude: f64,
    }

    fn prepared(arguments: Value) -> Result<Value, String> {
        let schema = schemars::schema_for!(Trip);
        let Value::Object(arguments) = arguments else { panic!("not an object: {arguments}") };
        let mut arguments = Some(arguments);
        prepare(schema.as_object().unwrap(), &mut arguments)?;
        Ok(Value::Object(arguments.unwrap()))
    }

    fn problem(arguments: Value) -> String {
        prepared(arguments).unwrap_err()
    }

    #[test]
    fn good_arguments_pass_and_length_is_in_characters() {
        let given = json!({"name": "Zürch", "days": 16, "stops": [{"latitude": 47.4}]});
        assert_eq!(prepared(given.clone()), Ok(given));
        // What is of a wrong type is for serde to say.
        prepared(json!({"name": 5, "days": "x", "stops": 7, "dayz": null})).unwrap();
    }

    #[test]
    fn every_broken_rule_is_named_with_path_value_and_rule() {
        assert_eq!(
            problem(
                json!({"days": 20, "name": "", "people": 10, "stops": [{"latitude": 1}, {"latitude": 99}]})
            ),
            "`days` is 20, and must be 1 to 16; `name` is \"\", and must have 1 to 5 characters; `people` is 10, and must be 0 to 9; \
             `stops[1].latitude` is 99, and must be -90 to 90"
        );
    }

    #[test]
    fn a_whole_number_is_an_integer_and_null_leaves_out() {
        let given = prepared(json!({"name": "a", "days": 2.0, "stops": null, "people": null})).unwrap();
        assert_eq!(given, json!({"name": "a", "days": 2, "people": null}));
        assert_eq!(problem(json!({"name": "a", "days": 20.0})), "`days` is 20, and must be 1 to 16");
    }

    #[test]
    fn of_branches_one_must_take_it() {
        let schema = json!({ "properties": { "it": { "anyOf": [{ "type": "string", "maxLength": 2 }, { "type": "integer", "maximum": 5 },
            { "type": "integer", "minimum": 10 }] } } });
        let broken = |it: Value| {
            let Value::Object(arguments) = json!({ "it": it }) else { unreachable!() };
            prepare(schema.as_object().unwrap(), &mut Some(arguments)).err()
        };
        assert_eq!(
            [broken(json!("ab")), broken(json!(3)), broken(json!(12)), broken(json!(true))],
            [const { None }; 4]
        );
        assert_eq!(broken(json!(7)).unwrap(), "`it` is 7, and must be 5 or less");
        assert_eq!(broken(json!("abc")).unwrap(), "`it` is \"abc\", and must have 2 characters or less");
    }

    #[test]
    fn a_schema_that_holds_itself_ends_with_the_value() {
        let schema = json!({ "$ref": "#/$defs/Node", "$defs": { "Node": { "properties": {
            "next": { "$ref": "#/$defs/Node" }, "value": { "maximum": 1 } } } } });
        let Value::Object(arguments) = json!({ "next": { "next": { "value": 2 } } }) else { unreachable!() };
        let problem = prepare(schema.as_object().unwrap(), &mut Some(arguments)).unwrap_err();
        assert!(problem.contains("`next.next.value` is 2, and must be 1 or less"), "{problem}");
    }

    #[test]
    fn a_long_value_is_cut_and_control_characters_are_escaped() {
        let text = problem(json!({"name": format!("\u{1b}{}", "ü".repeat(500)), "days": 1}));
        assert!(text.len() < 300 && !text.contains('\u{1b}'), "{text}");
        let Value::Object(arguments) = json!({"a": [{"b": "x"}]}) else { unreachable!() };
        assert_eq!(misfit(&arguments, "a[0].b", "no"), "`a[0].b` is \"x\", but: no");
        assert_eq!(misfit(&arguments, "a[1].b", "no"), "`a[1].b`: no");
    }
}
