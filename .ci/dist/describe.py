"""Describes what a binary is made of: describe.py TARGET COMMIT FOLDER, run where Cargo.toml is.

Writes THIRD-PARTY-LICENSES.txt (every crate that is linked into the binary, with the texts of its licences) and modfetch.cdx.json (the same
crates as CycloneDX 1.6) into FOLDER. The source is `cargo metadata` for the target; crates of build scripts, procedural macros and tests
are not in the binary, and are left out. A crate without a licence text is an error.
"""

import json
import os
import subprocess
import sys
import uuid
from datetime import datetime, timezone
from pathlib import Path

PREFIXES = ("LICEN", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE")


def linked(metadata: dict) -> tuple[dict, dict[str, list[str]]]:
    """The packages in the binary by id, and the ids that each depends on."""
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    macro = lambda id: any("proc-macro" in target["kind"] for target in packages[id]["targets"])
    found: dict[str, list[str]] = {}
    waiting = [metadata["resolve"]["root"]]
    while waiting:
        id = waiting.pop()
        if id in found:
            continue
        needs = [
            dependency["pkg"]
            for dependency in nodes[id]["deps"]
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]) and not macro(dependency["pkg"])
        ]
        found[id] = needs
        waiting += needs
    return packages, found


def texts(package: dict) -> list[tuple[str, str]]:
    folder = Path(package["manifest_path"]).parent
    files = sorted(file for file in folder.iterdir() if file.is_file() and file.name.upper().startswith(PREFIXES))
    return [(file.name, file.read_text(encoding="utf-8", errors="replace").strip()) for file in files]


def licences(packages: list[dict]) -> str:
    lines = [
        "modfetch is linked from the crates below, the Rust standard library (MIT OR Apache-2.0) and musl (MIT).",
        "Equal licence texts are printed once, below the crates that carry them.",
        "",
    ]
    lines += [f"{package['name']} {package['version']}: {package['license']}" for package in packages]
    by_text: dict[str, list[str]] = {}
    for package in packages:
        found = texts(package)
        if not found:
            sys.exit(f"describe.py: {package['name']} {package['version']} has no licence text")
        for name, text in found:
            by_text.setdefault(text, []).append(f"{package['name']} {package['version']} ({name})")
    for text, owners in by_text.items():
        lines += ["", "=" * 80, *owners, "-" * 80, text]
    return "\n".join(lines) + "\n"


def purl(package: dict) -> str:
    return f"pkg:cargo/{package['name']}@{package['version'].replace('+', '%2B')}"


def component(package: dict, kind: str, sums: dict) -> dict:
    result = {
        "type": kind,
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "description": (package["description"] or "").strip(),
        "licenses": [{"expression": package["license"]}],
        "purl": purl(package),
    }
    checksum = sums.get((package["name"], package["version"]))
    if checksum:
        result["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    return result


def main() -> None:
    target, commit, folder = sys.argv[1:]
    command = ["cargo", "metadata", "--format-version=1", "--locked", f"--filter-platform={target}"]
    metadata = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    packages, graph = linked(metadata)
    order = sorted(graph, key=lambda id: (packages[id]["name"], packages[id]["version"]))
    root = metadata["resolve"]["root"]
    crates = [packages[id] for id in order if id != root]

    # The checksum of the crate file, of Cargo.lock.
    sums: dict[tuple[str, str], str] = {}
    for block in Path("Cargo.lock").read_text(encoding="utf-8").split("[[package]]")[1:]:
        fields = dict(line.split(" = ", 1) for line in block.splitlines() if " = " in line)
        if "checksum" in fields:
            sums[(fields["name"].strip('"'), fields["version"].strip('"'))] = fields["checksum"].strip('"')

    time = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), timezone.utc)
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'modfetch:{commit}:{target}')}",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": component(packages[root], "application", sums)
            | {
                "properties": [
                    {"name": "modfetch:commit", "value": commit},
                    {"name": "modfetch:target", "value": target},
                    {"name": "modfetch:rustc", "value": subprocess.check_output(["rustc", "-V"], text=True).strip()},
                ]
            },
        },
        "components": [component(package, "library", sums) for package in crates],
        "dependencies": [
            {"ref": purl(packages[id]), "dependsOn": sorted({purl(packages[need]) for need in graph[id]})}
            for id in order
        ],
    }
    Path(folder, "THIRD-PARTY-LICENSES.txt").write_text(licences(crates), encoding="utf-8")
    Path(folder, "modfetch.cdx.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


main()
