//! The flags of `modfetch bundle create`.

use crate::cli::flags::Flag;

/// `--since`.
pub(super) static SINCE: Flag = Flag {
    long: "since",
    value: Some("HEAD"),
    brief: "Prove that the bundle's tree head continues this one",
    detail: "HEAD is a copy of the file $GOPATH/pkg/sumdb/NAME/latest of a machine, or an earlier bundle. May be given several times. A machine that has seen a head refuses a bundle that does not prove it.",
    ..Flag::OURS
};

/// `--as-of`.
pub(super) static AS_OF: Flag = Flag {
    long: "as-of",
    value: Some("HEAD"),
    brief: "Take tree head and newest versions from this file",
    detail: "HEAD is a signed head or an earlier bundle; of a bundle the choice of the newest versions counts as well. So a bundle can be made again, byte for byte, on another day.",
    ..Flag::OURS
};

/// `--no-sumdb`.
pub(super) static NO_SUMDB: Flag = Flag {
    long: "no-sumdb",
    brief: "Leave out the checksum database",
    detail: "go.sum then vouches for the modules; the newest go.mod files, which no go.sum has, are left out as well.",
    ..Flag::OURS
};

/// `--toolchain`.
pub(super) static TOOLCHAINS: Flag = Flag {
    long: "toolchain",
    value: Some("VERSION:OS/ARCH"),
    brief: "Add a Go toolchain, as go1.27.4:linux/amd64",
    detail: "May be given several times. Without :OS/ARCH it is for the platform of this machine.",
    ..Flag::OURS
};

/// `--have`.
pub(super) static HAVE: Flag = Flag {
    long: "have",
    value: Some("FILE"),
    brief: "Leave out what the other side has",
    detail: "FILE is an earlier bundle, whose tree head is then proven as with --since, or a list as 'bundle list' prints it. May be given several times.",
    ..Flag::OURS
};

/// `--split`.
pub(super) static SPLIT: Flag = Flag {
    long: "split",
    value: Some("SIZE"),
    brief: "Write parts of at most this size: FILE.001 and on",
    detail: "SIZE is in bytes, or has K, M, G or T behind it. Joined in order the parts are the bundle, and verify and import read them as FILE. FILE.sha256 has the sum of each part, for 'sha256sum -c': one part can be sent again.",
    ..Flag::OURS
};

/// `--for`.
pub(super) static FOR: Flag = Flag {
    long: "for",
    value: Some("WANT"),
    brief: "Make what a closed site asks for with 'bundle want'",
    detail: "The bundle has the modules that the site requires and lacks, with the go.mod files of their requirement graphs, and proves that its tree head continues the site's. May be given several times.",
    ..Flag::OURS
};
