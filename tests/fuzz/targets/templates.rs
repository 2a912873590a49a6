//! Templates of `list -m -f`.

use std::sync::LazyLock;

use modfetch::Kind;
use modfetch::internals::gotemplate::{Template, Value};

#[allow(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "it is written for the end-to-end tests"
)]
#[path = "../../it/support/listed.rs"]
mod listed;

/// Loops and templates within each other take as long as they are asked to.
const MAX_REPEATS: usize = 3;

/// True if a template ends soon: what it counts to has two digits, or is the length of a text.
fn ends_soon(text: &str) -> bool {
    let repeats = ["range", "template", "block"].map(|word| text.matches(word).count());
    let is_long =
        |number: &str| number.len() > 2 && number.starts_with(|c: char| c.is_ascii_digit());
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let counts = text.contains("Unix") || text.contains("Nanosecond") || text.contains('\'');
    repeats.iter().sum::<usize>() <= MAX_REPEATS && !counts && !words.any(is_long)
}

static MODULES: LazyLock<Vec<listed::Module>> = LazyLock::new(|| {
    let text = include_str!("../../../testdata/template/modules.json");
    let modules: Vec<serde_json::Value> = serde_json::from_str(text).expect("JSON");
    modules.iter().map(listed::Module::new).collect()
});

pub(super) fn template(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let parsed = Template::parse(&text);
    if !text.contains("{{") {
        let mut out = String::new();
        let template = parsed.as_ref().expect("text is a template");
        let rendered = template.render(&Value::Missing, &mut out);
        assert!(rendered.is_ok() && out == text);
    }
    let template = match parsed {
        Ok(template) if !text.contains("range") || ends_soon(&text) => template,
        Ok(_) => return,
        Err(error) => {
            assert!(error.chain().starts_with("template: main:"));
            assert!(matches!(error.kind(), Kind::Input | Kind::Usage));
            return;
        }
    };
    for module in MODULES.iter() {
        let (mut first, mut second) = (String::new(), String::new());
        let failed = template.render(&Value::Object(module), &mut first).err();
        let again = template.render(&Value::Object(module), &mut second).err();
        assert_eq!(first, second);
        let text = |error: Option<modfetch::Error>| error.map(|error| error.chain());
        let (failed, again) = (text(failed), text(again));
        assert_eq!(failed, again);
        assert!(failed.is_none_or(|error| error.starts_with("template: main:")));
    }
}
