//! `sum --explain`: the recorded sums of a module version, side by side, and the verdict.

use super::json::JsonObject;
use crate::fetch::HashEvidence;
use crate::gomod::ModuleVersion;
use crate::trust::{HashMismatch, HashReport, HashSource, ReportedHash};

/// What was made of the evidence.
#[derive(Clone, Debug)]
pub struct Explained<'a> {
    /// About which version.
    pub module: &'a ModuleVersion,
    /// What was said.
    pub evidence: &'a HashEvidence,
    /// About the zip, where there is a disagreement.
    pub zip: Option<HashMismatch>,
    /// About the go.mod, likewise.
    pub gomod: Option<HashMismatch>,
    /// `agree`, `disagree`, or `unknown` if no source had a sum.
    pub state: &'static str,
}

impl Explained<'_> {
    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", self.module);
        let parts = [
            ("module", &self.evidence.zip, &self.zip),
            ("go.mod", &self.evidence.gomod, &self.gomod),
        ];
        for (name, claims, verdict) in parts {
            text.push_str(&format!("{name}\n"));
            for claim in claims {
                let mismatched = is_mismatched(verdict.as_ref(), claim);
                let mark = if mismatched { "  <- mismatch" } else { "" };
                let source = claim.source.to_string();
                text.push_str(&format!(
                    "  {source:<14}  {}{mark}\n",
                    report(&claim.report)
                ));
            }
            if let Some(HashMismatch { cause, next, .. }) = verdict {
                text.push_str(&format!("  likely cause: {cause}\n  next step: {next}\n"));
            }
        }
        text.push_str(match self.state {
            "agree" => "all that could be asked agree\n",
            "disagree" => "they do not agree\n",
            _ => "no source has a sum\n",
        });
        text
    }

    /// For programs: `Path`, `Version`, `State`, and for `Zip` and `GoMod` the sum by witness,
    /// `Unavailable` with a reason by source, `Mismatched`, `Cause` and `Next`.
    #[must_use]
    pub fn json(&self) -> JsonObject {
        let mut json = JsonObject::new();
        json.string("Path", self.module.path().as_str());
        json.string("Version", self.module.version().as_str());
        json.string("State", self.state);
        json.object("Zip", &part(&self.evidence.zip, self.zip.as_ref()));
        json.object("GoMod", &part(&self.evidence.gomod, self.gomod.as_ref()));
        json
    }
}

fn is_mismatched(verdict: Option<&HashMismatch>, claim: &ReportedHash) -> bool {
    let silent = matches!(claim.report, HashReport::Absent(_));
    !silent && verdict.is_some_and(|verdict| verdict.mismatched.contains(&claim.source))
}

fn report(report: &HashReport) -> String {
    match report {
        HashReport::Sum(sum) => sum.clone(),
        HashReport::Absent(why) => (*why).to_owned(),
        HashReport::Failed(error) => {
            let reason = error.chain();
            reason.lines().next().unwrap_or_default().to_owned()
        }
    }
}

fn part(claims: &[ReportedHash], verdict: Option<&HashMismatch>) -> JsonObject {
    let mut json = JsonObject::new();
    let mut unavailable = JsonObject::new();
    for claim in claims {
        match &claim.report {
            HashReport::Sum(sum) => json.string(claim.source.key(), sum),
            _ => unavailable.string(claim.source.key(), &report(&claim.report)),
        }
    }
    json.object("Unavailable", &unavailable);
    if let Some(verdict) = verdict {
        let mismatched: Vec<&str> = verdict
            .mismatched
            .iter()
            .map(|source| HashSource::key(*source))
            .collect();
        json.strings("Mismatched", &mismatched);
        json.string("Cause", &verdict.cause);
        json.string("Next", &verdict.next);
    }
    json
}
