//! `--accept-unlogged`: sums that count where the checksum database knows none.

use crate::gomod::{H1, ModuleVersion, TOOLCHAIN};

/// One sum, for the zip or the go.mod of a module version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedSum {
    /// Which module version.
    pub module: ModuleVersion,
    /// It is that of the go.mod, written as `PATH@VERSION/go.mod`.
    pub is_gomod: bool,
    /// The sum that the file must have.
    pub sum: H1,
}

impl AcceptedSum {
    /// Reads `PATH@VERSION=h1:...` or `PATH@VERSION/go.mod=h1:...`; `None` if it is neither. A
    /// toolchain is always proven by the database.
    #[must_use]
    pub fn parse(text: &str) -> Option<AcceptedSum> {
        let (name, sum) = text.split_once("=h1:")?;
        let sum = H1::parse(&format!("h1:{sum}")).ok()?;
        let (name, is_gomod) = match name.strip_suffix("/go.mod") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let (path, version) = name.split_once('@')?;
        let module = ModuleVersion::parse(path, version).ok()?;
        (path != TOOLCHAIN).then_some(AcceptedSum {
            module,
            is_gomod,
            sum,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_of_one_file_of_one_version() {
        let sum = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let zip = AcceptedSum::parse(&format!("a.com/m@v1.0.0={sum}")).unwrap();
        assert!(!zip.is_gomod);
        assert_eq!(zip.module.to_string(), "a.com/m@v1.0.0");
        assert_eq!(zip.sum.to_string(), sum);
        let gomod = AcceptedSum::parse(&format!("a.com/m@v1.0.0/go.mod={sum}")).unwrap();
        assert!(gomod.is_gomod);
        for text in [
            "".to_owned(),
            "a.com/m@v1.0.0".to_owned(),
            "a.com/m@v1.0.0=h1:abc".to_owned(),
            format!("a.com/m@v1={sum}"),
            format!("a.com/m={sum}"),
            format!("golang.org/toolchain@v0.0.1-go1.27.0.linux-amd64={sum}"),
        ] {
            assert_eq!(AcceptedSum::parse(&text), None, "{text}");
        }
    }
}
