//! Flags of go's, in its spelling.

use super::Flag;

/// `-C`.
pub static C: Flag = Flag {
    long: "C",
    value: Some("DIR"),
    brief: "Work in this directory",
    detail: "As if the program were started there. As 'go', it must be the first flag.",
    ..Flag::GOS
};

/// `-o`. Files are named from the current directory, whatever `-C` says, unless the command says otherwise.
pub static O: Flag = Flag {
    long: "o",
    value: Some("FILE"),
    brief: "Write to this file, or - for standard output",
    detail: "The file appears when it is complete.",
    ..Flag::GOS
};

const JSON_ROW: Flag = Flag {
    long: "json",
    brief: "Print results as JSON",
    detail: "A sequence of objects in module order, for download and list with go's fields. \
For list, -json=Path,Version prints only those fields.",
    ..Flag::GOS
};

/// `-json`.
pub static JSON: Flag = JSON_ROW;

/// `-json`, which may also name the fields to print: `-json=Path,Version`.
pub static JSON_FIELDS: Flag = Flag {
    words: true,
    ..JSON_ROW
};

/// `-x`.
pub static X: Flag = Flag {
    long: "x",
    brief: "Print what is done",
    detail: "Requests and their outcome on standard error; secrets are left out. For clean, \
the command that would do the same, on standard output.",
    ..Flag::GOS
};

/// `-modcacherw`.
pub static MODCACHERW: Flag = Flag {
    long: "modcacherw",
    brief: "Leave unpacked directories writable",
    detail: "Otherwise files and directories of the module cache are read-only.",
    ..Flag::GOS
};

/// `-mod`.
pub static MOD: Flag = Flag {
    long: "mod",
    value: Some("MODE"),
    brief: "Whether go.mod may change: readonly, mod, vendor",
    detail: "Default: readonly, what go.mod would have to say and does not is an error. clean \
takes it and does not look at it, as in go.",
    ..Flag::GOS
};

/// `-modfile`.
pub static MODFILE: Flag = Flag {
    long: "modfile",
    value: Some("FILE"),
    brief: "Use this file in place of go.mod",
    detail: "Its name ends in .mod; go.sum is replaced by the same name ending in .sum.",
    ..Flag::GOS
};

/// `-reuse`.
pub static REUSE: Flag = Flag {
    long: "reuse",
    value: Some("FILE"),
    brief: "Read what an earlier -json printed, as go does",
    detail: "Outside a module only. go takes over what a repository confirms, and of what comes \
             from proxies nothing: the file is read, and everything is looked up.",
    ..Flag::GOS
};

/// `-overlay`.
pub static OVERLAY: Flag = Flag {
    long: "overlay",
    value: Some("FILE"),
    brief: "Read other files in place of some, as this file says",
    detail: "JSON: {\"Replace\": {\"PATH\": \"FILE\"}}, where no FILE makes PATH missing. It counts for go.mod, \
             go.sum, go.work and go.work.sum, and none that is in it is written.",
    ..Flag::GOS
};

/// `-m`.
pub static M: Flag = Flag {
    long: "m",
    brief: "List or explain modules",
    detail: "It has to be said: go lists and explains packages without it.",
    ..Flag::GOS
};

/// `-n`.
pub static N: Flag = Flag {
    long: "n",
    brief: "Print what would be removed, and remove nothing",
    detail: "For env it does nothing, as in go.",
    ..Flag::GOS
};
