//! A listed module as the templates of `-f` see it.

use super::ModuleInfo;
use crate::error::Error;
use crate::gotemplate::{TemplateObject, Type, Value};
use crate::source::VcsOrigin;

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

impl TemplateObject for ModuleInfo {
    fn go_type(&self) -> &'static Type {
        &MODULE
    }

    fn field(&self, name: &str) -> Value<'_> {
        fn module(module: Option<&ModuleInfo>) -> Value<'_> {
            Value::object(module.map(|module| module as &dyn TemplateObject), &MODULE)
        }
        match name {
            "Path" => Value::str(&self.path),
            "Version" => Value::str(&self.version),
            "Query" => Value::str(&self.query),
            "Versions" => Value::List(&self.versions),
            "Replace" => module(self.replace.as_deref()),
            "Time" => Value::time(self.time),
            "Update" => module(self.update.as_deref()),
            "Main" => Value::Bool(self.main),
            "Indirect" => Value::Bool(self.indirect),
            "Dir" => Value::str(&self.dir),
            "GoMod" => Value::str(&self.gomod),
            "GoVersion" => Value::str(&self.go_version),
            "Retracted" => Value::List(&self.retracted),
            "Deprecated" => Value::str(&self.deprecated),
            "Error" => Value::object(
                self.error.as_ref().map(|e| e as &dyn TemplateObject),
                &ERROR,
            ),
            "Sum" => Value::str(&self.sum),
            "GoModSum" => Value::str(&self.gomod_sum),
            "Origin" => Value::object(
                self.origin.as_deref().map(|o| o as &dyn TemplateObject),
                &ORIGIN,
            ),
            "Reuse" => Value::Bool(self.reuse),
            _ => Value::Missing,
        }
    }

    fn string(&self) -> String {
        self.to_string()
    }
}

impl TemplateObject for Error {
    fn go_type(&self) -> &'static Type {
        &ERROR
    }

    fn field(&self, _: &str) -> Value<'_> {
        Value::string(self.chain())
    }
}

impl TemplateObject for VcsOrigin {
    fn go_type(&self) -> &'static Type {
        &ORIGIN
    }

    fn field(&self, name: &str) -> Value<'_> {
        let found = self.fields().find(|(field, _)| *field == name);
        Value::str(found.map_or("", |(_, value)| value))
    }
}
