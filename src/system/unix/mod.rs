//! The side of POSIX systems: std, and rustix where std has no safe way.

mod directory;
mod files;
mod holder;
mod metadata;
mod paths;
mod process;
mod removal;
mod volume;

pub(crate) use directory::Directory;
#[cfg(test)]
pub(crate) use files::symlink;
pub(crate) use files::{
    FileAt, create_read_only, create_unnamed, link_directory, memory_file, path_from_bytes,
    read_small, remove_file, reopen,
};
pub(crate) use holder::lock_holder;
pub(crate) use metadata::{
    accessed, allocated_bytes, changed_ns, inode, is_at, is_executable, leads_above, mode,
    modified, owner, set_mode, user, with_mode,
};
pub(crate) use paths::{
    HOME, LIST_SEPARATOR, TEMPORARY, slashed, user_cache_dir, user_config_dir, with_main_separators,
};
#[cfg(debug_assertions)]
pub(crate) use process::kill_self;
pub(crate) use process::{
    end_group, kill_group, lead_group, open_files, raise_open_files, send_datagram,
    terminal_columns,
};
pub(crate) use removal::{delete_tree, remove_dir_all};
pub(crate) use volume::{check_writable, keeps_access_times, lock_refusal, space_left};
