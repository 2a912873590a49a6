//! What clients of a server export.

use crate::config::Config;
use crate::serve::http1::ListenAddress;

/// What clients export.
pub(super) fn exports(listen: &[ListenAddress], config: &Config) -> String {
    let scheme = if config.serve.tls_cert.value.is_some() {
        "https"
    } else {
        "http"
    };
    let tcp = listen.iter().find_map(|address| match address {
        ListenAddress::Tcp(text) => Some(text.as_str()),
        ListenAddress::Unix(_) | ListenAddress::Systemd => None,
    });
    let address = tcp
        .unwrap_or("127.0.0.1:3000")
        .replace("[::]:", "localhost:");
    let mut lines = vec![
        format!(
            "export GOPROXY={scheme}://{}",
            address.replace("0.0.0.0:", "localhost:")
        ),
        format!(
            "export GOSUMDB='{}'",
            config.gosumdb.value.replace('\'', "'\\''")
        ),
    ];
    // A private module is here, and in no database.
    let private = config.serve.private.value.join(",");
    let exempt = [private.as_str(), &config.gonosumdb.value];
    let exempt: Vec<&str> = exempt.into_iter().filter(|list| !list.is_empty()).collect();
    if !exempt.is_empty() {
        lines.push(format!(
            "export GONOSUMDB='{}'",
            exempt.join(",").replace('\'', "'\\''")
        ));
    }
    lines.push("export GONOPROXY=none".to_owned());
    lines.join("\n") + "\n"
}
