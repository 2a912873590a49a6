//! Help topics: Markdown files in `help/`, which are readable in the repository, shown by `modfetch help TOPIC` and
//! fed into man pages.

use super::markdown;

/// A subject of help that is no command.
#[derive(Debug)]
pub struct HelpTopic {
    /// The name: `modfetch help NAME`.
    pub name: &'static str,
    /// One line: what it is about.
    pub brief: &'static str,
    /// The Markdown text.
    pub markdown: &'static str,
}

/// Every topic, in the order of help.
pub static TOPICS: &[HelpTopic] = &[
    HelpTopic {
        name: "settings",
        brief: "Flags, variables, files and defaults",
        markdown: include_str!("help/settings.md"),
    },
    HelpTopic {
        name: "exit-codes",
        brief: "Exit codes and signals",
        markdown: include_str!("help/exit-codes.md"),
    },
    HelpTopic {
        name: "output",
        brief: "Output of each command, JSON and logs",
        markdown: include_str!("help/output.md"),
    },
    HelpTopic {
        name: "commands",
        brief: "Every command, with its counterpart in go",
        markdown: include_str!("help/commands.md"),
    },
    HelpTopic {
        name: "modules",
        brief: "Module arguments, queries, and what download writes",
        markdown: include_str!("help/modules.md"),
    },
    HelpTopic {
        name: "verify",
        brief: "Checks, findings and repair",
        markdown: include_str!("help/verify.md"),
    },
    HelpTopic {
        name: "cache",
        brief: "The module cache on disk",
        markdown: include_str!("help/cache.md"),
    },
    HelpTopic {
        name: "network",
        brief: "Retries, limits and proxies",
        markdown: include_str!("help/network.md"),
    },
    HelpTopic {
        name: "direct",
        brief: "Modules from their repositories",
        markdown: include_str!("help/direct.md"),
    },
    HelpTopic {
        name: "serve",
        brief: "The caching proxy: policy, access, limits and operation",
        markdown: include_str!("help/serve.md"),
    },
    HelpTopic {
        name: "store",
        brief: "Several servers over one store with the S3 API",
        markdown: include_str!("help/store.md"),
    },
    HelpTopic {
        name: "credentials",
        brief: "Credentials and certificates",
        markdown: include_str!("help/credentials.md"),
    },
    HelpTopic {
        name: "workspaces",
        brief: "go.work files",
        markdown: include_str!("help/workspaces.md"),
    },
    HelpTopic {
        name: "air-gap",
        brief: "Bundles: carrying modules to a closed site",
        markdown: include_str!("help/air-gap.md"),
    },
    HelpTopic {
        name: "audit",
        brief: "Bills of materials, audits and the age of versions",
        markdown: include_str!("help/audit.md"),
    },
    HelpTopic {
        name: "go-differences",
        brief: "Where modfetch differs from go",
        markdown: include_str!("help/go-differences.md"),
    },
    HelpTopic {
        name: "windows",
        brief: "Windows: paths, locks, and what differs",
        markdown: include_str!("help/windows.md"),
    },
];

impl HelpTopic {
    /// The text as a terminal shows it.
    pub(super) fn plain(&self, width: usize) -> String {
        markdown::plain(self.markdown, width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_texts_that_fit_a_terminal() {
        for topic in TOPICS {
            let text = topic.plain(80);
            assert!(text.lines().count() > 10, "{}\n{text}", topic.name);
            assert!(!text.contains("**"), "{}\n{text}", topic.name);
            for line in text.lines().filter(|line| !line.starts_with("    ")) {
                assert!(line.chars().count() <= 80, "{}: {line}", topic.name);
            }
        }
    }
}
