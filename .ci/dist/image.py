"""Writes an OCI image of one file without a container engine: image.py BINARY PLATFORM VERSION COMMIT FILE.

FILE is a tar of an OCI image layout (image-spec 1.1); `manifest.json` in it lets `docker load` of any age read it as well. The image holds
the program, /cache that belongs to the user 65532, and /tmp. Its bytes depend on the arguments and on SOURCE_DATE_EPOCH only.
"""

import gzip
import hashlib
import io
import json
import os
import sys
import tarfile
from datetime import datetime, timezone

USER = 65532
EPOCH = int(os.environ["SOURCE_DATE_EPOCH"])


def add(tar: tarfile.TarFile, name: str, data: bytes | None, mode: int, user: int = 0) -> None:
    entry = tarfile.TarInfo(name)
    entry.mode, entry.mtime, entry.uid, entry.gid = mode, EPOCH, user, user
    if data is None:
        entry.type = tarfile.DIRTYPE
        tar.addfile(entry)
    else:
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))


def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def main() -> None:
    binary, platform, version, commit, file = sys.argv[1:]
    architecture, _, variant = platform.partition("/")
    created = datetime.fromtimestamp(EPOCH, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        add(tar, "cache", None, 0o755, USER)
        with open(binary, "rb") as program:
            add(tar, "modfetch", program.read(), 0o755)
        add(tar, "tmp", None, 0o1777)
    layer = gzip.compress(plain.getvalue(), compresslevel=9, mtime=0)

    config = {
        "architecture": architecture,
        "os": "linux",
        "created": created,
        "config": {
            "User": f"{USER}:{USER}",
            "Entrypoint": ["/modfetch"],
            # go and modfetch both read it; /cache is the only place that is written.
            "Env": ["GOMODCACHE=/cache", "HOME=/cache", "PATH=/"],
            "Volumes": {"/cache": {}},
            "WorkingDir": "/",
            "Labels": {
                "org.opencontainers.image.title": "modfetch",
                "org.opencontainers.image.description": "Fetches, checks, keeps and serves Go modules",
                "org.opencontainers.image.licenses": "MIT OR Apache-2.0",
                "org.opencontainers.image.version": version,
                "org.opencontainers.image.revision": commit,
            },
        },
        "rootfs": {"type": "layers", "diff_ids": [digest(plain.getvalue())]},
        "history": [{"created": created, "created_by": "modfetch .ci/dist/image.py"}],
    }
    if variant:
        config["variant"] = variant
    config_text = canonical(config)
    manifest = canonical(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": digest(config_text),
                "size": len(config_text),
            },
            "layers": [
                {
                    "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                    "digest": digest(layer),
                    "size": len(layer),
                }
            ],
        }
    )
    place = {"architecture": architecture, "os": "linux"} | ({"variant": variant} if variant else {})
    index = canonical(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [
                {
                    "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "digest": digest(manifest),
                    "size": len(manifest),
                    "platform": place,
                    "annotations": {
                        "org.opencontainers.image.ref.name": version,
                        "io.containerd.image.name": f"docker.io/library/modfetch:{version}",
                    },
                }
            ],
        }
    )
    blob = lambda data: "blobs/" + digest(data).replace(":", "/")
    docker = canonical(
        [{"Config": blob(config_text), "RepoTags": [f"modfetch:{version}"], "Layers": [blob(layer)]}]
    )
    files = {blob(data): data for data in (layer, config_text, manifest)}
    files |= {"index.json": index, "manifest.json": docker, "oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}
    with tarfile.open(file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        add(tar, "blobs", None, 0o755)
        add(tar, "blobs/sha256", None, 0o755)
        for name in sorted(files):
            add(tar, name, files[name], 0o644)


main()
