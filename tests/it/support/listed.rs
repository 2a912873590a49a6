//! A listed module as templates see it, read from JSON as `go list -m -json` prints it.

use modfetch::internals::gomod::Time;
use modfetch::internals::gotemplate::{TemplateObject, Type, Value};
use serde_json::Value as Json;

static MODULE: Type = Type {
    name: "modinfo.ModulePublic",
    fields: &[
        "Path",
        "Version",
        "Query",
        "Versions",
        "Replace",
        "Time",
        "Update",
        "Main",
        "Indirect",
        "Dir",
        "GoMod",
        "GoVersion",
        "Retracted",
        "Deprecated",
        "Error",
        "Sum",
        "GoModSum",
        "Origin",
        "Reuse",
    ],
    stringer: true,
};

static ERROR: Type = Type {
    name: "modinfo.ModuleError",
    fields: &["Err"],
    stringer: false,
};

static ORIGIN: Type = Type {
    name: "codehost.Origin",
    fields: &[
        "VCS",
        "URL",
        "Subdir",
        "Hash",
        "TagPrefix",
        "TagSum",
        "Ref",
        "RepoSum",
    ],
    stringer: false,
};

/// A struct of strings.
struct Strings {
    go_type: &'static Type,
    json: Json,
}

impl TemplateObject for Strings {
    fn go_type(&self) -> &'static Type {
        self.go_type
    }

    fn field(&self, name: &str) -> Value<'_> {
        Value::str(self.json[name].as_str().unwrap_or_default())
    }
}

/// A listed module.
pub struct Module {
    json: Json,
    versions: Vec<String>,
    retracted: Vec<String>,
    replace: Option<Box<Module>>,
    update: Option<Box<Module>>,
    error: Option<Strings>,
    origin: Option<Strings>,
}

impl Module {
    pub fn new(json: &Json) -> Module {
        let strings = |json: &Json| {
            let list = json.as_array().map_or(&[][..], |list| list);
            let texts = list.iter().map(|text| text.as_str().unwrap().to_owned());
            texts.collect()
        };
        let module = |json: &Json| json.is_object().then(|| Box::new(Module::new(json)));
        let object = |json: &Json, go_type| {
            let json = json.clone();
            json.is_object().then_some(Strings { go_type, json })
        };
        Module {
            versions: strings(&json["Versions"]),
            retracted: strings(&json["Retracted"]),
            replace: module(&json["Replace"]),
            update: module(&json["Update"]),
            error: object(&json["Error"], &ERROR),
            origin: object(&json["Origin"], &ORIGIN),
            json: json.clone(),
        }
    }

    fn text(&self, name: &str) -> &str {
        self.json[name].as_str().unwrap_or_default()
    }

    fn shown_version(&self) -> String {
        let mark = match &*self.retracted {
            [] => "",
            _ => " (retracted)",
        };
        format!("{}{mark}", self.text("Version"))
    }

    /// Version, update and deprecation.
    fn shown_state(&self) -> String {
        let mut out = String::new();
        if !self.text("Version").is_empty() {
            out += &format!(" {}", self.shown_version());
            if let Some(update) = &self.update {
                out += &format!(" [{}]", update.shown_version());
            }
        }
        if !self.text("Deprecated").is_empty() {
            out += " (deprecated)";
        }
        out
    }
}

impl TemplateObject for Module {
    fn go_type(&self) -> &'static Type {
        &MODULE
    }

    fn field(&self, name: &str) -> Value<'_> {
        fn module(module: &Option<Box<Module>>) -> Value<'_> {
            let module = module
                .as_deref()
                .map(|module| module as &dyn TemplateObject);
            Value::object(module, &MODULE)
        }
        match name {
            "Versions" => Value::List(&self.versions),
            "Retracted" => Value::List(&self.retracted),
            "Replace" => module(&self.replace),
            "Update" => module(&self.update),
            "Error" => Value::object(
                self.error.as_ref().map(|e| e as &dyn TemplateObject),
                &ERROR,
            ),
            "Origin" => Value::object(
                self.origin.as_ref().map(|o| o as &dyn TemplateObject),
                &ORIGIN,
            ),
            "Time" => Value::time(Time::parse(self.text("Time"))),
            "Main" | "Indirect" | "Reuse" => {
                Value::Bool(self.json[name].as_bool().unwrap_or_default())
            }
            _ => Value::str(self.text(name)),
        }
    }

    fn string(&self) -> String {
        let mut out = format!("{}{}", self.text("Path"), self.shown_state());
        if let Some(replace) = &self.replace {
            out += &format!(" => {}{}", replace.text("Path"), replace.shown_state());
        }
        out
    }
}
