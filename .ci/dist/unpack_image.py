"""Unpacks an OCI image of one layer and checks it on the way: unpack_image.py FILE FOLDER COMMIT.

Every digest and size is compared with what it names; the user must not be root.
"""

import gzip
import hashlib
import io
import json
import sys
import tarfile

file, folder, commit = sys.argv[1:]
blobs = {entry.name: tar.extractfile(entry).read() for tar in [tarfile.open(file)] for entry in tar if entry.isfile()}


def read(place: dict) -> bytes:
    data = blobs["blobs/" + place["digest"].replace(":", "/")]
    assert len(data) == place["size"], place
    assert "sha256:" + hashlib.sha256(data).hexdigest() == place["digest"], place
    return data


assert json.loads(blobs["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
(place,) = json.loads(blobs["index.json"])["manifests"]
manifest = json.loads(read(place))
config = json.loads(read(manifest["config"]))
(layer,) = manifest["layers"]
plain = gzip.decompress(read(layer))
assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(plain).hexdigest()]
assert config["config"]["Labels"]["org.opencontainers.image.revision"] == commit
assert config["config"]["User"].split(":")[0] not in ("", "0", "root")
assert (config["architecture"], config["os"]) == (place["platform"]["architecture"], place["platform"]["os"])
(docker,) = json.loads(blobs["manifest.json"])
assert docker["Config"].endswith(manifest["config"]["digest"].split(":")[1])
with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
    tar.extractall(folder, filter="fully_trusted")
