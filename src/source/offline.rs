//! The source of a run that may not use the network.

use std::sync::Arc;

use super::{Info, Source};
use crate::error::{Error, Kind, Reason, Result, Subject};
use crate::gomod::{ModulePath, ModuleVersion};
use crate::http::{BodySink, Fetched, RequestContext};

/// Why nothing may be asked where GOPROXY is `off`.
pub const GOPROXY_OFF: &str = "GOPROXY=off";

/// Why nothing may be asked by `verify`.
const VERIFY: &str = "verify";

/// Refuses everything, with [`Kind::Offline`], for this reason (`--offline`); holds no client, so
/// no socket can be opened.
#[derive(Clone, Copy, Debug)]
pub struct Offline(pub &'static str);

impl Offline {
    fn refusal(self, subject: impl Into<Subject>) -> Error {
        let why = self.0;
        let error = Error::new(Kind::Offline, format!("module lookup disabled by {why}"));
        let error = match why {
            GOPROXY_OFF => error.with_reason(Reason::ProxyOff),
            _ => error,
        };
        error.about(subject)
    }

    fn refuse<T>(self, subject: impl Into<Subject>) -> Result<T> {
        let error = self.refusal(subject);
        Err(error.hint(match self.0 {
            VERIFY => "it is not in the cache; 'modfetch mod verify' fetches the go.mod files that are needed",
            _ => "it is not in the cache; 'modfetch download' fetches it",
        }))
    }

    /// Which versions there are is kept nowhere.
    fn refuse_versions<T>(self, path: &ModulePath) -> Result<T> {
        let error = self.refusal(Subject::module(path));
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
        self.refuse(Subject::version(path, revision))
    }

    fn gomod(&self, module: &ModuleVersion) -> Result<Fetched<Vec<u8>>> {
        self.refuse(module)
    }

    fn zip(&self, module: &ModuleVersion, _: &mut dyn BodySink) -> Result<Fetched<()>> {
        self.refuse(module)
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
