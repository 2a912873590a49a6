//! The source of a run that may not use the network.

use std::sync::Arc;

use super::{Info, Source};
use crate::error::{Error, Kind, Result};
use crate::gomod::{ModulePath, ModuleVersion};
use crate::http::{Fetched, RequestContext, Sink};

/// Refuses everything, with [`Kind::Offline`], for this reason (`--offline`); holds no client, so
/// no socket can be opened.
#[derive(Clone, Copy, Debug)]
pub struct Offline(pub &'static str);

impl Offline {
    fn refusal(self, module: &str) -> Error {
        let why = self.0;
        let text = format!("{module}: module lookup disabled by {why}");
        Error::new(Kind::Offline, text)
    }

    fn refuse<T>(self, module: &str) -> Result<T> {
        let error = self.refusal(module);
        Err(error.hint("it is not in the cache; 'modfetch download' fetches it"))
    }

    /// Which versions there are is kept nowhere.
    fn refuse_versions<T>(self, path: &ModulePath) -> Result<T> {
        let error = self.refusal(&format!("module {path}"));
        Err(error.hint("which versions there are is known to the network only"))
    }
}

impl Source for Offline {
    fn bind(&self, _: &RequestContext) -> Arc<dyn Source> {
        Arc::new(*self)
    }

    fn versions(&self, path: &ModulePath) -> Result<Vec<String>> {
        self.refuse_versions(path)
    }

    fn latest(&self, path: &ModulePath) -> Result<Fetched<Info>> {
        self.refuse_versions(path)
    }

    fn info(&self, path: &ModulePath, revision: &str) -> Result<Fetched<Info>> {
        self.refuse(&format!("{path}@{revision}"))
    }

    fn gomod(&self, module: &ModuleVersion) -> Result<Fetched<Vec<u8>>> {
        self.refuse(&module.to_string())
    }

    fn zip(&self, module: &ModuleVersion, _: &mut dyn Sink) -> Result<Fetched<()>> {
        self.refuse(&module.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_refused() {
        let path = ModulePath::parse("a.com/m").unwrap();
        let module = ModuleVersion::parse("a.com/m", "v1.0.0").unwrap();
        let offline = Offline("--offline");
        let errors = [
            offline.versions(&path).unwrap_err(),
            offline.latest(&path).unwrap_err(),
            offline.info(&path, "master").unwrap_err(),
            offline.gomod(&module).unwrap_err(),
            offline.zip(&module, &mut Vec::new()).unwrap_err(),
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
