//! The `h1:` sums of fixtures modules, computed here and not by the program under test.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest as _, Sha256};

use super::fixtures::Module;

/// The sum of a module's zip, as go.sum has it.
pub fn of_zip(module: &Module) -> String {
    let prefix = format!("{}@{}/", module.path, module.version);
    let mut files: Vec<(String, &[u8])> = module
        .files
        .iter()
        .map(|(name, data)| (format!("{prefix}{name}"), data.as_slice()))
        .collect();
    files.sort();
    h1(&files)
}

/// The sum of a module's go.mod.
pub fn of_go_mod(module: &Module) -> String {
    h1(&[("go.mod".to_owned(), module.gomod.as_slice())])
}

/// The two lines of go.sum for a module.
pub fn lines(module: &Module) -> String {
    let Module { path, version, .. } = module;
    format!(
        "{path} {version} {}\n{path} {version}/go.mod {}\n",
        of_zip(module),
        of_go_mod(module)
    )
}

fn h1(files: &[(String, &[u8])]) -> String {
    let mut all = Sha256::new();
    for (name, data) in files {
        for byte in Sha256::digest(data) {
            all.update(format!("{byte:02x}"));
        }
        all.update(format!("  {name}\n"));
    }
    format!("h1:{}", BASE64.encode(all.finalize()))
}
