#!/usr/bin/env bash
# The S3 of moto accepts an upload whose Content-MD5 or x-amz-checksum-sha256 is that of other bytes.
#
# Seen with moto 5.2.5 and boto3 1.44.8 (Python 3.11), 2026-11-30:
# - PutObject with the Content-MD5 of other bytes is answered by 200, and the object is there. S3 answers 400 BadDigest.
# - PutObject with the ChecksumSHA256 of other bytes is answered by 200 as well; S3 refuses it.
# - A conditional write is taken seriously: If-None-Match: * on a key that exists is answered by 412.
# So a test against moto shows nothing about a client that computes its digests wrong: read the object back, or use
# another engine for that.
#
# Needs: python3 with venv.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q 'moto[s3]==5.2.5' flask==3.1.3 flask-cors==6.0.5 boto3==1.44.8 botocore==1.44.8
cat >"$work/probe.py" <<'P'
import base64, hashlib, logging
import boto3
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
s3 = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1",
                  aws_access_key_id="key", aws_secret_access_key="secret")
s3.create_bucket(Bucket="bucket")

def digest(name):
    return base64.b64encode(hashlib.new(name, b"other bytes").digest()).decode()

def put(key, **more):
    try:
        answer = s3.put_object(Bucket="bucket", Key=key, Body=b"these bytes", **more)
        return answer["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"]

print("wrong Content-MD5:", put("a", ContentMD5=digest("md5")))
print("wrong ChecksumSHA256:", put("b", ChecksumSHA256=digest("sha256")))
print("stored:", [s3.get_object(Bucket="bucket", Key=key)["Body"].read() for key in "ab"])
print("If-None-Match on an object that exists:", put("a", IfNoneMatch="*"))
server.stop()
P
out=$("$work/venv/bin/python" "$work/probe.py" 2>"$work/log") || { cat "$work/log"; exit 1; }
echo "$out"
grep -qx 'wrong Content-MD5: 200' <<<"$out" && grep -qx 'wrong ChecksumSHA256: 200' <<<"$out" &&
	grep -qx 'If-None-Match on an object that exists: 412' <<<"$out" ||
	{ echo "changed: moto behaves otherwise"; exit 1; }
echo "as described"
