//! `modfetch doctor`: looks at everything a download needs and says what is wrong.

use std::sync::Arc;

use super::definition::{Command, Runner};
use super::{env, network};
use crate::cancel::{CancelToken, Deadline};
use crate::cli::flags::groups;
use crate::cli::{CommandInfo, flags};
use crate::config::{Config, Setting};
use crate::doctor::{self, CheckStatus};
use crate::error::{Kind, Result};
use crate::event::{Event, EventSink as _, NoEvents};
use crate::fsio::Locks;
use crate::gomod::PrefixPatterns;
use crate::http::{Client, RequestContext, RetryPolicy, Settings};
use crate::report::{Console, ProgressReporter};
use crate::source::Chain;

/// The row of the command table.
pub(in crate::command) static COMMAND: Command = Command {
    info: CommandInfo {
        path: &["doctor"],
        groups: &[&groups::PROJECT, &groups::CONNECTION, &groups::OUTPUT],
        flags: &[&flags::C, &flags::JSON],
        brief: "Say what is wrong with network, settings and cache",
        detail: "Looks at each proxy of GOPROXY and at the checksum database (name look-up, \
connection, TLS, answer, ranges, clock, credentials), at the repositories of the modules that GOPRIVATE \
or GONOPROXY names (page, answer to the credentials there are), at the module cache (owner, locks, space, \
what was left in it), at go.mod and go.sum, and lists the settings with what decided them.\n\
Each check is ok, skipped, warning or failed, and says what to do. No secret is printed, nothing \
is tried twice, nothing stays written. Exit code 10 if a check failed.",
        examples: &[
            ("modfetch doctor", "everything"),
            (
                "modfetch doctor --offline -json",
                "cache, project and settings only, as JSON",
            ),
        ],
        ..CommandInfo::NEW
    },
    run: Runner::Configured(|_, config, console| run(config, console)),
};

/// Runs the command: the report is data. `Ok(Some(kind))` if a check failed.
///
/// # Errors
/// The settings cannot be listed, or stdout cannot be written.
pub fn run(config: &Config, console: &Console) -> Result<Option<Kind>> {
    let settings = network::transport_settings(config);
    let settings = Settings {
        retry: RetryPolicy {
            retries: 0,
            ..settings.retry.clone()
        },
        // A request as a whole takes no longer than a pause may.
        small_body_timeout: settings.stall_timeout,
        ..settings
    };
    let deadline = Deadline::after(settings.stall_timeout);
    let client = || Client::new(settings.clone(), Arc::new(NoEvents));
    let goproxy = &config.goproxy;
    let noproxy = PrefixPatterns::parse(&config.gonoproxy.value);
    let origin = goproxy.origin.to_string();
    let locks = Locks::default();
    let direct = network::direct(
        config,
        &settings,
        locks,
        client(),
        RequestContext {
            cancel: CancelToken::new().with_deadline(deadline),
            ..RequestContext::new(Arc::new(NoEvents))
        },
    );
    let for_chain = Arc::new(direct.clone());
    let chain = Chain::parse(&goproxy.value, &origin, noproxy, client(), for_chain);
    let mut listed = env::listed(config)?;
    listed.extend(system(config));
    let progress = ProgressReporter::start(network::progress_settings(config));
    progress.event(&Event::TaskStarted {
        task: "looking at network, cache and project",
        items: None,
        bytes: None,
    });
    let report = doctor::examine(config, &client, &chain, &direct, &listed);
    progress.clear();
    let text = if config.json.value {
        doctor::json(&report)
    } else {
        doctor::text(&report)
    };
    console.data(&text)?;
    Ok((report.status() == CheckStatus::Failed).then_some(Kind::Differs))
}

/// Variables that are not Go's and that decide about connections, where they are set.
fn system(config: &Config) -> Vec<(String, Setting<String>)> {
    let text = |name: &str, setting: &Option<Setting<String>>| {
        let setting = setting.as_ref()?;
        Some((name.to_owned(), setting.clone()))
    };
    let cert_file = config.ssl_cert_file.clone();
    let cert_file = cert_file.map(|file| file.map(|file| file.display().to_string()));
    let cert_dir = config.ssl_cert_dir.clone().map(|dirs| {
        dirs.map(|dirs| {
            let dirs: Vec<String> = dirs.iter().map(|dir| dir.display().to_string()).collect();
            dirs.join(":")
        })
    });
    [
        text("HTTP_PROXY", &config.http_proxy),
        text("HTTPS_PROXY", &config.https_proxy),
        text("NO_PROXY", &config.no_proxy),
        text("SSL_CERT_FILE", &cert_file),
        text("SSL_CERT_DIR", &cert_dir),
    ]
    .into_iter()
    .flatten()
    .collect()
}
