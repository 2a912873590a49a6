//! How connections are opened: with which time-outs, credentials and certificates.

use std::path::PathBuf;
use std::time::Duration;

use super::SettingRow;
use crate::config::flags::Flag;
use crate::config::value::{self, Git};

settings! {
    /// How connections are opened: with which time-outs, credentials and certificates.
    struct ConnectionSettings;
    /// For a command that may open connections.
    group CONNECTION = "Connections and credentials";

    /// Open no socket.
    offline: bool = OFFLINE, SettingRow::switch(Flag {
        long: "offline",
        env: Some("MODFETCH_OFFLINE"),
        default: "false",
        brief: "Open no socket; use what the cache has",
        detail: "A module that is not in the cache fails with exit code 11.",
        ..Flag::OURS
    });

    /// The longest wait for a connection, not zero.
    connect_timeout: Duration = CONNECT_TIMEOUT, SettingRow::new(value::timeout, Flag {
        long: "connect-timeout",
        value: Some("TIME"),
        env: Some("MODFETCH_CONNECT_TIMEOUT"),
        default: "10s",
        brief: "Wait this long for a connection",
        detail: "Written as 10s, 1m30s, 250ms, or plain seconds.",
        ..Flag::OURS
    });

    /// The longest wait for the next byte, not zero.
    stall_timeout: Duration = STALL_TIMEOUT, SettingRow::new(value::timeout, Flag {
        long: "stall-timeout",
        value: Some("TIME"),
        env: Some("MODFETCH_STALL_TIMEOUT"),
        default: "30s",
        brief: "Wait this long for the next byte",
        detail: "There is no limit on a whole transfer that moves.",
        ..Flag::OURS
    });

    /// The `User-Agent` of requests, if it is not modfetch's own.
    user_agent: Option<String> = USER_AGENT, SettingRow::new(value::user_agent, Flag {
        long: "user-agent",
        value: Some("TEXT"),
        env: Some("MODFETCH_USER_AGENT"),
        default: "",
        brief: "Send this User-Agent instead of modfetch/VERSION",
        detail: "For a firewall that lets only some clients pass; go sends Go-http-client/1.1.",
        ..Flag::OURS
    });

    /// `--netrc-file`: credentials that come before those of GOAUTH; absolute.
    netrc_file: Option<PathBuf> = NETRC_FILE, SettingRow::file(Flag {
        long: "netrc-file",
        value: Some("FILE"),
        env: Some("MODFETCH_NETRC_FILE"),
        default: "",
        brief: "Take credentials from FILE first",
        detail: "In the format of .netrc. It must exist, and counts whatever GOAUTH says; NETRC \
                 and ~/.netrc are read as GOAUTH says, by default after it.",
        ..Flag::OURS
    });

    /// Hosts that get credentials over plain http: `HOST` or `HOST:PORT`.
    allow_insecure_auth: Vec<String> = ALLOW_INSECURE_AUTH, SettingRow::new(value::hosts, Flag {
        long: "allow-insecure-auth",
        value: Some("HOSTS"),
        env: Some("MODFETCH_ALLOW_INSECURE_AUTH"),
        default: "",
        brief: "Send credentials over plain http to these hosts",
        detail: "HOST, for any port, or HOST:PORT; several with commas between. Everybody on the \
                 way can read them.",
        ..Flag::OURS
    });

    /// Certificate authorities beside the usual ones; absolute.
    cacert: Option<PathBuf> = CACERT, SettingRow::file(Flag {
        long: "cacert",
        value: Some("FILE"),
        env: Some("MODFETCH_CACERT"),
        default: "",
        brief: "Trust the certificate authorities in FILE, too",
        detail: "PEM. They are added to those of the system, of SSL_CERT_FILE and SSL_CERT_DIR, \
                 or to the built-in ones; to trust no others, use SSL_CERT_FILE and SSL_CERT_DIR.",
        ..Flag::OURS
    });

    /// The certificate for servers that ask for one; absolute.
    client_cert: Option<PathBuf> = CLIENT_CERT, SettingRow::file(Flag {
        long: "client-cert",
        value: Some("FILE"),
        env: Some("MODFETCH_CLIENT_CERT"),
        alias: Some("SSL_CLIENT_CERT"),
        default: "",
        brief: "Show this certificate to servers that ask for one",
        detail: "PEM, the key in it or in --client-key. Only hosts in GOPROXY and GOSUMDB get to \
                 see it. SSL_CLIENT_CERT is read too, below MODFETCH_CLIENT_CERT.",
        ..Flag::OURS
    });

    /// Its key, if it is not in the same file; absolute.
    client_key: Option<PathBuf> = CLIENT_KEY, SettingRow::file(Flag {
        long: "client-key",
        value: Some("FILE"),
        env: Some("MODFETCH_CLIENT_KEY"),
        default: "",
        brief: "The key of --client-cert",
        detail: "PEM, not encrypted.",
        ..Flag::OURS
    });

    /// Which git fetches from repositories.
    git: Git = GIT, SettingRow::new(Git::parse, Flag {
        long: "git",
        value: Some("WHICH"),
        env: Some("MODFETCH_GIT"),
        default: "auto",
        choices: Git::NAMES,
        brief: "Fetch from git repositories by: auto, program, builtin",
        detail: "For modules that come from their repositories (direct in GOPROXY, GOPRIVATE). \
                 program runs git; builtin needs no git and speaks https and http; auto is \
                 program if git is in PATH, else builtin.",
        ..Flag::OURS
    });
}
