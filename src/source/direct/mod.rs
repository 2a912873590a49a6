//! `direct`: modules from the repositories they are written in.
//!
//! Not there yet: every question is refused, with what to do instead.

use std::sync::Arc;

use super::{Info, Source};
use crate::error::{Error, Kind, Result};
use crate::gomod::{ModulePath, ModuleVersion};
use crate::http::{Fetched, RequestContext, Sink};

/// The entry of GOPROXY that is named `direct`; also asked for modules that GONOPROXY names.
#[derive(Clone, Copy, Debug)]
pub struct Direct;

impl Direct {
    fn refuse<T>(self, module: &str) -> Result<T> {
        let text = format!("{module}: needs version control, which is not supported yet");
        let error = Error::new(Kind::Other, text);
        Err(error.hint(
            "name a module proxy in GOPROXY that has it, or fetch it with go into the same cache",
        ))
    }
}

impl Source for Direct {
    fn bind(&self, _: &RequestContext) -> Arc<dyn Source> {
        Arc::new(*self)
    }

    fn versions(&self, path: &ModulePath) -> Result<Vec<String>> {
        self.refuse(&format!("module {path}"))
    }

    fn latest(&self, path: &ModulePath) -> Result<Fetched<Info>> {
        self.refuse(&format!("module {path}"))
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
