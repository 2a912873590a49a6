//! CycloneDX 1.6, as JSON.
//!
//! Source: ECMA-424, `bom-1.6.schema.json`.

use super::{BomStamp, document_name, identity, mains, properties, timestamp};
use crate::report::JsonObject;
use crate::sbom::{BillOfMaterials, BomModule, BomOrigin, BomRole, BomUsage, LicenseFile};

/// What stands for the workspace where there are several main modules.
const WORKSPACE: &str = "go.work";

pub(super) fn document(bom: &BillOfMaterials, stamp: BomStamp) -> JsonObject {
    let mut document = JsonObject::new();
    document.string("$schema", "http://cyclonedx.org/schema/bom-1.6.schema.json");
    document.string("bomFormat", "CycloneDX");
    document.string("specVersion", "1.6");
    document.string("serialNumber", &format!("urn:uuid:{}", identity(bom)));
    document.number("version", 1);
    document.object("metadata", &metadata(bom, stamp));
    let others = bom
        .modules
        .iter()
        .filter(|module| module.role != BomRole::Main);
    document.objects(
        "components",
        &others
            .map(|module| component(module, "library"))
            .collect::<Vec<_>>(),
    );
    document.objects("dependencies", &dependencies(bom));
    document
}

fn metadata(bom: &BillOfMaterials, stamp: BomStamp) -> JsonObject {
    let mut metadata = JsonObject::new();
    if let BomStamp::Fixed(seconds) = stamp {
        metadata.string("timestamp", &timestamp(seconds));
    }
    let mut tool = JsonObject::new();
    tool.string("type", "application");
    tool.string("name", "modfetch");
    tool.string("version", env!("CARGO_PKG_VERSION"));
    let mut tools = JsonObject::new();
    tools.objects("components", &[tool]);
    metadata.object("tools", &tools);
    let all: Vec<JsonObject> = mains(bom)
        .map(|main| component(main, "application"))
        .collect();
    match <[JsonObject; 1]>::try_from(all) {
        Ok([main]) => metadata.object("component", &main),
        Err(all) => {
            let mut workspace = JsonObject::new();
            workspace.string("type", "application");
            workspace.string("bom-ref", WORKSPACE);
            workspace.string("name", document_name(bom));
            workspace.objects("components", &all);
            metadata.object("component", &workspace);
        }
    }
    metadata
}

fn component(module: &BomModule, kind: &str) -> JsonObject {
    let mut component = JsonObject::new();
    component.string("type", kind);
    component.string("bom-ref", &module.name());
    component.string("name", &module.path);
    component.string("version", module.version.as_deref().unwrap_or_default());
    if module.usage != BomUsage::Packages {
        component.string("scope", "excluded");
    }
    let licenses: Vec<JsonObject> = module.licenses.iter().map(license).collect();
    if !licenses.is_empty() {
        component.objects("licenses", &licenses);
    }
    component.string("purl", &module.package_url().unwrap_or_default());
    if let Some(origin) = &module.origin {
        component.objects("externalReferences", &[repository(origin)]);
    }
    let properties: Vec<JsonObject> = properties(module)
        .iter()
        .map(|(name, value)| {
            let mut property = JsonObject::new();
            property.string("name", name);
            property.string("value", value);
            property
        })
        .collect();
    if !properties.is_empty() {
        component.objects("properties", &properties);
    }
    component
}

/// A licence by the name of its file, with its text.
fn license(file: &LicenseFile) -> JsonObject {
    let mut text = JsonObject::new();
    text.string("contentType", "text/plain");
    text.string("content", &file.text);
    let mut license = JsonObject::new();
    license.string("name", &file.name);
    license.string("acknowledgement", "declared");
    license.object("text", &text);
    let mut choice = JsonObject::new();
    choice.object("license", &license);
    choice
}

fn repository(origin: &BomOrigin) -> JsonObject {
    let mut reference = JsonObject::new();
    reference.string("type", "vcs");
    reference.string("url", &origin.url);
    let location = origin.location();
    reference.string("comment", location.as_deref().unwrap_or(&origin.vcs));
    reference
}

/// Whose requirements are known has a row, be it an empty one; whose are not has none.
fn dependencies(bom: &BillOfMaterials) -> Vec<JsonObject> {
    let mut rows = Vec::new();
    let mut row = |name: &str, on: &[String]| {
        let mut object = JsonObject::new();
        object.string("ref", name);
        object.lines("dependsOn", on);
        rows.push(object);
    };
    let all: Vec<String> = mains(bom).map(BomModule::name).collect();
    if all.len() != 1 {
        row(WORKSPACE, &all);
    }
    for module in &bom.modules {
        if let Some(requires) = &module.requires {
            let names = requires.iter().filter_map(|&place| bom.modules.get(place));
            row(
                &module.name(),
                &names.map(BomModule::name).collect::<Vec<_>>(),
            );
        }
    }
    rows
}
