//! What is served, and where a server keeps what is its own.

use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::layout;
use crate::system::link_directory;

/// The folders of a server.
pub(super) struct ServerFolders {
    /// A module cache, or a folder that looks like one, whose download folder is a tree.
    pub(super) cache: PathBuf,
    pub(super) is_cache: bool,
    pub(super) state: PathBuf,
}

impl ServerFolders {
    /// What the settings name.
    ///
    /// # Errors
    /// They name two places, or the folder cannot be made.
    pub(super) fn of(config: &Config) -> Result<ServerFolders> {
        let cache = match (&config.serve.cache.value, &config.serve.tree.value) {
            (Some(_), Some(_)) => {
                return Err(Error::new(
                    Kind::Usage,
                    "--cache and --tree are two places: name one",
                ));
            }
            (Some(cache), None) => cache.clone(),
            (None, None) => config.gomodcache.value.clone(),
            (None, Some(tree)) => return ServerFolders::of_tree(tree),
        };
        Ok(ServerFolders {
            state: cache.join(layout::OWN).join("serve"),
            cache,
            is_cache: true,
        })
    }

    /// A tree gets a folder that looks like a module cache and whose download folder is the tree, so
    /// that the same code fills both.
    fn of_tree(tree: &Path) -> Result<ServerFolders> {
        let cache = tree.join(".modfetch");
        let folder = cache.join(layout::CACHE);
        let download = cache.join(layout::DOWNLOAD);
        if !download.exists() {
            std::fs::create_dir_all(&folder)
                .and_then(|()| link_directory(Path::new("../.."), &download))
                .map_err(|cause| Error::io("cannot create", &download, cause))?;
        }
        Ok(ServerFolders {
            state: cache.join(layout::OWN).join("serve"),
            cache,
            is_cache: false,
        })
    }
}
