//! Stores with the S3 API: servers that share one, and bundles that go there.

mod bundles;
mod engines;
mod fleet;
mod garage;
mod served;
