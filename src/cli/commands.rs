//! The commands: their names and what help says about them.

/// A command, without its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// `download`, also `mod download`.
    Download,
    /// `verify`, also `mod verify`.
    Verify,
    /// `graph`, also `mod graph`.
    Graph,
    /// `list`.
    List,
    /// `why -m`, also `mod why -m`.
    Why,
    /// `clean`.
    Clean,
    /// `plan`.
    Plan,
    /// `sum`.
    Sum,
    /// `doctor`.
    Doctor,
    /// `env`.
    Env,
    /// `version`.
    Version,
    /// `help`.
    Help,
}

/// What help says about a command.
#[derive(Debug)]
pub struct CommandInfo {
    /// The command.
    pub verb: Verb,
    /// Its name.
    pub name: &'static str,
    /// Its name as a command of go, if it is one that modfetch serves.
    pub go_name: Option<&'static str>,
    /// What may follow the flags.
    pub arguments: &'static str,
    /// One line: what it does.
    pub brief: &'static str,
    /// Paragraphs, one a line.
    pub detail: &'static str,
    /// Command lines to start from, each with what it does.
    pub examples: &'static [(&'static str, &'static str)],
}

/// Every command, in the order of help.
#[must_use]
pub fn commands() -> &'static [CommandInfo] {
    COMMANDS
}

const COMMANDS: &[CommandInfo] = &[
    CommandInfo {
        verb: Verb::Download,
        name: "download",
        go_name: Some("mod download"),
        arguments: "[modules]",
        brief: "Fetch modules into the module cache",
        detail: "Fetches, checks and unpacks modules into GOMODCACHE, as 'go mod download' does: \
the cache is the same and either program can use it.\n\
Modules are path@version or path@query (latest, v1, <v2, a branch), or names, patterns (with ...) and 'all' among the dependencies of \
go.mod; without any, what go.mod needs is fetched.\n\
Each module is checked against go.sum, or against the checksum database where go.sum has no \
line for it. Nothing unchecked becomes visible in the cache.",
        examples: &[
            (
                "modfetch download",
                "what go.mod needs, as 'go mod download'",
            ),
            (
                "modfetch download --locked",
                "the same, and fail if go.sum is incomplete: for images and CI",
            ),
            (
                "modfetch download -json golang.org/x/mod@v0.20.0",
                "one module, described as JSON",
            ),
            (
                "modfetch download --offline",
                "prove that the cache is complete without opening a socket",
            ),
            (
                "modfetch download --from list.txt",
                "the path@version lines of a file",
            ),
        ],
    },
    CommandInfo {
        verb: Verb::Verify,
        name: "verify",
        go_name: Some("mod verify"),
        arguments: "[modules]",
        brief: "Check that cached modules are what go.sum says",
        detail: "Hashes zip, directory and go.mod of every module that the cache has of those go.mod needs, and compares them with go.sum and with the ziphash beside the zip. Without a difference it prints 'all modules verified', as 'go mod verify' does, which compares with the ziphash only; otherwise it names the files that differ and ends with exit code 5.\nModules are named as for download. What is not cached is not checked.\nNo socket is opened, nothing is written and no lock is taken: the cache may be read-only. \
--repair does all three, for modules that go.sum or the checksum database vouches for.",
        examples: &[
            ("modfetch verify", "what go.mod needs, as 'go mod verify'"),
            (
                "modfetch verify --cache",
                "everything that is cached, without any project",
            ),
            (
                "modfetch verify --repair",
                "and fetch or extract again what is damaged",
            ),
            (
                "modfetch verify -json example.com/...",
                "what was compared, and every file that differs",
            ),
        ],
    },
    CommandInfo {
        verb: Verb::Graph,
        name: "graph",
        go_name: Some("mod graph"),
        arguments: "",
        brief: "Print the module requirement graph",
        detail: "Prints one requirement a line, 'PATH@VERSION PATH@VERSION', the main module without \
a version, in the order of 'go mod graph': breadth first from go.mod. go and toolchain lines are \
requirements, too. go.mod files that are not cached are fetched and checked; go.mod and go.sum are \
not written.\n\
With -json, prints one object a module version: what it requires, whether it is the selected one, and \
what replaces it. With --dot, prints a graph for Graphviz, in which selected versions have a solid \
line.",
        examples: &[
            ("modfetch graph", "the graph, as 'go mod graph'"),
            (
                "modfetch graph -go=1.16",
                "the whole graph, as go 1.16 would read it",
            ),
            (
                "modfetch graph --dot | dot -Tsvg > graph.svg",
                "a picture of it",
            ),
        ],
    },
    CommandInfo {
        verb: Verb::List,
        name: "list",
        go_name: Some("list"),
        arguments: "-m [modules]",
        brief: "Describe modules",
        detail: "Prints a line a module, 'PATH VERSION', with what replaces it, and with -u a newer \
version, as 'go list -m' does. -m must be given: packages are not listed.\n\
Modules are path@version or path@query, or names, patterns (with ...) and 'all' among the \
dependencies of go.mod; without any, it is the main module. Their metadata and go.mod files are \
fetched where the cache lacks them, zips are not.\n\
go.mod and go.sum are taken as they are: what the graph is read from must have its line in go.sum.\n\
Go's flags about building, such as -tags, are taken and change nothing, as in go.",
        examples: &[
            (
                "modfetch list -m all",
                "every module of the build, as 'go list -m all'",
            ),
            (
                "modfetch list -m -u -json all",
                "newer versions, retractions and deprecations",
            ),
            (
                "modfetch list -m -versions golang.org/x/mod",
                "which versions there are",
            ),
            (
                "modfetch list -m -json golang.org/x/mod@latest",
                "what a query means, without any project",
            ),
        ],
    },
    CommandInfo {
        verb: Verb::Why,
        name: "why",
        go_name: Some("mod why"),
        arguments: "-m [modules]",
        brief: "Explain by which requirements a module is there",
        detail: "Prints for each module the shortest chain of requirements from the main module to the \
version that is in use, one a line below '# MODULE', in the form of 'go mod why -m'. Modules are \
paths, patterns (with ...) and 'all'; without any, it is the main module. go and toolchain are \
modules, too.\n\
It is another question than go's: go looks for packages that are imported, modfetch reads no source \
and looks at go.mod files only. A module that is required and never imported has a chain here, \
where go says that the main module does not need it. For that reason -m must be given, and the \
command does not stand in for 'go mod why' where modfetch is called as go.\n\
go.mod files that are not cached are fetched and checked; go.mod and go.sum are not written. With \
-json, prints one object a module.",
        examples: &[
            (
                "modfetch why -m golang.org/x/text",
                "who requires it, in the version that is in use",
            ),
            ("modfetch why -m go", "who requires this go version"),
            ("modfetch why -m -json all", "every module of the build"),
        ],
    },
    CommandInfo {
        verb: Verb::Clean,
        name: "clean",
        go_name: Some("clean"),
        arguments: "-modcache",
        brief: "Remove the module cache",
        detail: "Removes GOMODCACHE and everything below it, read-only or not, as 'go clean \
-modcache' does; a link is removed and not followed. The directory is moved aside as a whole and then \
removed: nobody sees a half of it, and the next clean removes what an interrupted one left. Who is \
filling the cache meanwhile fails and leaves nothing that looks complete.\n\
Nothing else is cleaned: -modcache must be given. No go.mod is needed.",
        examples: &[
            ("modfetch clean -modcache", "as 'go clean -modcache'"),
            ("modfetch clean -modcache -n", "print what would be removed"),
        ],
    },
    CommandInfo {
        verb: Verb::Plan,
        name: "plan",
        go_name: None,
        arguments: "[modules]",
        brief: "Say what download would fetch, and from where",
        detail: "Prints for each module that 'download' with the same arguments would complete what is \
missing in the cache, which proxy would be asked first, and how long the zip is, if it is cached. \
Nothing is fetched but go.mod files that the module graph is read from, and these are not kept.\n\
With -json, prints one object a module: URLs, sums of go.sum, size and SHA-256 of cached zips. With \
-urls, prints the URLs of what is missing. With -files, prints which files of the project a download \
needs, for COPY in a Dockerfile. No secret is in any of it.",
        examples: &[
            ("modfetch plan", "what is missing, as a table"),
            (
                "modfetch plan -json --scope all",
                "URLs and sums of the whole build list, for other programs",
            ),
            (
                "modfetch plan -urls -0 | xargs -0 curl --remote-name-all",
                "fetch it with something else",
            ),
            ("modfetch plan -files", "what an image has to COPY first"),
        ],
    },
    CommandInfo {
        verb: Verb::Sum,
        name: "sum",
        go_name: None,
        arguments: "[FILE] [path@version]",
        brief: "Compute, check, complete and explain sums",
        detail: "With a module zip or directory and the path@version that it is, prints its h1, as \
go.sum would have it. A zip that breaks a rule for module zips has none.\n\
With --check, compares go.sum with what the module graph needs, and its lines with the checksum \
database and the cache. Needed are the go.mod of every module that the graph is read from, and \
the zip of every module that go.mod lists (go 1.16 or older: of the whole build list). With \
--write, adds what is missing, and never replaces a line.\n\
With --explain, shows side by side what go.sum, the checksum database, the cache and the proxy \
say of one version, which of them is odd, the likely cause, and what to do.",
        examples: &[
            (
                "modfetch sum v1.2.0.zip example.com/text@v1.2.0",
                "the h1 of a zip",
            ),
            (
                "modfetch sum --check",
                "is go.sum complete, and does it agree with the checksum database?",
            ),
            ("modfetch sum --write", "complete go.sum without a build"),
            (
                "modfetch sum --explain golang.org/x/mod@v0.20.0",
                "who says what, after a checksum mismatch",
            ),
        ],
    },
    CommandInfo {
        verb: Verb::Doctor,
        name: "doctor",
        go_name: None,
        arguments: "",
        brief: "Say what is wrong with network, settings and cache",
        detail: "Looks at each proxy of GOPROXY and at the checksum database (name look-up, \
connection, TLS, answer, ranges, clock, credentials), at the module cache (owner, locks, space, \
what was left in it), at go.mod and go.sum, and lists the settings with what decided them.\n\
Each check is ok, skipped, warning or failed, and says what to do. No secret is printed, nothing \
is tried twice, nothing stays written. Exit code 10 if a check failed.",
        examples: &[
            ("modfetch doctor", "everything"),
            (
                "modfetch doctor --offline -json",
                "cache, project and settings only, as JSON",
            ),
        ],
    },
    CommandInfo {
        verb: Verb::Env,
        name: "env",
        go_name: Some("env"),
        arguments: "[variables]",
        brief: "Print or change the settings in force",
        detail: "Prints Go's variables that concern modules, and modfetch's own, as a shell \
script; with names, prints the value of each on a line.\n\
-w and -u edit the file that GOENV names, the one 'go env -w' edits.",
        examples: &[
            ("modfetch env GOMODCACHE", "where modules are kept"),
            ("modfetch env -v", "every setting and what decided it"),
            (
                "modfetch env -w GOPROXY=https://proxy.example.com,direct",
                "keep a setting for modfetch and go",
            ),
        ],
    },
    CommandInfo {
        verb: Verb::Version,
        name: "version",
        go_name: None,
        arguments: "",
        brief: "Print the version of modfetch",
        detail: "Prints the name and version of this program.",
        examples: &[("modfetch version", "name and version")],
    },
    CommandInfo {
        verb: Verb::Help,
        name: "help",
        go_name: Some("help"),
        arguments: "[command]",
        brief: "Explain a command",
        detail: "Prints what 'COMMAND --help' prints.",
        examples: &[("modfetch help download", "everything about download")],
    },
];

impl Verb {
    /// What help says about the command.
    #[must_use]
    pub fn info(self) -> &'static CommandInfo {
        // A test proves that every verb has its row; the first row only satisfies the types.
        COMMANDS
            .iter()
            .find(|info| info.verb == self)
            .unwrap_or(&COMMANDS[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_row() {
        for verb in [
            Verb::Download,
            Verb::Verify,
            Verb::Graph,
            Verb::List,
            Verb::Why,
            Verb::Clean,
            Verb::Plan,
            Verb::Sum,
            Verb::Doctor,
            Verb::Env,
            Verb::Version,
            Verb::Help,
        ] {
            assert_eq!(verb.info().verb, verb);
        }
    }
}
