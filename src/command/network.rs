//! From the settings to a source of modules and a policy for their sums.

use std::sync::Arc;

use crate::config::{Config, Setting};
use crate::error::Result;
use crate::modset::Project;
use crate::module::PrefixPatterns;
use crate::report::Live;
use crate::source::{Chain, Offline, Source};
use crate::transport::{Client, Observer, ProxySettings, RetryPolicy, RootSettings, Settings};
use crate::trust::{SumPolicy, SumSettings};

/// Reads go.sum, if there is a main module, and the settings that exempt from proof.
pub(super) fn sum_policy(config: &Config, project: Option<&Project>) -> Result<SumPolicy> {
    let settings = SumSettings {
        database_off: config.gosumdb.value == "off",
        exempt: PrefixPatterns::parse(&config.gonosumdb.value),
        locked: config.locked.value,
    };
    match project {
        Some(project) => SumPolicy::with_file(&project.go_sum(), settings),
        None => Ok(SumPolicy::without_file(settings)),
    }
}

/// Makes the source that GOPROXY and its kin describe. Opens no socket yet.
pub(super) fn source(config: &Config, live: &Arc<Live>) -> Result<Box<dyn Source>> {
    let goproxy = &config.goproxy;
    let noproxy = PrefixPatterns::parse(&config.gonoproxy.value);
    let observer = Arc::clone(live) as Arc<dyn Observer>;
    let client = Client::new(transport_settings(config), observer);
    // Refused even offline: a GOPROXY that cannot be read is worth knowing about.
    let chain = Chain::parse(&goproxy.value, &goproxy.origin.to_string(), noproxy, client)?;
    if config.offline.value {
        return Ok(Box::new(Offline));
    }
    Ok(Box::new(chain))
}

fn transport_settings(config: &Config) -> Settings {
    let text =
        |setting: &Option<Setting<String>>| setting.as_ref().map(|setting| setting.value.clone());
    Settings {
        retry: RetryPolicy {
            retries: config.retries.value,
            ..RetryPolicy::default()
        },
        connect_timeout: config.connect_timeout.value,
        stall_timeout: config.stall_timeout.value,
        roots: RootSettings {
            cert_file: config
                .ssl_cert_file
                .as_ref()
                .map(|setting| setting.value.clone()),
            cert_dir: config
                .ssl_cert_dir
                .as_ref()
                .map(|setting| setting.value.clone()),
        },
        proxy: ProxySettings {
            http_proxy: text(&config.http_proxy),
            https_proxy: text(&config.https_proxy),
            no_proxy: text(&config.no_proxy),
            cgi: config.request_method,
        },
        per_host: config.jobs_per_host.value,
        connections: config.jobs.value,
        ..Settings::default()
    }
}
