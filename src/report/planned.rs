//! What would be fetched: the lines of `download --dry-run` and the forms of `plan`.

use super::count::human;
use super::json::JsonObject;
use crate::fetch::CacheStatus;
use crate::gomod::ModuleVersion;
use crate::source::ProxyUrls;

/// A module version that a download would complete.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Which.
    pub module: ModuleVersion,
    /// The module graph needs its go.mod, and nothing else is wanted of it.
    pub gomod_only: bool,
    /// What the cache has of it.
    pub status: CacheStatus,
    /// Where it would be asked for first, if a proxy is asked at all.
    pub place: Option<ProxyUrls>,
    /// Where its repository is, as `git https://HOST/PATH`, if that is asked.
    pub repository: Option<String>,
}

impl Planned {
    /// True if something would be fetched or unpacked.
    #[must_use]
    pub fn lacks(&self) -> bool {
        !self.status.missing.is_empty()
    }

    /// One line: the module and what is missing.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{} {}", self.module, self.status.missing.join(" "))
    }

    /// The same as an object: `Path`, `Version`, `Missing`.
    #[must_use]
    pub fn brief_json(&self) -> JsonObject {
        let mut json = JsonObject::new();
        json.string("Path", self.module.path().as_str());
        json.string("Version", self.module.version().as_str());
        json.strings("Missing", &self.status.missing);
        json
    }

    /// All that is known: after these `ROCache` (what of it a cache has that is only read),
    /// `GoModOnly`, `InfoURL`, `GoModURL`, `ZipURL`, `Repository`, `Sum`,
    /// `GoModSum`, `ZipSize` (bytes) and `ZipSHA256`; what is not known is left out.
    #[must_use]
    pub fn json(&self) -> JsonObject {
        let mut json = self.brief_json();
        json.strings("ROCache", &self.status.read_only);
        if self.gomod_only {
            json.boolean("GoModOnly", true);
        }
        if let Some(place) = &self.place {
            if !self.gomod_only {
                json.string("InfoURL", &place.info);
            }
            json.string("GoModURL", &place.gomod);
            if !self.gomod_only {
                json.string("ZipURL", &place.zip);
            }
        }
        json.string("Repository", self.repository.as_deref().unwrap_or_default());
        let CacheStatus {
            sum,
            gomod_sum,
            zip_bytes,
            zip_sha256,
            ..
        } = &self.status;
        json.string("Sum", sum.as_deref().unwrap_or_default());
        json.string("GoModSum", gomod_sum.as_deref().unwrap_or_default());
        if let Some(bytes) = zip_bytes {
            json.number("ZipSize", *bytes);
        }
        json.string("ZipSHA256", zip_sha256.as_deref().unwrap_or_default());
        json
    }

    /// The URLs of the files that would be asked for.
    pub fn urls(&self) -> impl Iterator<Item = &str> {
        let place = self.place.iter();
        place.flat_map(|place| {
            self.status.asked().map(|name| match name {
                "info" => place.info.as_str(),
                "mod" => &place.gomod,
                _ => &place.zip,
            })
        })
    }

    /// The cells of its row: module, version, size of the zip, what is missing, whom to ask.
    fn cells(&self) -> [String; 5] {
        let size = match self.status.zip_bytes {
            Some(bytes) => human(bytes),
            None => "-".to_owned(),
        };
        let missing = match self.lacks() {
            true => self.status.missing.join(" "),
            false => "complete".to_owned(),
        };
        let from = match &self.place {
            _ if self.status.asked().next().is_none() && self.status.read_only.is_empty() => "",
            _ if self.status.asked().next().is_none() => "read-only cache",
            Some(place) => &place.proxy,
            None => self.repository.as_deref().unwrap_or("no proxy"),
        };
        [
            self.module.path().to_string(),
            self.module.version().to_string(),
            size,
            missing,
            from.to_owned(),
        ]
    }
}

/// A table for people: a row for each module, also for complete ones, and for go.mod files that
/// are missing; then a line with the totals.
#[must_use]
pub fn planned_table(planned: &[Planned]) -> String {
    let shown = planned.iter().filter(|one| !one.gomod_only || one.lacks());
    let rows: Vec<[String; 5]> = shown.map(Planned::cells).collect();
    let mut widths = [0; 5];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(widths);
        let line: String = cells
            .map(|(cell, width)| format!("{cell:<width$}  "))
            .collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text + &totals(planned)
}

fn totals(planned: &[Planned]) -> String {
    let modules = || planned.iter().filter(|one| !one.gomod_only);
    let known: u64 = modules().filter_map(|one| one.status.zip_bytes).sum();
    let of_file = |name: &str| {
        let asked = planned.iter().flat_map(|one| one.status.asked());
        asked.filter(|asked| *asked == name).count()
    };
    let files = ["info", "mod", "zip"].map(|name| (name, of_file(name)));
    let files = files.iter().filter(|(_, count)| *count > 0);
    let files: Vec<String> = files
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    let files = match files.is_empty() {
        true => "nothing".to_owned(),
        false => files.join(", "),
    };
    let (all, complete) = (
        modules().count(),
        modules().filter(|one| !one.lacks()).count(),
    );
    let noun = if all == 1 { "module" } else { "modules" };
    let known = human(known);
    format!("{all} {noun}, {complete} complete, {known} of zips cached; to fetch: {files}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(name: &str, missing: &[&'static str], zip_bytes: Option<u64>) -> Planned {
        let (path, version) = name.split_once('@').unwrap();
        let url = |suffix: &str| format!("https://proxy.test/{path}/@v/{version}.{suffix}");
        Planned {
            repository: None,
            module: ModuleVersion::parse(path, version).unwrap(),
            gomod_only: false,
            status: CacheStatus {
                missing: missing.to_vec(),
                sum: Some("h1:zip".to_owned()),
                zip_bytes,
                ..CacheStatus::default()
            },
            place: Some(ProxyUrls {
                proxy: "https://proxy.test".to_owned(),
                info: url("info"),
                gomod: url("mod"),
                zip: url("zip"),
            }),
        }
    }

    #[test]
    fn a_table_has_a_row_a_module_and_totals() {
        let rows = [
            planned("a.com/a@v1.0.0", &[], Some(1234)),
            planned("b.com/longer@v0.2.0", &["zip", "ziphash", "dir"], None),
            planned("c.com/c@v1.0.0", &["dir"], Some(5)),
            Planned {
                status: CacheStatus {
                    missing: vec!["zip", "dir"],
                    read_only: vec!["zip"],
                    ..CacheStatus::default()
                },
                ..planned("c.com/d@v1.0.0", &[], None)
            },
            Planned {
                gomod_only: true,
                place: None,
                ..planned("d.com/d@v1.0.0", &["mod"], None)
            },
            Planned {
                gomod_only: true,
                ..planned("e.com/e@v1.0.0", &[], None)
            },
        ];
        let want = "\
a.com/a       v1.0.0  1.23 kB  complete
b.com/longer  v0.2.0  -        zip ziphash dir  https://proxy.test
c.com/c       v1.0.0  5 B      dir
c.com/d       v1.0.0  -        zip dir          read-only cache
d.com/d       v1.0.0  -        mod              no proxy
4 modules, 1 complete, 1.24 kB of zips cached; to fetch: 1 mod, 1 zip
";
        assert_eq!(planned_table(&rows), want);
        assert_eq!(
            planned_table(&[]),
            "0 modules, 0 complete, 0 B of zips cached; to fetch: nothing\n"
        );
    }

    #[test]
    fn only_what_is_missing_has_a_url() {
        let urls = |missing: &[&'static str]| {
            let one = planned("a.com/a@v1.0.0", missing, None);
            one.urls().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(urls(&["dir", "ziphash"]), Vec::<String>::new());
        assert_eq!(
            urls(&["info", "zip", "dir"]),
            [
                "https://proxy.test/a.com/a/@v/v1.0.0.info",
                "https://proxy.test/a.com/a/@v/v1.0.0.zip"
            ]
        );
    }
}
