//! The report as text and as JSON.

use super::check::{Check, CheckStatus, DoctorReport, DoctorSection};
use crate::report::JsonObject;

/// Lines for people: a section after the other, the settings, and the verdict at the end.
#[must_use]
pub fn text(report: &DoctorReport) -> String {
    let mut out = String::new();
    for section in &report.sections {
        out.push_str(&format!("{} {}\n", section.group, section.subject));
        for check in &section.checks {
            let (status, name) = (check.status.name(), check.name);
            let seen = indented(&check.seen);
            out.push_str(&format!("  {status:<8} {name:<12} {seen}\n"));
            for step in &check.next {
                out.push_str(&format!("           next: {}\n", indented(step)));
            }
        }
    }
    out.push_str("settings\n");
    for row in &report.settings {
        let (name, value, origin) = (&row.name, &row.value, &row.origin);
        out.push_str(&format!("  {name}={value} ({origin})\n"));
    }
    let failed = report.count(CheckStatus::Failed);
    let warnings = report.count(CheckStatus::Warning);
    let ok = report.count(CheckStatus::Ok);
    out.push_str(&format!("{failed} failed, {warnings} warnings, {ok} ok\n"));
    out
}

/// Further lines below the first one; nothing that a terminal would act on.
fn indented(text: &str) -> String {
    let lines: Vec<String> = text
        .lines()
        .map(|line| line.chars().filter(|c| !c.is_control()).collect())
        .collect();
    lines.join("\n           ")
}

/// One object with the same.
#[must_use]
pub fn json(report: &DoctorReport) -> String {
    let mut object = JsonObject::new();
    object.string("Status", report.status().name());
    let checks = |section: &DoctorSection| {
        let checks = section.checks.iter();
        checks
            .map(|check| check_json(section, check))
            .collect::<Vec<_>>()
    };
    let checks: Vec<JsonObject> = report.sections.iter().flat_map(checks).collect();
    object.objects("Checks", &checks);
    let settings: Vec<JsonObject> = report
        .settings
        .iter()
        .map(|row| {
            let mut object = JsonObject::new();
            object.string("Name", &row.name);
            object.string("Value", &row.value);
            object.string("Origin", &row.origin);
            object
        })
        .collect();
    object.objects("Settings", &settings);
    object.indented() + "\n"
}

fn check_json(section: &DoctorSection, check: &Check) -> JsonObject {
    let mut object = JsonObject::new();
    object.string("Group", section.group);
    object.string("Subject", &section.subject);
    object.string("Name", check.name);
    object.string("Status", check.status.name());
    object.string("Seen", &check.seen);
    object.strings("Next", &check.next);
    object
}

#[cfg(test)]
mod tests {
    use super::super::check::ShownSetting;
    use super::*;

    #[test]
    fn both_forms_have_everything_in_order() {
        let report = DoctorReport {
            sections: vec![DoctorSection {
                group: "proxy",
                subject: "https://h.com".to_owned(),
                checks: vec![
                    Check::ok("dns", "127.0.0.1"),
                    Check::failed("connect", "refused\n\x1b[1mby all").next("start it"),
                    Check::warning("clock", "late"),
                ],
            }],
            settings: vec![ShownSetting {
                name: "GOPROXY".to_owned(),
                value: "https://h.com".to_owned(),
                origin: "default".to_owned(),
            }],
        };
        let want = "\
proxy https://h.com
  ok       dns          127.0.0.1
  failed   connect      refused
           [1mby all
           next: start it
  warning  clock        late
settings
  GOPROXY=https://h.com (default)
1 failed, 1 warnings, 1 ok
";
        assert_eq!(text(&report), want);
        let object: serde_json::Value = serde_json::from_str(&json(&report)).unwrap();
        assert_eq!(object["Status"], "failed");
        assert_eq!(object["Checks"][1]["Next"][0], "start it");
        assert_eq!(object["Checks"][2]["Status"], "warning");
        assert_eq!(object["Settings"][0]["Origin"], "default");
        let none = DoctorReport {
            sections: Vec::new(),
            settings: Vec::new(),
        };
        let object: serde_json::Value = serde_json::from_str(&json(&none)).unwrap();
        assert_eq!(object["Status"], "ok");
        assert_eq!(object["Checks"], serde_json::json!([]));
    }
}
