//! What the tests, fuzz targets and benchmarks of this crate reach inside it for. No part of the library:
//! everything here may change at any time.

pub mod bundle {
    //! Reading a bundle, and what its manifest says.
    pub use crate::bundle::{
        BundleSink, BundleTrust, BundleWant, Manifest, ManifestModule, read_bundle,
    };
}

pub mod cli {
    //! Commands and help topics, as the program has them.
    pub use crate::cli::{Action, CommandInfo, TOPICS, parse};
    pub use crate::command::command_tree;
}

pub mod config {
    //! Values of settings.
    pub use crate::config::parse_duration;
}

pub mod event {
    //! The sink that ignores every event.
    pub use crate::event::NoEvents;
}

pub mod fsio {
    //! Locks that a running `go` respects.
    pub use crate::fsio::FileLock;
}

pub mod gomod {
    //! Module paths, versions, and the files that go.mod and its like are.
    pub use crate::gomod::{
        FileHash, GoVersion, MatchPattern, PrefixPatterns, Query, Time, canonical, check_file_path,
        check_import_path, check_module_path, compare, escape_version, hash1, is_pseudo_version,
        is_valid, split_path_version,
    };

    pub mod compat {
        //! The table of godebug settings.
        pub use crate::gomod::compat::{GODEBUG_SETTINGS, GodebugSetting};
    }

    pub mod modfile {
        //! Parsers, editors and writers.
        pub use crate::gomod::modfile::{
            GoLine, GoModSummary, GoSum, Godebug, ModEdit, ModFile, ModulesTxt, Replace,
            Replacement, Requirement, ToolchainLine, WorkFile,
        };
    }
}

pub mod gotemplate {
    //! Templates of `list -f`.
    pub use crate::gotemplate::{Template, TemplateObject, Type, Value};
}

pub mod http {
    //! URLs, header values, and how requests are made.
    pub use crate::http::{RequestContext, Settings, Url, parse_retry_after};
}

pub mod modzip {
    //! Zips of modules.
    pub use crate::modzip::{ModuleZip, hash_dir};
}

pub mod serve {
    //! Requests to the server.
    pub use crate::serve::http1::{
        ContentSelection, HeadExtent, MAX_HEAD_BYTES, RequestMethod, find_end, parse_head,
        parse_target, select,
    };
}

pub mod source {
    //! Where modules come from.
    pub use crate::source::{DirectSettings, Info};
    pub use crate::source::{HashKind, ObjectDatabase, ObjectId, index_pack};
}

pub mod store {
    //! Stores with the S3 API.
    pub use crate::store::{Existing, ObjectStore, Operation, StoreEnvironment, StorePlace};
}

pub mod sumdb {
    //! The checksum database: client, tiles and log.
    pub use crate::sumdb::{Store, SumDbClient, Transport, note, tile, tlog};
}

pub mod tarfile {
    //! Archives with one form of header.
    pub use crate::tarfile::TarWriter;
}
