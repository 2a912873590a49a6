//! The result of `modfetch audit`: as text, as JSON, and as SARIF for code scanners.
//!
//! Source of the last: OASIS SARIF 2.1.0.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::JsonObject;
use crate::audit::AuditFinding;

/// In which form it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditForm {
    /// A line a finding, and a line of totals.
    Text,
    /// One object.
    Json,
    /// SARIF 2.1.0.
    Sarif,
}

/// What was found, and in what.
#[derive(Clone, Copy, Debug)]
pub struct AuditReport<'a> {
    /// In the order they are printed.
    pub findings: &'a [AuditFinding],
    /// How many modules were looked at.
    pub modules: usize,
    /// With how many records they were compared.
    pub records: usize,
    /// The date of the records.
    pub snapshot: Option<&'a str>,
}

/// The result, with a line feed at its end.
#[must_use]
pub fn audit_text(report: &AuditReport<'_>, form: AuditForm) -> String {
    match form {
        AuditForm::Text => text(report),
        AuditForm::Json => json(report).indented() + "\n",
        AuditForm::Sarif => sarif(report).indented() + "\n",
    }
}

fn text(report: &AuditReport<'_>) -> String {
    let mut out = String::new();
    for finding in report.findings {
        // Writing to a string succeeds.
        let _ = write!(
            out,
            "{}@{}: {}: {}",
            finding.path,
            finding.version,
            finding.kind.name(),
            sentence(finding)
        );
        if let Some(reason) = &finding.accepted {
            let _ = write!(out, " [accepted: {reason}]");
        }
        out.push('\n');
    }
    let open = report
        .findings
        .iter()
        .filter(|finding| finding.accepted.is_none())
        .count();
    let accepted = report.findings.len() - open;
    let _ = write!(
        out,
        "{} modules, {open} findings, {accepted} accepted",
        report.modules
    );
    if report.records > 0 {
        let date = report.snapshot.unwrap_or("an unknown date");
        let _ = write!(out, "; {} records of {date}", report.records);
    }
    out.push('\n');
    out
}

/// What there is to say of a finding, without the module.
fn sentence(finding: &AuditFinding) -> String {
    let mut text = String::new();
    if finding.id != finding.kind.name() {
        text.push_str(&finding.id);
        if !finding.aliases.is_empty() {
            let _ = write!(text, " ({})", finding.aliases.join(", "));
        }
        text.push_str(": ");
    }
    text.push_str(&finding.summary);
    match &finding.fixed {
        Some(fixed) => drop(write!(text, "; fixed in {fixed}")),
        None if finding.url.is_some() => text.push_str("; no fixed version is known"),
        None => {}
    }
    text
}

fn json(report: &AuditReport<'_>) -> JsonObject {
    let mut whole = JsonObject::new();
    whole.number("Modules", report.modules as u64);
    whole.number("Records", report.records as u64);
    whole.string("Snapshot", report.snapshot.unwrap_or_default());
    let findings = report.findings.iter().map(|finding| {
        let mut object = JsonObject::new();
        object.string("Path", &finding.path);
        object.string("Version", &finding.version);
        object.string("Kind", finding.kind.name());
        object.string("ID", &finding.id);
        object.strings("Aliases", &finding.aliases);
        object.string("Summary", &finding.summary);
        object.string("Fixed", finding.fixed.as_deref().unwrap_or_default());
        object.string("URL", finding.url.as_deref().unwrap_or_default());
        object.string("Accepted", finding.accepted.as_deref().unwrap_or_default());
        object
    });
    whole.objects("Findings", &findings.collect::<Vec<_>>());
    whole
}

fn sarif(report: &AuditReport<'_>) -> JsonObject {
    let mut rules: BTreeMap<&str, &AuditFinding> = BTreeMap::new();
    for finding in report.findings {
        rules.entry(&finding.id).or_insert(finding);
    }
    let rules = rules.into_iter().map(|(id, finding)| {
        let mut rule = JsonObject::new();
        rule.string("id", id);
        rule.object("shortDescription", &message(&finding.summary));
        rule.string("helpUri", finding.url.as_deref().unwrap_or_default());
        rule
    });
    let mut driver = JsonObject::new();
    driver.string("name", "modfetch");
    driver.string("version", env!("CARGO_PKG_VERSION"));
    driver.objects("rules", &rules.collect::<Vec<_>>());
    let mut tool = JsonObject::new();
    tool.object("driver", &driver);

    let results = report.findings.iter().map(|finding| {
        let mut result = JsonObject::new();
        result.string("ruleId", &finding.id);
        result.string(
            "level",
            if finding.accepted.is_some() {
                "note"
            } else {
                "warning"
            },
        );
        let text = format!(
            "{}@{}: {}",
            finding.path,
            finding.version,
            sentence(finding)
        );
        result.object("message", &message(&text));
        result.objects("locations", &[in_go_mod()]);
        if let Some(reason) = &finding.accepted {
            let mut suppression = JsonObject::new();
            suppression.string("kind", "external");
            suppression.string("justification", reason);
            result.objects("suppressions", &[suppression]);
        }
        result
    });
    let mut run = JsonObject::new();
    run.object("tool", &tool);
    run.objects("results", &results.collect::<Vec<_>>());
    let mut whole = JsonObject::new();
    whole.string("$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    whole.string("version", "2.1.0");
    whole.objects("runs", &[run]);
    whole
}

fn message(text: &str) -> JsonObject {
    let mut message = JsonObject::new();
    message.string("text", text);
    message
}

/// A scanner shows a finding at a file: the one that decides which modules there are.
fn in_go_mod() -> JsonObject {
    let mut artifact = JsonObject::new();
    artifact.string("uri", "go.mod");
    let mut physical = JsonObject::new();
    physical.object("artifactLocation", &artifact);
    let mut location = JsonObject::new();
    location.object("physicalLocation", &physical);
    location
}
