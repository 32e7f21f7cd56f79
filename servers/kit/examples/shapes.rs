//! A server whose tools take and give back every shape that a schema can have: what kit's tests of schemas, and those with the
//! clients of others, run against.
//!
//! `cargo run -p drydock-kit --example shapes -- stdio`

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::net::{IpAddr, Ipv4Addr};
use std::num::{NonZeroI8, NonZeroU16};

use drydock_kit::{Json, Parameters};
use rmcp::{ServerHandler, tool, tool_handler, tool_router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What came in.
#[derive(Serialize, JsonSchema)]
struct Got<T> {
    got: T,
}

impl<T: Serialize> Display for Got<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(&self.got).unwrap_or_default())
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Numbers {
    int8: i8,
    int16: i16,
    int32: i32,
    int64: i64,
    int: isize,
    uint8: u8,
    uint16: u16,
    uint32: u32,
    uint64: u64,
    uint: usize,
    float: f32,
    double: f64,
    /// Not 0.
    above: NonZeroU16,
    not_zero: NonZeroI8,
    maybe: Option<u32>,
    /// One of these at most.
    #[schemars(range(min = 1, max = 5))]
    few: Option<u64>,
    #[serde(default = "seven")]
    #[schemars(range(min = 1, max = 16))]
    days: u8,
    #[serde(default)]
    ratio: f64,
}

fn seven() -> u8 {
    7
}

/// Units of the answer.
#[derive(Serialize, Deserialize, JsonSchema, Default, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Units {
    /// °C, km/h, mm
    #[default]
    Metric,
    /// °F, mph, inch
    Imperial,
    Kelvin,
}

#[derive(Serialize, Deserialize, JsonSchema, Default, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum Plain {
    #[default]
    One,
    TwoWords,
}

/// The only one.
#[derive(Serialize, Deserialize, JsonSchema)]
enum Only {
    /// There is no other.
    Me,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Choices {
    only: Only,
    /// Of temperature and wind.
    #[serde(default)]
    units: Units,
    #[serde(default)]
    plain: Plain,
    maybe: Option<Units>,
    maybe_plain: Option<Plain>,
    #[serde(default)]
    many: Vec<Units>,
    by_unit: BTreeMap<String, Units>,
}

/// A place on the way.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Stop {
    #[schemars(length(min = 1, max = 20))]
    name: String,
    #[schemars(range(min = -90.0, max = 90.0))]
    latitude: f64,
    #[serde(default)]
    nights: u8,
    #[serde(default)]
    units: Units,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Pair(u8, String);

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nested {
    /// Where it begins.
    first: Stop,
    last: Option<Stop>,
    #[serde(default)]
    stops: Vec<Stop>,
    #[serde(default)]
    named: BTreeMap<String, Stop>,
    #[serde(default)]
    numbered: BTreeMap<u32, u8>,
    pair: Option<Pair>,
    flags: [bool; 2],
    lists: Vec<Vec<u16>>,
    /// Anything.
    any: Value,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Texts {
    /// Either kind.
    address: IpAddr,
    ipv4: Option<Ipv4Addr>,
    letter: char,
    word: Option<String>,
}

/// One of some, told by its kind.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
enum Tagged {
    /// By its radius.
    Circle {
        radius: u8,
    },
    /// By its sides.
    Square {
        side: u16,
        #[serde(default)]
        units: Units,
    },
    Point,
}

/// One of some, told by its key.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Keyed {
    Circle { radius: u8 },
    Length(u32),
    Nothing,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Untagged {
    Number(u32),
    Text(String),
    Range { from: u8, to: u8 },
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Variants {
    tagged: Tagged,
    keyed: Keyed,
    untagged: Untagged,
    maybe: Option<Tagged>,
    #[serde(default)]
    many: Vec<Untagged>,
}

/// A type that holds itself.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Node {
    value: u8,
    #[serde(default)]
    units: Units,
    #[serde(default)]
    children: Vec<Node>,
    next: Option<Box<Node>>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Tree {
    root: Node,
}

struct Shapes;

#[tool_router]
impl Shapes {
    /// Numbers of every kind.
    #[tool]
    fn numbers(&self, Parameters(it): Parameters<Numbers>) -> Json<Got<Numbers>> {
        Json(Got { got: it }).with_display()
    }

    /// Enums of unit variants.
    #[tool]
    fn choices(&self, Parameters(it): Parameters<Choices>) -> Json<Got<Choices>> {
        Json(Got { got: it }).with_display()
    }

    /// Structs in structs, lists and maps.
    #[tool]
    fn nested(&self, Parameters(it): Parameters<Nested>) -> Json<Got<Nested>> {
        Json(Got { got: it }).with_display()
    }

    /// Texts that are read.
    #[tool]
    fn texts(&self, Parameters(it): Parameters<Texts>) -> Json<Got<Texts>> {
        Json(Got { got: it }).with_display()
    }

    /// Enums with data.
    #[tool]
    fn variants(&self, Parameters(it): Parameters<Variants>) -> Json<Got<Variants>> {
        Json(Got { got: it }).with_display()
    }

    /// A type that holds itself.
    #[tool]
    fn tree(&self, Parameters(it): Parameters<Tree>) -> Json<Got<Tree>> {
        Json(Got { got: it }).with_display()
    }

    /// Takes nothing.
    #[tool]
    fn nothing(&self) -> String {
        "nothing".into()
    }
}

#[tool_handler(name = "shapes", version = "1.0.0")]
impl ServerHandler for Shapes {}

fn main() -> std::process::ExitCode {
    drydock_kit::main(|| Shapes)
}
