//! Templates of `list -m -f`.

use std::sync::LazyLock;

use modfetch::Kind;
use modfetch::template::{Template, Value};

#[allow(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "it is written for the end-to-end tests"
)]
#[path = "../../it/support/listed.rs"]
mod listed;

/// Nested loops take as long as they are asked to.
const MAX_RANGES: usize = 6;

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
        Ok(template) if text.matches("range").count() <= MAX_RANGES => template,
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
