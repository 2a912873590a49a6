//! From a commit to the version that go gives it: a tag, `+incompatible`, or a pseudo-version after the newest tag
//! before the commit; and whether a pseudo-version that was asked for is the right one.
//!
//! Source: golang/go `cmd/go/internal/modfetch/coderepo.go`, `convert` and `validatePseudoVersion`.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use super::{INCOMPATIBLE, RepositoryModule};
use crate::error::{Error, Kind, Result, Subject};
use crate::gomod::{
    canonical, compare, is_pseudo_version, is_valid, major, pseudo_version, pseudo_version_base,
    pseudo_version_revision, pseudo_version_time,
};
use crate::source::MAX_MOD_BYTES;
use crate::source::direct::repository::Revision;

/// Finds the version of one commit.
pub(super) struct Converter<'a> {
    module: &'a RepositoryModule,
    found: &'a Revision,
    /// What was asked for; empty for the newest.
    asked: &'a str,
    /// The root has no go.mod.
    without_go_mod: Cell<Option<bool>>,
    /// Nor has the folder of a major version.
    without_major_go_mod: RefCell<HashMap<String, bool>>,
}

impl<'a> Converter<'a> {
    /// For a commit that was `found` when `asked` was asked for.
    pub(super) fn new(
        module: &'a RepositoryModule,
        found: &'a Revision,
        asked: &'a str,
    ) -> Converter<'a> {
        Converter {
            module,
            found,
            asked,
            without_go_mod: Cell::new(None),
            without_major_go_mod: RefCell::default(),
        }
    }

    /// The version that go gives the commit.
    ///
    /// # Errors
    /// The commit is not the version that was asked for, or is no version of the module.
    pub(super) fn version(&self) -> Result<String> {
        let Converter {
            module,
            found,
            asked,
            ..
        } = self;
        if is_pseudo_version(asked) {
            let version = self.checked(asked)?;
            self.check_pseudo_version(asked)?;
            return Ok(version);
        }
        // A tag that is a version is it.
        if let (Some(version), true) = self.version_of_tag(&found.version)
            && let Ok(version) = self.checked(&version)
        {
            return Ok(version);
        }
        let mut highest = String::new();
        let mut base = String::new();
        for tag in module.repository.tags_of(found)? {
            let (Some(version), is_plain) = self.version_of_tag(&tag) else {
                continue;
            };
            if !asked.is_empty() && compare(&version, asked).is_eq() && is_valid(asked) {
                if is_plain {
                    return self.checked(&version);
                }
                // `v1.0.0+a` and `v1.0.0+b` may be two commits: neither is v1.0.0.
                base.clone_from(&version);
            }
            if is_plain
                && (highest.is_empty() || compare(&highest, &version).is_lt())
                && (module.fits_major(&version) || self.may_be_incompatible(&version)?)
                && !module.is_retracted(&version)
            {
                highest = version;
            }
        }
        if !highest.is_empty() {
            return self.checked(&highest);
        }
        if base.is_empty() {
            let prefix = module.tag_prefix();
            let mut allowed = |tag: &str| {
                let (Some(version), _) = self.version_of_tag(tag) else {
                    return false;
                };
                let fits = module.fits_major(&version);
                (fits || self.may_be_incompatible(&version).unwrap_or(false))
                    && !module.is_retracted(&version)
            };
            let tag = module.repository.recent_tag(found, &prefix, &mut allowed)?;
            base = tag
                .and_then(|tag| self.version_of_tag(&tag).0)
                .unwrap_or_default();
        }
        let time = found.time.to_pseudo();
        let made = pseudo_version(module.pseudo_major(), &base, &time, &found.short);
        self.checked(&made)
    }

    /// The version that a tag says, and whether the tag is nothing but that version.
    fn version_of_tag(&self, tag: &str) -> (Option<String>, bool) {
        let prefix = self.module.tag_prefix();
        let Some(trimmed) = tag.strip_prefix(&prefix) else {
            return (None, false);
        };
        // It would be taken for a commit.
        if is_pseudo_version(tag) {
            return (None, false);
        }
        let plain = canonical(trimmed).map(|plain| plain.replace(INCOMPATIBLE, ""));
        let Some(version) = plain.filter(|plain| trimmed.starts_with(plain.as_str())) else {
            return (None, false);
        };
        let is_plain = version == trimmed;
        (Some(version), is_plain)
    }

    /// Whether a version of another major version may be had as `+incompatible`.
    fn may_be_incompatible(&self, version: &str) -> Result<bool> {
        let module = self.module;
        if !module.dir.is_empty() || !module.path_major.is_empty() {
            return Ok(false);
        }
        let lacks = |path: &str| {
            let read = module
                .repository
                .read_file(&self.found.id, path, MAX_MOD_BYTES);
            Ok::<_, Error>(read?.is_none())
        };
        let without = match self.without_go_mod.get() {
            Some(known) => known,
            None => lacks("go.mod")?,
        };
        self.without_go_mod.set(Some(without));
        if !without || self.asked.ends_with(INCOMPATIBLE) {
            return Ok(without);
        }
        let of_version = major(version).to_owned();
        if let Some(known) = self.without_major_go_mod.borrow().get(&of_version) {
            return Ok(*known);
        }
        let without = lacks(&format!("{of_version}/go.mod"))?;
        self.without_major_go_mod
            .borrow_mut()
            .insert(of_version, without);
        Ok(without)
    }

    /// A version that the module may have: its go.mod is where it should be, and says this major
    /// version; `+incompatible` is added where it belongs.
    fn checked(&self, version: &str) -> Result<String> {
        let Converter { module, asked, .. } = self;
        module
            .find_dir(version)
            .map_err(|error| module.invalid(version, error))?;
        let same = *asked == version || asked.strip_suffix(INCOMPATIBLE) == Some(version);
        let version = if same { asked } else { version };
        let base = version.strip_suffix(INCOMPATIBLE).unwrap_or(version);
        let mut version = version.to_owned();
        let mut refusal = None;
        if !module.fits_major(base) {
            if self.may_be_incompatible(base)? {
                version = format!("{base}{INCOMPATIBLE}");
            } else if module.path_major.is_empty() {
                let wanted = format!("{}/{}", module.prefix, major(&version));
                let text = format!(
                    "module contains a go.mod file, so module path must match major version \
                     ({wanted:?})"
                );
                refusal = Some(module.refused(&version, text));
            } else {
                let text =
                    "module path includes a major version suffix, so major version must match";
                refusal = Some(module.refused(&version, text.to_owned()));
            }
        } else if version.ends_with(INCOMPATIBLE) {
            let of_version = major(&version);
            let text = format!(
                "+incompatible suffix not allowed: major version {of_version} is compatible"
            );
            refusal = Some(module.refused(&version, text));
        }
        if canonical(asked).as_deref() == Some(*asked) {
            let wanted = asked.strip_suffix(INCOMPATIBLE).unwrap_or(asked);
            if wanted != base {
                let text = format!("resolves to version {version} ({wanted} is not a tag)");
                return Err(module.refused(asked, text));
            }
        }
        match refusal {
            Some(refusal) => Err(refusal),
            None => Ok(version),
        }
    }

    /// Refuses a pseudo-version that the commit would not be given: another revision or time, or
    /// a base that is no tag before it.
    fn check_pseudo_version(&self, version: &str) -> Result<()> {
        let Converter { module, found, .. } = self;
        let refuse = |text: String| {
            let error = Error::new(Kind::NotFound, text);
            let path = &module.path;
            Err(error
                .context("invalid pseudo-version")
                .about(Subject::version(path, version)))
        };
        let revision = pseudo_version_revision(version).unwrap_or_default();
        let short = found.short.as_str();
        if revision != short {
            return refuse(if revision.starts_with(short) {
                format!("revision is longer than canonical (expected {short})")
            } else if short.starts_with(revision) {
                format!("revision is shorter than canonical (expected {short})")
            } else {
                format!("does not match short name of revision (expected {short})")
            });
        }
        let time = found.time.to_pseudo();
        if pseudo_version_time(version) != Some(&time) {
            return refuse(format!(
                "does not match version-control timestamp (expected {time})"
            ));
        }
        let base = match pseudo_version_base(version.trim_end_matches(INCOMPATIBLE)) {
            Ok(base) => base,
            Err(reason) => return refuse(reason),
        };
        let Some(base) = base else {
            if module.pseudo_major().is_empty() && major(version) == "v1" {
                let text = "major version without preceding tag must be v0, not v1";
                return refuse(text.to_owned());
            }
            return Ok(());
        };
        let prefix = module.tag_prefix();
        let tags = module.repository.tags_of(found)?;
        if let Some(tag) = tags
            .iter()
            .find(|tag| tag.strip_prefix(&prefix) == Some(&base))
        {
            return refuse(format!(
                "tag ({tag}) found on revision {revision} is already canonical, so should not be \
                 replaced with a pseudo-version derived from that tag"
            ));
        }
        let candidates = module.repository.tags(&format!("{prefix}{base}"))?;
        let mut last = None;
        for tag in &candidates.tags {
            let of_tag = tag.name.strip_prefix(&prefix).unwrap_or(&tag.name);
            if !compare(of_tag, &base).is_eq() {
                continue;
            }
            if module.repository.descends_from(found, &tag.name)? {
                return Ok(());
            }
            last = Some(&tag.name);
        }
        refuse(match last {
            None => format!("preceding tag ({base}) not found"),
            Some(tag) => {
                format!("revision {revision} is not a descendent of preceding tag ({tag})")
            }
        })
    }
}
