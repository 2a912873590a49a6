//! The source of a run that may not use the network.

use super::{Info, Source};
use crate::error::{Error, Kind, Result};
use crate::module::{ModulePath, ModuleVersion};
use crate::transport::{Fetched, Sink};

/// Refuses everything, with [`Kind::Offline`]; holds no client, so no socket can be opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Offline;

fn refuse<T>(module: &str) -> Result<T> {
    let error = Error::new(
        Kind::Offline,
        format!("{module}: module lookup disabled by --offline"),
    );
    Err(error.hint("it is not in the cache; run once without --offline to fetch it"))
}

impl Source for Offline {
    fn each(
        &self,
        _: &ModulePath,
        _: &str,
        question: &mut dyn FnMut(&dyn Source) -> Result<()>,
    ) -> Result<()> {
        question(self)
    }

    fn versions(&self, path: &ModulePath) -> Result<Vec<String>> {
        refuse(&format!("module {path}"))
    }

    fn latest(&self, path: &ModulePath) -> Result<Fetched<Info>> {
        refuse(&format!("module {path}"))
    }

    fn info(&self, path: &ModulePath, revision: &str) -> Result<Fetched<Info>> {
        refuse(&format!("{path}@{revision}"))
    }

    fn gomod(&self, module: &ModuleVersion) -> Result<Fetched<Vec<u8>>> {
        refuse(&module.to_string())
    }

    fn zip(&self, module: &ModuleVersion, _: &mut dyn Sink) -> Result<Fetched<()>> {
        refuse(&module.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_refused() {
        let path = ModulePath::parse("a.com/m").unwrap();
        let module = ModuleVersion::parse("a.com/m", "v1.0.0").unwrap();
        let errors = [
            Offline.versions(&path).unwrap_err(),
            Offline.latest(&path).unwrap_err(),
            Offline.info(&path, "master").unwrap_err(),
            Offline.gomod(&module).unwrap_err(),
            Offline.zip(&module, &mut Vec::new()).unwrap_err(),
        ];
        let subjects: Vec<_> = errors
            .iter()
            .map(|error| {
                assert_eq!(error.kind(), Kind::Offline);
                error.chain().split(": ").next().unwrap().to_owned()
            })
            .collect();
        let versioned = "a.com/m@v1.0.0";
        assert_eq!(
            subjects,
            [
                "module a.com/m",
                "module a.com/m",
                "a.com/m@master",
                versioned,
                versioned
            ]
        );
    }
}
