//! The vendor directory in place of the module cache: when that is so, and what it tells.
//!
//! Source: golang/go `cmd/go/internal/modload/init.go` (`setDefaultBuildMod`), `buildlist.go`
//! (`initVendor`).

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::agreement::{VENDORING_GO, VendorView, listed};
use crate::error::{Error, Kind, Result};
use crate::fsio::short_path;
use crate::gomod::modfile::{Listed, ModulesTxt};
use crate::gomod::{ActingVersion, ModuleVersion};
use crate::graph::Graph;
use crate::project::{BuildMod, Project};

/// `-mod=vendor`.
const VENDOR: &str = "vendor";

/// Whether a vendor directory is used.
#[derive(Clone, Debug)]
pub enum Vendoring {
    /// This one is.
    Used(Vendor),
    /// None is: go.mod counts as it is.
    Unused(BuildMod),
}

/// A vendor directory that is used, and agrees with go.mod.
#[derive(Clone, Debug)]
pub struct Vendor {
    list: ModulesTxt,
    mode: BuildMod,
}

impl Vendor {
    /// The vendor directory that is used unless `-mod` says otherwise; `asked` if it says
    /// `-mod=vendor`. Messages name files from `cwd` on where that is shorter.
    ///
    /// # Errors
    /// In go's words: [`Kind::LocalIo`] if modules.txt cannot be read; [`Kind::Input`] if it needs a
    /// newer go, or does not agree with go.mod.
    pub fn open(
        project: &Project,
        cwd: &Path,
        asked: bool,
        running: &ActingVersion,
    ) -> Result<Vendoring> {
        let view = VendorView { project, cwd };
        let directory = view.root().join("vendor");
        let file = directory.join("modules.txt");
        let unused = |why: String| Ok(Vendoring::Unused(BuildMod::found("readonly", why)));
        let mut is_workspace = None;
        let (mode, list) = if asked {
            (BuildMod::asked(VENDOR), read(&file)?)
        } else if !project.overlay().is_dir(&directory) {
            return unused(String::new());
        } else {
            let says = if view.in_workspace() {
                "go.work"
            } else {
                "go.mod"
            };
            let end = "so vendor directory was not used.";
            match view.go() {
                None => return unused(format!("Go version in {says} is unspecified, {end}")),
                Some(go) if !go.at_least(VENDORING_GO) => {
                    return unused(format!("Go version in {says} is {go}, {end}"));
                }
                Some(_) => {}
            }
            let reading = |error: Error| error.context("reading modules.txt for vendor directory");
            let shown = file.display().to_string();
            let overlay = project.overlay();
            overlay.check_open(&file, &shown).map_err(reading)?;
            let list = read(&file).map_err(reading)?;
            // As in go, what stands in for modules.txt says whose the directory is, and no more.
            is_workspace = match overlay.replaces(&file) {
                true => {
                    let seen = overlay.name_of(&file, &shown);
                    let seen = read(Path::new(&seen)).map_err(reading)?;
                    Some(ModulesTxt::parse(&seen).is_workspace())
                }
                false => None,
            };
            let why = format!("Go version in {says} is at least 1.14 and vendor directory exists.");
            (BuildMod::found(VENDOR, why), list)
        };
        let list = ModulesTxt::parse(&list);
        let is_workspace = is_workspace.unwrap_or_else(|| list.is_workspace());
        if !asked && is_workspace != view.in_workspace() {
            return unused(match is_workspace {
                true => "Outside workspace mode, but vendor directory is for a workspace.".into(),
                false => "In workspace mode, but vendor directory is not for a workspace".into(),
            });
        }
        for (path, go) in list.go_lines() {
            let what = format!("{path} in {}", short_path(cwd, &file));
            running.check(&what, go)?;
        }
        let vendor = Vendor { list, mode };
        let faults = view.faults(&vendor.list);
        if faults.is_empty() {
            return Ok(Vendoring::Used(vendor));
        }
        let command = if view.in_workspace() { "work" } else { "mod" };
        let text = format!(
            "inconsistent vendoring in {}:{faults}\n\n\tTo ignore the vendor directory, use \
             -mod=readonly or -mod=mod.\n\tTo sync the vendor directory, run:\n\t\tgo {command} vendor",
            view.root().display()
        );
        Err(Error::new(Kind::Input, text))
    }

    /// The modules that are known without the module cache, with the versions that count.
    ///
    /// # Errors
    /// In go's words, one error a module: go.mod should require what is vendored, and does not.
    pub fn graph(&self, project: &Project) -> Result<Graph, Vec<Error>> {
        let providing = self.list.providing().iter();
        let modules = || {
            providing
                .clone()
                .filter_map(|module| ModuleVersion::parse(&module.path, &module.version).ok())
        };
        if !project.is_pruned() {
            return Ok(Graph::vendored(project, modules().collect()));
        }
        // go.mod names all that the build needs then.
        let is_root = |module: &Listed| {
            // go takes what go.mod says of its own module for nothing.
            let root = project.root_version(&module.path);
            let root = root.filter(|_| !project.is_main(&module.path));
            root.is_some_and(|root| listed(&root) == *module)
        };
        let missing = providing.clone().filter(|module| !is_root(module));
        let mut errors: Vec<Error> = missing
            .map(|module| {
                let text =
                    format!("vendored module {module} should be required explicitly in go.mod");
                Error::new(Kind::Input, text)
            })
            .collect();
        if errors.is_empty() {
            return Ok(Graph::vendored(project, Vec::new()));
        }
        errors.push(self.mode.outdated());
        Err(errors)
    }

    /// What modules.txt says.
    #[must_use]
    pub fn list(&self) -> &ModulesTxt {
        &self.list
    }

    /// How it came about that it is used.
    #[must_use]
    pub fn mode(&self) -> &BuildMod {
        &self.mode
    }
}

/// Reads modules.txt; that it is missing says nothing.
fn read(file: &Path) -> Result<Vec<u8>> {
    let fail = |cause| {
        let verb = if file.is_dir() { "read" } else { "open" };
        Error::io(verb, file, cause)
    };
    match fs::read(file) {
        Ok(data) => Ok(data),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(cause) => Err(fail(cause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gomod::{GoVersion, Toolchain};

    const END: &str = "\n\n\tTo ignore the vendor directory, use -mod=readonly or -mod=mod.\n\tTo \
                       sync the vendor directory, run:\n\t\tgo mod vendor";

    /// What becomes of a project with these files: the faults, another error, whether the
    /// directory is used.
    fn open(go_mod: &str, txt: Option<&str>, asked: bool) -> String {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        if let Some(txt) = txt {
            fs::create_dir(root.join("vendor")).unwrap();
            fs::write(root.join("vendor/modules.txt"), txt).unwrap();
        }
        let file = root.join("go.mod");
        fs::write(&file, format!("module m\n{go_mod}")).unwrap();
        let project = Project::read(&file, None, root).unwrap();
        let local = GoVersion::parse("1.26.8").unwrap();
        let running = Toolchain::parse("local", &local).unwrap().start(None);
        match Vendor::open(&project, root, asked, &running.unwrap()) {
            Ok(Vendoring::Unused(mode)) => format!("not used{}", mode.explanation()),
            Ok(Vendoring::Used(vendor)) => format!("used{}", vendor.mode().explanation()),
            Err(error) => {
                let text = error.chain().replace(&*root.to_string_lossy(), "DIR");
                let faults = text.strip_prefix("inconsistent vendoring in DIR:\n\t");
                let faults = faults.and_then(|faults| faults.strip_suffix(END));
                faults.map_or(text.clone(), str::to_owned)
            }
        }
    }

    #[test]
    fn a_vendor_directory_is_used_when_go_uses_it() {
        let found = "used\n\t(Go version in go.mod is at least 1.14 and vendor directory exists.)";
        let old = "not used\n\t(Go version in go.mod is 1.13, so vendor directory was not used.)";
        let none = "not used\n\t(Go version in go.mod is unspecified, so vendor directory was not \
                    used.)";
        let other = "not used\n\t(Outside workspace mode, but vendor directory is for a \
                     workspace.)";
        // (go.mod, modules.txt, -mod=vendor, what `go list -m` of go1.26.8 makes of it)
        let rows = [
            ("go 1.14\n", Some(""), false, found),
            ("go 1.13\n", Some(""), false, old),
            ("", Some(""), false, none),
            ("go 1.21\n", None, false, "not used"),
            ("go 1.21\n", Some("## workspace\n"), false, other),
            ("go 1.21\n", Some("## workspace\n"), true, "used"),
            ("go 1.21\n", None, true, "used"),
            ("", None, true, "used"),
        ];
        for (go_mod, txt, asked, want) in rows {
            assert_eq!(open(go_mod, txt, asked), want, "{go_mod} {txt:?} {asked}");
        }
    }

    #[test]
    fn what_does_not_agree_is_told_in_the_words_of_go() {
        let required = "is explicitly required in go.mod, but not marked as explicit in \
                        vendor/modules.txt";
        // (go.mod, modules.txt, what `go list -m -mod=vendor` of go1.26.8 says)
        let rows = [
            (
                "go 1.21\nrequire a.com/a v1.0.0\n",
                "",
                format!("a.com/a@v1.0.0: {required}"),
            ),
            (
                "go 1.21\nrequire (\na.com/a v1.0.0\nb.com/b v1.2.0\n)\n",
                "# a.com/a v1.0.0\n## go 1.20\na.com/a\n# b.com/b v1.1.0\n## explicit\nb.com/b\n",
                format!(
                    "a.com/a@v1.0.0: {required}\n\tb.com/b@v1.2.0: {required}\n\tb.com/b@v1.1.0: is \
                     marked as explicit in vendor/modules.txt, but not explicitly required in go.mod"
                ),
            ),
            (
                "go 1.13\nrequire a.com/a v1.0.0\nrequire b.com/b v1.0.0\n",
                "# a.com/a v1.0.1\na.com/a\n",
                "a.com/a@v1.0.0: is explicitly required in go.mod, but vendor/modules.txt indicates \
                 a.com/a@v1.0.1"
                    .to_owned(),
            ),
            (
                "go 1.21\nreplace a.com/a => ./y\nreplace w.com/w v1.2.0 => ./w\n",
                "# l.com/l v1.1.0 => y.com/y v1.0.0\nl.com/l\n# z.com/z => ./z\n",
                "a.com/a: is replaced in go.mod, but not marked as replaced in vendor/modules.txt\n\t\
                 w.com/w@v1.2.0: is replaced in go.mod, but not marked as replaced in \
                 vendor/modules.txt\n\tl.com/l@v1.1.0: is marked as replaced in vendor/modules.txt, \
                 but not replaced in go.mod\n\tz.com/z: is marked as replaced in vendor/modules.txt, \
                 but not replaced in go.mod"
                    .to_owned(),
            ),
            (
                "go 1.21\nreplace a.com/a => ./y\nreplace b.com/b v1.0.0 => c.com/c v1.0.0\n",
                "# a.com/a => ./x\n# b.com/b v1.0.0 => c.com/c v1.1.0\n",
                "a.com/a: is replaced by ./y in go.mod, but marked as replaced by ./x in \
                 vendor/modules.txt\n\tb.com/b@v1.0.0: is replaced by c.com/c@v1.0.0 in go.mod, but \
                 marked as replaced by c.com/c@v1.1.0 in vendor/modules.txt"
                    .to_owned(),
            ),
            // Before go 1.14 little was written, and little is demanded.
            (
                "go 1.13\nreplace a.com/a => ./y\nreplace w.com/w v1.2.0 => ./w\n",
                "# w.com/w v1.2.0\nw.com/w\n",
                "w.com/w@v1.2.0: is replaced in go.mod, but not marked as replaced in \
                 vendor/modules.txt"
                    .to_owned(),
            ),
            (
                "go 1.21\nrequire a.com/a v1.0.0\nreplace a.com/a => ./x\nreplace m => ./m\n",
                "# a.com/a v1.0.0 => ./x\n## explicit\na.com/a\n# a.com/a => ./x\n",
                "used".to_owned(),
            ),
            (
                "go 1.21\n",
                "# a.com/a v1.0.0\n## go 1.26.8\n# b.com/b v1.0.0\n## explicit; go 1.30\n",
                "b.com/b in vendor/modules.txt requires go >= 1.30 (running go 1.26.8; \
                 GOTOOLCHAIN=local)"
                    .to_owned(),
            ),
        ];
        for (go_mod, txt, want) in rows {
            assert_eq!(open(go_mod, Some(txt), true), want, "{go_mod}{txt}");
        }
    }

    /// The build list, or what go says in its place.
    fn build_list(go_mod: &str, txt: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("go.mod");
        fs::write(&file, format!("module m\n{go_mod}")).unwrap();
        let project = Project::read(&file, None, dir.path()).unwrap();
        let vendor = Vendor {
            list: ModulesTxt::parse(txt.as_bytes()),
            mode: BuildMod::asked(VENDOR),
        };
        let lines: Vec<String> = match vendor.graph(&project) {
            Ok(graph) => graph
                .build_list()
                .map(|module| module.to_string())
                .collect(),
            Err(errors) => errors.iter().map(Error::chain).collect(),
        };
        lines.join("\n")
    }

    #[test]
    fn go_mod_tells_the_build_list_and_before_go_1_17_modules_txt_as_well() {
        let txt =
            "# a.com/a v1.0.0\n## explicit\na.com/a\n# b.com/b v1.1.0\nb.com/b\n# c.com/c v1.0.0\n";
        let required = "require a.com/a v1.0.0\n";
        let old = build_list(&format!("go 1.16\n{required}"), txt);
        assert_eq!(old, "a.com/a@v1.0.0\nb.com/b@v1.1.0");
        let both = format!("go 1.17\n{required}require b.com/b v1.1.0\nrequire d.com/d v1.0.0\n");
        assert_eq!(
            build_list(&both, txt),
            "a.com/a@v1.0.0\nb.com/b@v1.1.0\nd.com/d@v1.0.0"
        );
        // Of `go list -m -mod=vendor`, go1.26.8.
        let want = "vendored module b.com/b@v1.1.0 should be required explicitly in go.mod\n\
                    updates to go.mod needed, disabled by -mod=vendor; to update it:\n\tgo mod tidy";
        assert_eq!(build_list(&format!("go 1.17\n{required}"), txt), want);
        let other = format!("go 1.17\n{required}require b.com/b v1.0.0\n");
        assert_eq!(build_list(&other, txt), want);
    }
}
