//! SPDX 2.3, as JSON.
//!
//! Source: the SPDX specification 2.3 and its `spdx-schema.json`.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::{
    BomStamp, comment, document_name, identity, license_comment, license_ref, license_texts,
    timestamp,
};
use crate::report::JsonObject;
use crate::sbom::{BillOfMaterials, BomModule, BomOrigin, BomRole, LicenseFile};

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
    let texts = license_texts(bom);
    if !texts.is_empty() {
        let texts: Vec<JsonObject> = texts.iter().map(extracted_license).collect();
        document.objects("hasExtractedLicensingInfos", &texts);
    }
    document.objects("relationships", &relationships(bom));
    document
}

fn package(module: &BomModule) -> JsonObject {
    let mut package = JsonObject::new();
    package.string("SPDXID", &identifier(module));
    package.string("name", &module.path);
    package.string("versionInfo", module.version.as_deref().unwrap_or_default());
    let location = module.origin.as_ref().and_then(BomOrigin::location);
    let location = location.as_deref().unwrap_or(NO_ASSERTION);
    package.string("downloadLocation", location);
    package.boolean("filesAnalyzed", false);
    package.string("licenseConcluded", NO_ASSERTION);
    match module.licenses.as_slice() {
        [file] => package.string("licenseDeclared", &license_ref(file)),
        _ => package.string("licenseDeclared", NO_ASSERTION),
    }
    let comment_on_licenses = license_comment(module);
    package.string("licenseComments", &comment_on_licenses.unwrap_or_default());
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

fn extracted_license((name, file): (&String, &&LicenseFile)) -> JsonObject {
    let mut license = JsonObject::new();
    license.string("licenseId", name);
    license.string("name", &file.name);
    license.string("extractedText", &file.text);
    license
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
