//! SPDX 3.0.1, as JSON-LD.
//!
//! Source: the SPDX specification 3.0.1 and its `spdx-json-schema.json`.

use super::{
    BomStamp, comment, document_name, identity, license_comment, license_ref, license_texts, mains,
    timestamp,
};
use crate::report::JsonObject;
use crate::sbom::{BillOfMaterials, BomModule, BomOrigin, LicenseFile};

/// The blank node that all elements share.
const CREATION: &str = "_:creation";

pub(super) fn document(bom: &BillOfMaterials, stamp: BomStamp) -> JsonObject {
    let names = SpdxIds {
        base: format!("urn:uuid:{}", identity(bom)),
    };
    let packages: Vec<String> = bom
        .modules
        .iter()
        .map(|module| names.package(module))
        .collect();
    let roots: Vec<String> = mains(bom).map(|main| names.package(main)).collect();
    let relationships: Vec<JsonObject> = relationships(bom, &names);

    let mut creation = JsonObject::new();
    creation.string("type", "CreationInfo");
    creation.string("@id", CREATION);
    creation.string("specVersion", "3.0.1");
    creation.string("created", &timestamp(stamp.seconds()));
    creation.strings("createdBy", &[names.agent()]);

    let mut agent = names.element("SoftwareAgent", &names.agent());
    agent.string("name", concat!("modfetch ", env!("CARGO_PKG_VERSION")));

    let mut whole = names.element("SpdxDocument", &names.of("document"));
    whole.string("name", document_name(bom));
    let texts = license_texts(bom);
    let profiles: &[&str] = match texts.is_empty() {
        true => &["core", "software"],
        false => &["core", "software", "simpleLicensing", "expandedLicensing"],
    };
    whole.strings("profileConformance", profiles);
    whole.strings("rootElement", &[names.of("sbom")]);

    let mut sbom = names.element("software_Sbom", &names.of("sbom"));
    sbom.strings("software_sbomType", &["source"]);
    sbom.lines("rootElement", &roots);
    sbom.lines("element", &packages);

    let mut graph = vec![creation, agent, whole, sbom];
    graph.extend(bom.modules.iter().map(|module| package(module, &names)));
    graph.extend(relationships);
    graph.extend(texts.iter().map(|text| custom_license(text, &names)));
    graph.extend(
        bom.modules
            .iter()
            .filter_map(|module| declared_license(module, &names)),
    );

    let mut document = JsonObject::new();
    document.string("@context", "https://spdx.org/rdf/3.0.1/spdx-context.jsonld");
    document.objects("@graph", &graph);
    document
}

/// The identifiers of one document.
struct SpdxIds {
    base: String,
}

impl SpdxIds {
    fn of(&self, name: &str) -> String {
        format!("{}#{name}", self.base)
    }

    fn agent(&self) -> String {
        self.of("modfetch")
    }

    /// Module paths and versions have only characters that a fragment may have, once `@` and `+` are let be.
    fn package(&self, module: &BomModule) -> String {
        self.of(&format!("module/{}", module.name()))
    }

    /// An element with what each of them has.
    fn element(&self, kind: &str, id: &str) -> JsonObject {
        let mut element = JsonObject::new();
        element.string("type", kind);
        element.string("spdxId", id);
        element.string("creationInfo", CREATION);
        element
    }
}

fn package(module: &BomModule, names: &SpdxIds) -> JsonObject {
    let mut package = names.element("software_Package", &names.package(module));
    package.string("name", &module.path);
    let mut text = comment(module);
    if let Some(licenses) = license_comment(module) {
        text.push_str("; licences: ");
        text.push_str(&licenses);
    }
    package.string("comment", &text);
    package.string(
        "software_packageVersion",
        module.version.as_deref().unwrap_or_default(),
    );
    package.string(
        "software_packageUrl",
        &module.package_url().unwrap_or_default(),
    );
    let location = module.origin.as_ref().and_then(BomOrigin::location);
    package.string("software_downloadLocation", &location.unwrap_or_default());
    package
}

fn custom_license((name, file): (&String, &&LicenseFile), names: &SpdxIds) -> JsonObject {
    let mut license = names.element("expandedlicensing_CustomLicense", &names.of(name));
    license.string("name", &file.name);
    license.string("simplelicensing_licenseText", &file.text);
    license
}

fn declared_license(module: &BomModule, names: &SpdxIds) -> Option<JsonObject> {
    let [file] = module.licenses.as_slice() else {
        return None;
    };
    let id = names.of(&format!("license/{}", module.name()));
    let mut object = names.element("Relationship", &id);
    object.string("from", &names.package(module));
    object.strings("to", &[names.of(&license_ref(file))]);
    object.string("relationshipType", "hasDeclaredLicense");
    Some(object)
}

fn relationships(bom: &BillOfMaterials, names: &SpdxIds) -> Vec<JsonObject> {
    let known = bom
        .modules
        .iter()
        .filter_map(|module| Some((module, module.requires.as_ref()?)));
    let some = known.filter(|(_, requires)| !requires.is_empty());
    some.map(|(module, requires)| {
        let id = names.of(&format!("requires/{}", module.name()));
        let mut object = names.element("Relationship", &id);
        let to = requires.iter().filter_map(|&place| bom.modules.get(place));
        object.string("from", &names.package(module));
        object.lines(
            "to",
            &to.map(|module| names.package(module)).collect::<Vec<_>>(),
        );
        object.string("relationshipType", "dependsOn");
        object.string("completeness", "complete");
        object
    })
    .collect()
}
