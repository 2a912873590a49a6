//! Many small modules, and projects that require them all.

use super::fixtures::Module;
use super::{Sandbox, sums};

/// Modules without requirements: `example.com/m000@v1.0.0` and so on.
pub struct ManyModules {
    pub modules: Vec<Module>,
    go_mod: String,
    go_sum: String,
}

impl ManyModules {
    /// So many modules, each with a file of so many bytes that do not compress.
    pub fn new(count: usize, bytes_each: usize) -> ManyModules {
        let modules: Vec<Module> = (0..count)
            .map(|number| {
                let path = format!("example.com/m{number:03}");
                let go_mod = format!("module {path}\n\ngo 1.17\n").into_bytes();
                let data = noise(number as u64, bytes_each);
                let files = [("go.mod", go_mod), ("data.bin", data)];
                let files = files.map(|(name, data)| (name.to_owned(), data)).to_vec();
                Module::new(&path, "v1.0.0", files)
            })
            .collect();
        let requires: String = modules
            .iter()
            .map(|module| format!("\t{} {}\n", module.path, module.version))
            .collect();
        ManyModules {
            go_mod: format!("require (\n{requires})"),
            go_sum: modules.iter().map(sums::lines).collect(),
            modules,
        }
    }

    /// A project that requires them all, its go.sum complete.
    pub fn sandbox(&self) -> Sandbox {
        Sandbox::new().go_mod(&self.go_mod).go_sum(&self.go_sum)
    }

    /// One `path@version` a line.
    pub fn list(&self) -> String {
        self.modules
            .iter()
            .map(|module| format!("{}@{}\n", module.path, module.version))
            .collect()
    }
}

/// Bytes that do not compress (xorshift), so that a zip is as large as its content.
fn noise(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[0]
        })
        .collect()
}
