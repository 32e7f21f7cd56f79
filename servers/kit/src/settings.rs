//! What a person sets for a server: a struct of the server's own, from the command line, the environment and a file.
//!
//! Arguments + variables + file -> `T`, or the setting that is wrong, where it came from, and the rule. Invariants: an argument wins
//! over a variable, and that over the file; no value is ever told, since it may be a secret.

use drydock_runtime::args::{Args, CliError, Flag};
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::arguments::broken_rules;
use crate::schema::{self, fits};

/// A JSON file with settings: its flag, its variable.
const FILE: [&str; 2] = ["settings", "SETTINGS_FILE"];

/// The settings that a server has.
pub(crate) struct Settings {
    schema: JsonObject,
    fields: Vec<Field>,
}

struct Field {
    name: String,
    /// `base-url`
    flag: String,
    /// `BASE_URL`
    variable: String,
    /// What `--help` says of it.
    help: String,
    is_required: bool,
}

impl Settings {
    /// Of a server that has none.
    pub(crate) fn none() -> Self {
        Self { schema: JsonObject::new(), fields: Vec::new() }
    }

    /// The fields of a struct.
    pub(crate) fn of<T: JsonSchema>() -> Self {
        let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
        let schema = schema::mend_input(schema.as_object().unwrap_or(&JsonObject::new()));
        let own = schema.get("properties").and_then(Value::as_object);
        let fields =
            own.into_iter().flatten().map(|(name, field)| Field::new(&schema, name, field)).collect();
        Self { schema, fields }
    }

    /// As options of the command line.
    pub(crate) fn flags(&self) -> Vec<Flag<'_>> {
        let own = self.fields.iter().map(|it| (&*it.flag, &*it.variable, &*it.help));
        let file = (FILE[0], FILE[1], "FILE     a JSON object with settings");
        own.chain((!self.fields.is_empty()).then_some(file)).collect()
    }

    /// Reads them.
    ///
    /// # Errors
    /// A setting is missing, or not what its field takes; the file cannot be read.
    pub(crate) fn read<T: DeserializeOwned>(&self, args: &Args) -> Result<T, CliError> {
        let mut values = match args.extra(FILE[0]) {
            Some(file) => read_file(file)?,
            None => JsonObject::new(),
        };
        if let Some(unknown) = values.keys().find(|it| self.fields.iter().all(|field| field.name != **it)) {
            let name = drydock_runtime::log::escape(unknown);
            return Err(format!("`{name}`, in the file of settings, is none that this server has").into());
        }
        for field in &self.fields {
            if let Some(text) = args.extra(&field.flag) {
                values.insert(field.name.clone(), self.value(field, text)?);
            }
            if field.is_required && !values.contains_key(&field.name) {
                return Err(format!("`{}` is not set: {}", field.name, field.cure()).into());
            }
        }
        let values = Value::Object(values);
        if let Some(it) = broken_rules(&self.schema, &values).first() {
            return Err(format!("`{}` must {}: {}", it.path, it.rule, self.cure(&it.path)).into());
        }
        serde_path_to_error::deserialize(values).map_err(|e| {
            let path = e.path().to_string();
            format!("`{path}` is not what this server takes: {}", self.cure(&path)).into()
        })
    }

    /// The first of the values that a text can mean which the field takes.
    fn value(&self, field: &Field, text: &str) -> Result<Value, CliError> {
        let none = JsonObject::new();
        let own = self.schema.get("properties").and_then(|it| it.get(&field.name)?.as_object());
        let schema = own.unwrap_or(&none);
        let plain = Value::String(text.to_owned());
        let list = || text.split(',').map(|it| Value::String(it.trim().to_owned())).collect();
        let readings = [Some(plain), serde_json::from_str(text).ok(), Some(Value::Array(list()))];
        readings
            .into_iter()
            .flatten()
            .find(|it| fits(&self.schema, schema, it))
            .ok_or_else(|| format!("`{}` must be {}: {}", field.name, kind(schema), field.cure()).into())
    }

    fn cure(&self, path: &str) -> String {
        let name = path.split(['.', '[']).next().unwrap_or_default();
        self.fields.iter().find(|it| it.name == name).map(Field::cure).unwrap_or_default()
    }
}

impl Field {
    fn new(root: &JsonObject, name: &str, schema: &Value) -> Self {
        let flag = name.replace('_', "-").to_lowercase();
        let variable = name.replace('-', "_").to_uppercase();
        let required = root.get("required").and_then(Value::as_array);
        let is_required = required.is_some_and(|it| it.iter().any(|it| it == name));
        let about = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        let default = schema.get("default").filter(|it| !it.is_null() && **it != Value::Array(Vec::new()));
        let end = match default {
            Some(Value::String(it)) => format!(" [{it}]"),
            Some(it) => format!(" [{it}]"),
            None if is_required => " (required)".to_owned(),
            None => String::new(),
        };
        let first = about.lines().next().unwrap_or_default().trim_end_matches('.');
        Self { name: name.to_owned(), flag, variable, help: format!("{first}{end}"), is_required }
    }

    fn cure(&self) -> String {
        format!("set the variable {}, or give --{}", self.variable, self.flag)
    }
}

fn read_file(file: &str) -> Result<JsonObject, CliError> {
    let wrong = |why: String| CliError::from(format!("the file of settings {file:?} {why}"));
    let text = std::fs::read_to_string(file).map_err(|e| wrong(format!("cannot be read: {e}")))?;
    // serde_json's own words may quote it.
    let place = |e: serde_json::Error| format!("is no JSON object: line {}, column {}", e.line(), e.column());
    serde_json::from_str(&text).map_err(|e| wrong(place(e)))
}

/// What a field takes, in words.
fn kind(schema: &JsonObject) -> String {
    if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
        let choices: Vec<_> = choices.iter().filter_map(Value::as_str).collect();
        return format!("one of {}", choices.join(", "));
    }
    let types = match schema.get("type") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let mut words = types.iter().filter_map(|it| match *it {
        "integer" => Some("a whole number"),
        "number" => Some("a number"),
        "boolean" => Some("true or false"),
        "array" => Some("a list, with commas between its items or as JSON"),
        "object" => Some("a JSON object"),
        _ => None,
    });
    words.next_back().unwrap_or("of another form").to_owned()
}

#[cfg(test)]
mod tests {
    use drydock_runtime::args::CliSpec;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    struct Own {
        /// Where the service is. Its address.
        base_url: String,
        /// How many at once.
        #[schemars(range(min = 1, max = 9))]
        #[serde(default = "three")]
        workers: u8,
        #[serde(default)]
        mode: Mode,
        #[serde(default)]
        is_loud: bool,
        #[serde(default)]
        folders: Vec<String>,
        api_key: Option<String>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    enum Mode {
        #[default]
        Fast,
        Slow,
    }

    fn three() -> u8 {
        3
    }

    fn read(words: &[&str], variables: &[(&str, &str)]) -> Result<Own, String> {
        let settings = Settings::of::<Own>();
        let flags = settings.flags();
        let spec = CliSpec { options: &flags, ..CliSpec::default() };
        let words = words.iter().chain(&["stdio"]).map(Into::into);
        let variable = |name: &str| variables.iter().find(|it| it.0 == name).map(|it| it.1.to_owned());
        let args = Args::parse(&spec, words, variable).map_err(|e| e.to_string())?;
        settings.read(&args).map_err(|e| e.to_string())
    }

    #[test]
    fn an_argument_wins_over_a_variable_and_that_over_the_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(
            &file,
            r#"{"base_url": "file", "workers": 5, "folders": ["a", "b"], "api_key": "file"}"#,
        )
        .unwrap();
        let file = file.path().to_str().unwrap();
        let own = read(
            &["--base-url", "argument", "--is-loud", "true"],
            &[("SETTINGS_FILE", file), ("BASE_URL", "variable"), ("API_KEY", "5"), ("MODE", "slow")],
        );
        let expected = Own {
            base_url: "argument".into(),
            workers: 5,
            mode: Mode::Slow,
            is_loud: true,
            folders: vec!["a".into(), "b".into()],
            api_key: Some("5".into()),
        };
        assert_eq!(own, Ok(expected));
        let lists = ["x, y", r#"["x", "y"]"#]
            .map(|it| read(&["--base-url", "", "--folders", it], &[]).unwrap().folders);
        assert_eq!(lists, [["x", "y"], ["x", "y"]]);
    }

    #[test]
    fn what_is_wrong_is_named_and_never_its_value() {
        let good = &["--base-url", "x"];
        for (variable, value, expected) in [
            (
                "WORKERS",
                "Kanarie",
                "`workers` must be a whole number: set the variable WORKERS, or give --workers",
            ),
            ("WORKERS", "12", "`workers` must be 1 to 9: set the variable WORKERS, or give --workers"),
            ("MODE", "Kanarie", "`mode` must be one of fast, slow: set the variable MODE, or give --mode"),
            (
                "IS_LOUD",
                "Kanarie",
                "`is_loud` must be true or false: set the variable IS_LOUD, or give --is-loud",
            ),
            ("SETTINGS_FILE", "/nowhere", "the file of settings \"/nowhere\" cannot be read"),
        ] {
            let problem = read(good, &[(variable, value)]).unwrap_err();
            assert!(problem.starts_with(expected) && !problem.contains("Kanarie"), "{problem}");
        }
        let missing = "`base_url` is not set: set the variable BASE_URL, or give --base-url";
        assert_eq!(read(&[], &[]).unwrap_err(), missing);
        let file = tempfile::NamedTempFile::new().unwrap();
        for (text, expected) in [
            ("{\"bse_url\": 1}", "`bse_url`, in the file of settings"),
            ("[\"Kanarie\"]", "no JSON object: line 1"),
        ] {
            std::fs::write(&file, text).unwrap();
            let problem = read(good, &[("SETTINGS_FILE", file.path().to_str().unwrap())]).unwrap_err();
            assert!(problem.contains(expected) && !problem.contains("Kanarie"), "{problem}");
        }
    }

    #[test]
    fn help_tells_what_each_is_for() {
        let settings = Settings::of::<Own>();
        let flags = settings.flags();
        let help = drydock_runtime::args::help("/mcp", &CliSpec { options: &flags, ..CliSpec::default() });
        for line in [
            "--base-url       Where the service is. Its address (required)  (BASE_URL)",
            "How many at once [3]  (WORKERS)",
            "--is-loud         [false]  (IS_LOUD)",
        ] {
            assert!(help.contains(line), "{help}");
        }
        assert!(Settings::none().flags().is_empty());
    }
}
