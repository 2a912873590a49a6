//! modfetch beside the real go and golang.org/x/mod.

mod direct;
mod direct_kinds;
mod direct_reuse;
mod graph;
mod list;
mod list_templates;
mod listed_versions;
mod messages;
mod modedit;
mod module_rules;
pub mod modwrite;
mod query;
mod release;
mod reuse;
mod template;
mod template_random;
mod toolchain;
mod vcs_test;
mod vendor;
mod work;
mod work_clashes;
