//! `sum --explain`: who says what of a module version, side by side, and the verdict.

use super::json::JsonObject;
use crate::fetch::Evidence;
use crate::gomod::ModuleVersion;
use crate::trust::{Claim, Said, Verdict, Witness};

/// What was made of the evidence.
#[derive(Clone, Debug)]
pub struct Explained<'a> {
    /// About which version.
    pub module: &'a ModuleVersion,
    /// What was said.
    pub evidence: &'a Evidence,
    /// About the zip, where there is a disagreement.
    pub zip: Option<Verdict>,
    /// About the go.mod, likewise.
    pub gomod: Option<Verdict>,
    /// `agree`, `disagree`, or `unknown` if nobody had a sum.
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
                let odd = is_odd(verdict.as_ref(), claim);
                let mark = if odd { "  <- odd" } else { "" };
                let witness = claim.witness.to_string();
                text.push_str(&format!("  {witness:<14}  {}{mark}\n", said(&claim.said)));
            }
            if let Some(Verdict { cause, next, .. }) = verdict {
                text.push_str(&format!("  likely cause: {cause}\n  next step: {next}\n"));
            }
        }
        text.push_str(match self.state {
            "agree" => "all that could be asked agree\n",
            "disagree" => "they do not agree\n",
            _ => "nobody has a sum\n",
        });
        text
    }

    /// For programs: `Path`, `Version`, `State`, and for `Zip` and `GoMod` the sum by witness,
    /// `Unheard` with a reason by witness, `Odd`, `Cause` and `Next`.
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

fn is_odd(verdict: Option<&Verdict>, claim: &Claim) -> bool {
    let silent = matches!(claim.said, Said::Nothing(_));
    !silent && verdict.is_some_and(|verdict| verdict.odd.contains(&claim.witness))
}

fn said(said: &Said) -> String {
    match said {
        Said::Sum(sum) => sum.clone(),
        Said::Nothing(why) => (*why).to_owned(),
        Said::Failed(error) => {
            let reason = error.chain();
            reason.lines().next().unwrap_or_default().to_owned()
        }
    }
}

fn part(claims: &[Claim], verdict: Option<&Verdict>) -> JsonObject {
    let mut json = JsonObject::new();
    let mut unheard = JsonObject::new();
    for claim in claims {
        match &claim.said {
            Said::Sum(sum) => json.string(claim.witness.key(), sum),
            _ => unheard.string(claim.witness.key(), &said(&claim.said)),
        }
    }
    json.object("Unheard", &unheard);
    if let Some(verdict) = verdict {
        let odd: Vec<&str> = verdict
            .odd
            .iter()
            .map(|witness| Witness::key(*witness))
            .collect();
        json.strings("Odd", &odd);
        json.string("Cause", &verdict.cause);
        json.string("Next", &verdict.next);
    }
    json
}
