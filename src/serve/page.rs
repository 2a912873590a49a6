//! The page for people: what is kept, how well that serves, and who vouches for a module.
//!
//! Plain HTML without scripts, so that it works in a text browser; colours follow the browser's
//! choice of dark or light. Everything that is not ours is escaped.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use super::http1::{Body, Response};
use super::route::FileKind;
use super::service::ModuleService;
use crate::gomod::{ModulePath, ModuleVersion};

/// How many modules one page lists.
const MOST_MODULES: usize = 200;

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#d0d7de;--soft:#57606a;--back:#f6f8fa}\
@media(prefers-color-scheme:dark){:root{--line:#3d444d;--soft:#9198a1;--back:#161b22}}\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}\
table{border-collapse:collapse;width:100%}\
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line)}\
th{color:var(--soft);font-weight:600}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.6rem;margin:1rem 0}\
dl div{background:var(--back);border:1px solid var(--line);border-radius:6px;padding:.5rem .8rem}\
dt{color:var(--soft);font-size:.85rem}dd{margin:0;font-size:1.2rem}\
code{font-family:ui-monospace,monospace;font-size:.9em;overflow-wrap:anywhere}\
input{font:inherit;padding:.3rem .5rem;width:min(24rem,70%)}button{font:inherit;padding:.3rem .8rem}\
footer{color:var(--soft);margin-top:2rem;font-size:.85rem}";

/// Answers `/`, or `/?module=PATH`, or `/?q=TEXT`.
pub(super) fn respond(service: &ModuleService, query: &str) -> Response {
    let module = parameter(query, "module");
    let html = match module.as_deref().map(ModulePath::parse) {
        Some(Ok(path)) => module_page(service, &path),
        Some(Err(_)) => page("No such module", "<p>That is no module path.</p>"),
        None => overview(service, &parameter(query, "q").unwrap_or_default()),
    };
    let body = Body::Bytes(html.into_bytes().into());
    Response::new(200, "text/html; charset=utf-8", body)
        .with(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
        )
        .with("X-Content-Type-Options", "nosniff")
        .with("Cache-Control", "no-store")
}

fn page(title: &str, content: &str) -> String {
    let (title, version) = (escape(title), env!("CARGO_PKG_VERSION"));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>{title}</h1>\n{content}\n\
         <footer>modfetch {version} · <a href=\"/\">overview</a> · \
         <a href=\"/metrics\">metrics</a></footer>\n</body>\n</html>\n"
    )
}

fn overview(service: &ModuleService, text: &str) -> String {
    let gauges = service.gauges();
    let (asked, hits) = service.metrics.hits();
    let rate = match asked {
        0 => "-".to_owned(),
        asked => format!("{:.1} %", hits as f64 * 100.0 / asked as f64),
    };
    let ready = match service.ready.load(Ordering::Relaxed) {
        true => "ready",
        false => "starting",
    };
    let mut html = String::from("<dl>\n");
    let facts = [
        ("State", ready.to_owned()),
        ("Up for", show_seconds(service.started.elapsed().as_secs())),
        ("Requests for modules", asked.to_string()),
        ("Hit rate", rate),
        (
            "Zips kept",
            gauges
                .stored_zips
                .map_or("counting".into(), |zips| zips.to_string()),
        ),
        (
            "Size",
            gauges.stored_bytes.map_or("counting".into(), show_bytes),
        ),
        ("Connections", gauges.connections.to_string()),
    ];
    for (name, value) in facts {
        let _ = writeln!(
            html,
            "<div><dt>{name}</dt><dd>{}</dd></div>",
            escape(&value)
        );
    }
    html.push_str("</dl>\n");
    let _ = writeln!(
        html,
        "<h2>Modules</h2>\n<form action=\"/\"><label>Path contains \
         <input name=\"q\" value=\"{}\"></label> <button>Search</button></form>",
        escape(text)
    );
    let modules = service.parts.stock.modules(text, MOST_MODULES);
    if modules.is_empty() {
        html.push_str("<p>None.</p>\n");
    } else {
        html.push_str(
            "<table>\n<tr><th>Module</th><th class=\"n\">Versions</th><th class=\"n\">Size</th></tr>\n",
        );
        for (path, versions, bytes) in &modules {
            let shown = escape(path.as_str());
            let _ = writeln!(
                html,
                "<tr><td><a href=\"/?module={shown}\"><code>{shown}</code></a></td>\
                 <td class=\"n\">{versions}</td><td class=\"n\">{}</td></tr>",
                show_bytes(*bytes)
            );
        }
        html.push_str("</table>\n");
        if modules.len() == MOST_MODULES {
            let _ = writeln!(html, "<p>The first {MOST_MODULES}. Search for others.</p>");
        }
    }
    let slowest = service.metrics.slowest();
    if !slowest.is_empty() {
        html.push_str("<h2>Slowest answers from upstream</h2>\n<table>\n<tr><th>Asked for</th><th class=\"n\">Seconds</th></tr>\n");
        for (took, subject) in slowest {
            let _ = writeln!(
                html,
                "<tr><td><code>{}</code></td><td class=\"n\">{:.2}</td></tr>",
                escape(&subject),
                took.as_secs_f64()
            );
        }
        html.push_str("</table>\n");
    }
    page("modfetch: Go module proxy", &html)
}

fn module_page(service: &ModuleService, path: &ModulePath) -> String {
    let mut html = String::new();
    let parts = &service.parts;
    let trees = parts.local.iter().chain([&parts.main]);
    let mut rows = String::new();
    for tree in trees {
        for version in tree.versions(path).iter().rev() {
            let Ok(module) = ModuleVersion::parse(path.as_str(), version) else {
                continue;
            };
            let bytes = tree
                .open_file(&module, FileKind::Zip)
                .map_or(0, |zip| zip.length);
            let h1 = tree.ziphash(&module);
            let checksums = parts.checksums.as_ref();
            let record =
                checksums.and_then(|checksums| Some((checksums, checksums.record_of(&module)?)));
            let vouched = match (record, &h1) {
                (Some((checksums, id)), _) => format!("{}, record {id}", checksums.name()),
                (None, Some(_)) => "checked when it was kept".to_owned(),
                (None, None) => "the tree it lies in".to_owned(),
            };
            let h1 = h1.map(|h1| h1.as_str().to_owned()).unwrap_or_default();
            let _ = writeln!(
                rows,
                "<tr><td><code>{}</code></td><td class=\"n\">{}</td><td>{}</td><td><code>{}</code></td></tr>",
                escape(version),
                show_bytes(bytes),
                escape(&vouched),
                escape(&h1)
            );
        }
    }
    if rows.is_empty() {
        html.push_str("<p>No version of it is kept here.</p>\n");
    } else {
        let _ = write!(
            html,
            "<table>\n<tr><th>Version</th><th class=\"n\">Zip</th><th>Vouched for by</th><th>Sum</th></tr>\n{rows}</table>\n"
        );
    }
    page(path.as_str(), &html)
}

/// The value of a parameter of a query, decoded.
fn parameter(query: &str, name: &str) -> Option<String> {
    let value = query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key == name).then_some(value)
    })?;
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
                let value = digit()? << 4 | digit()?;
                u8::try_from(value).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.is_empty())
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

fn show_bytes(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = "B";
    for next in ["KB", "MB", "GB", "TB"] {
        if value < 1000.0 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    match unit {
        "B" => format!("{bytes} B"),
        unit => format!("{value:.1} {unit}"),
    }
}

fn show_seconds(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_once() {
        let query = "a=1&module=github.com%2FA%2Bb&q=x+y%25";
        assert_eq!(
            parameter(query, "module").as_deref(),
            Some("github.com/A+b")
        );
        assert_eq!(parameter(query, "q").as_deref(), Some("x y%"));
        assert_eq!(parameter(query, "b"), None);
        assert_eq!(parameter("q=%f", "q"), None);
        assert_eq!(parameter("q=%ff", "q"), None);
        assert_eq!(parameter("q=", "q"), None);
    }

    #[test]
    fn what_is_not_ours_is_escaped() {
        let html = page("<script>", &escape("\"><img src='x'>&"));
        assert!(!html.contains("<script") && !html.contains("<img"));
        assert!(html.contains("&lt;script&gt;") && html.contains("&amp;"));
    }

    #[test]
    fn sizes_have_units() {
        let sizes = [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 KB"),
            (15_300_000, "15.3 MB"),
        ];
        for (bytes, want) in sizes {
            assert_eq!(show_bytes(bytes), want);
        }
    }
}
