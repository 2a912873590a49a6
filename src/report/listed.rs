//! `list -m -json`: one object a module, go's keys in go's order.

use super::json::JsonObject;
use super::outcome::origin_json;
use crate::list::ModuleInfo;

/// The object that `go list -m -json` prints for a module. `fields` are those that were asked for,
/// of the module itself; without any all are shown.
#[must_use]
pub fn module_json(info: &ModuleInfo, fields: &[String]) -> JsonObject {
    let wanted = |key: &str| fields.is_empty() || fields.iter().any(|field| field == key);
    let mut json = JsonObject::new();
    let string = |json: &mut JsonObject, key: &'static str, value: &str| {
        if wanted(key) {
            json.string(key, value);
        }
    };
    let truth = |json: &mut JsonObject, key: &'static str, value: bool| {
        if value && wanted(key) {
            json.boolean(key, true);
        }
    };
    let list = |json: &mut JsonObject, key: &'static str, values: &[String]| {
        if wanted(key) {
            json.lines(key, values);
        }
    };
    let module = |json: &mut JsonObject, key: &'static str, value: &Option<Box<ModuleInfo>>| {
        if let Some(value) = value.as_deref().filter(|_| wanted(key)) {
            json.object(key, &module_json(value, &[]));
        }
    };
    string(&mut json, "Path", &info.path);
    string(&mut json, "Version", &info.version);
    string(&mut json, "Query", &info.query);
    list(&mut json, "Versions", &info.versions);
    module(&mut json, "Replace", &info.replace);
    if let Some(time) = info.time {
        string(&mut json, "Time", &time.to_string());
    }
    module(&mut json, "Update", &info.update);
    truth(&mut json, "Main", info.main);
    truth(&mut json, "Indirect", info.indirect);
    string(&mut json, "Dir", &info.dir);
    string(&mut json, "GoMod", &info.gomod);
    string(&mut json, "GoVersion", &info.go_version);
    list(&mut json, "Retracted", &info.retracted);
    string(&mut json, "Deprecated", &info.deprecated);
    if let Some(error) = info.error.as_ref().filter(|_| wanted("Error")) {
        let mut object = JsonObject::new();
        object.string("Err", &error.chain());
        json.object("Error", &object);
    }
    string(&mut json, "Sum", &info.sum);
    string(&mut json, "GoModSum", &info.gomod_sum);
    if let Some(origin) = info.origin.as_ref().filter(|_| wanted("Origin")) {
        json.present_object("Origin", &origin_json(origin));
    }
    truth(&mut json, "Reuse", info.reuse);
    json
}
