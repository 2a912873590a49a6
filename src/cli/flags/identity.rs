//! Our flags that say who we are to a server, and which servers are believed to be who they say.

use super::Flag;

/// `--netrc-file`.
pub static NETRC_FILE: Flag = Flag {
    long: "netrc-file",
    value: Some("FILE"),
    env: Some("MODFETCH_NETRC_FILE"),
    brief: "Take credentials from FILE first",
    detail: "In the format of .netrc. It must exist, and counts whatever GOAUTH says; NETRC \
             and ~/.netrc are read as GOAUTH says, by default after it.",
    set: |raw, given| {
        raw.netrc_file = Some(given.text());
        Ok(())
    },
    ..Flag::OURS
};

/// `--allow-insecure-auth`.
pub static ALLOW_INSECURE_AUTH: Flag = Flag {
    long: "allow-insecure-auth",
    value: Some("HOSTS"),
    env: Some("MODFETCH_ALLOW_INSECURE_AUTH"),
    brief: "Send credentials over plain http to these hosts",
    detail: "HOST, for any port, or HOST:PORT; several with commas between. Everybody on the \
             way can read them.",
    set: |raw, given| {
        raw.allow_insecure_auth = Some(given.text());
        Ok(())
    },
    ..Flag::OURS
};

/// `--cacert`.
pub static CACERT: Flag = Flag {
    long: "cacert",
    value: Some("FILE"),
    env: Some("MODFETCH_CACERT"),
    brief: "Trust the certificate authorities in FILE, too",
    detail: "PEM. They are added to those of the system, of SSL_CERT_FILE and SSL_CERT_DIR, \
             or to the built-in ones; to trust no others, use SSL_CERT_FILE and SSL_CERT_DIR.",
    set: |raw, given| {
        raw.cacert = Some(given.text());
        Ok(())
    },
    ..Flag::OURS
};

/// `--client-cert`.
pub static CLIENT_CERT: Flag = Flag {
    long: "client-cert",
    value: Some("FILE"),
    env: Some("MODFETCH_CLIENT_CERT"),
    brief: "Show this certificate to servers that ask for one",
    detail: "PEM, the key in it or in --client-key. Only hosts in GOPROXY and GOSUMDB get to \
             see it. SSL_CLIENT_CERT is read too, below MODFETCH_CLIENT_CERT.",
    set: |raw, given| {
        raw.client_cert = Some(given.text());
        Ok(())
    },
    ..Flag::OURS
};

/// `--client-key`.
pub static CLIENT_KEY: Flag = Flag {
    long: "client-key",
    value: Some("FILE"),
    env: Some("MODFETCH_CLIENT_KEY"),
    brief: "The key of --client-cert",
    detail: "PEM, not encrypted.",
    set: |raw, given| {
        raw.client_key = Some(given.text());
        Ok(())
    },
    ..Flag::OURS
};
