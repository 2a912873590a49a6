//! SPDX 2.3, as JSON.
//!
//! Source: the SPDX specification 2.3 and its `spdx-schema.json`.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::{BomStamp, comment, document_name, identity, timestamp};
use crate::report::JsonObject;
use crate::sbom::{BillOfMaterials, BomModule, BomRole};

/// What the document says of something that was not looked into.
const NO_ASSERTION: &str = "NOASSERTION";

pub(super) fn document(bom: &BillOfMaterials, stamp: BomStamp) -> JsonObject {
    let mut document = JsonObject::new();
    document.string("spdxVersion", "SPDX-2.3");
    document.string("dataLicense", "CC0-1.0");
    document.string("SPDXID", "SPDXRef-DOCUMENT");
    document.string("name", document_name(bom));
    document.string(
        "documentNamespace",
        &format!("https://spdx.org/spdxdocs/modfetch-{}", identity(bom)),
    );
    let mut creation = JsonObject::new();
    creation.string("created", &timestamp(stamp.seconds()));
    creation.strings(
        "creators",
        &[concat!("Tool: modfetch-", env!("CARGO_PKG_VERSION"))],
    );
    document.object("creationInfo", &creation);
    let packages: Vec<JsonObject> = bom.modules.iter().map(package).collect();
    document.objects("packages", &packages);
    document.objects("relationships", &relationships(bom));
    document
}

fn package(module: &BomModule) -> JsonObject {
    let mut package = JsonObject::new();
    package.string("SPDXID", &identifier(module));
    package.string("name", &module.path);
    package.string("versionInfo", module.version.as_deref().unwrap_or_default());
    package.string("downloadLocation", NO_ASSERTION);
    package.boolean("filesAnalyzed", false);
    package.string("licenseConcluded", NO_ASSERTION);
    package.string("licenseDeclared", NO_ASSERTION);
    package.string("copyrightText", NO_ASSERTION);
    package.string("comment", &comment(module));
    if let Some(url) = module.package_url() {
        let mut reference = JsonObject::new();
        reference.string("referenceCategory", "PACKAGE-MANAGER");
        reference.string("referenceType", "purl");
        reference.string("referenceLocator", &url);
        package.objects("externalRefs", &[reference]);
    }
    package
}

fn relationships(bom: &BillOfMaterials) -> Vec<JsonObject> {
    let mut rows = Vec::new();
    let mut row = |from: &str, kind: &str, to: &str| {
        let mut object = JsonObject::new();
        object.string("spdxElementId", from);
        object.string("relationshipType", kind);
        object.string("relatedSpdxElement", to);
        rows.push(object);
    };
    for module in bom
        .modules
        .iter()
        .filter(|module| module.role == BomRole::Main)
    {
        row("SPDXRef-DOCUMENT", "DESCRIBES", &identifier(module));
    }
    for module in &bom.modules {
        for required in module.requires.iter().flatten() {
            if let Some(required) = bom.modules.get(*required) {
                row(&identifier(module), "DEPENDS_ON", &identifier(required));
            }
        }
    }
    rows
}

/// The identifier of a module: its name with other characters than letters, digits, `.` and `-` as `-`, and eight digits that keep names apart
/// which are equal then.
fn identifier(module: &BomModule) -> String {
    let name = module.name();
    let mut id = String::from("SPDXRef-");
    id.extend(name.chars().map(|c| {
        let allowed = c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        if allowed { c } else { '-' }
    }));
    id.push('-');
    for byte in Sha256::digest(&name).iter().take(4) {
        // Writing to a string succeeds.
        let _ = write!(id, "{byte:02x}");
    }
    id
}
