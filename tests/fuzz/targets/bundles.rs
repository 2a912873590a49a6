//! Bundles: a manifest of any text, and an archive whose bytes are altered.

use std::io::Read;
use std::ops::Range;
use std::sync::LazyLock;

use modfetch::internals::bundle::{
    BundleSink, BundleTrust, BundleWant, Manifest, ManifestModule, read_bundle,
};
use modfetch::internals::gomod::PrefixPatterns;
use modfetch::internals::tarfile::TarWriter;
use modfetch::{Error, Kind};
use modfetch::{H1, ModuleVersion};

/// Takes what is proven; a zip is not looked into.
struct Checked(Vec<ModuleVersion>);

impl BundleSink for Checked {
    fn gomod(&mut self, _: &str, one: &ManifestModule, content: &[u8]) -> Result<(), Error> {
        assert_eq!(H1::of_go_mod(content), one.gomod);
        self.0.push(one.module.clone());
        Ok(())
    }

    fn zip(&mut self, _: &str, _: &ManifestModule, _: &mut dyn Read) -> Result<(), Error> {
        Ok(())
    }
}

static BUNDLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let gomod = b"module example.com/a\n";
    let h1 = H1::of_go_mod(gomod);
    let manifest = format!(
        "{{\n\t\"modfetchBundle\": 1,\n\t\"newest\": false,\n\t\"modules\": [\n\
         {{\"path\":\"example.com/a\",\"version\":\"v1.0.0\",\"mod\":\"{h1}\",\"source\":\"direct\"}}\n]\n}}\n"
    );
    let mut tar = TarWriter::new(Vec::new());
    let members = [
        ("modfetch-bundle.json", manifest.as_bytes()),
        ("example.com/a/@v/list", b"v1.0.0\n"),
        ("example.com/a/@v/v1.0.0.mod", gomod),
    ];
    for (name, content) in members {
        tar.append_bytes(name, content).expect("memory takes it");
    }
    tar.finish().expect("memory takes it")
});

/// Where the manifest in [`BUNDLE`] names the source.
static SOURCE: LazyLock<Range<usize>> = LazyLock::new(|| {
    let name = b"\"direct\"";
    let at = BUNDLE.windows(name.len()).position(|window| window == name);
    let at = at.expect("the manifest names it") + 1;
    at..at + name.len() - 2
});

/// The first byte says whether the rest is a manifest, a want file, an archive, or places and bits to flip
/// in a good archive.
pub(super) fn bundle(data: &[u8]) {
    let Some((&kind, rest)) = data.split_first() else {
        return;
    };
    match kind % 4 {
        0 => {
            if let Ok(manifest) = Manifest::parse(rest) {
                assert_eq!(manifest.to_json().as_bytes(), rest);
                let _ = manifest.version_lists();
            }
        }
        1 => {
            if let Ok(want) = BundleWant::parse(rest) {
                let again = BundleWant::parse(want.to_json().as_bytes());
                assert_eq!(again.map_err(|error| error.chain()), Ok(want));
            }
        }
        2 => {
            let _ = read(rest);
        }
        _ => {
            let mut archive = BUNDLE.clone();
            for place in rest.chunks_exact(3).take(8) {
                let at = usize::from(u16::from_le_bytes([place[0], place[1]])) % archive.len();
                archive[at] ^= place[2];
            }
            let altered = archive.iter().zip(&*BUNDLE).position(|(a, b)| a != b);
            match altered {
                None => assert!(read(&archive).is_ok()),
                // The source of a module is information without a proof: any text is accepted.
                Some(at) if SOURCE.contains(&at) => drop(read(&archive)),
                Some(_) => assert!(read(&archive).is_err()),
            }
        }
    }
}

fn read(archive: &[u8]) -> Result<(), Error> {
    let trust = BundleTrust {
        verifier: None,
        exempt: PrefixPatterns::default(),
        go_sum: None,
    };
    let mut sink = Checked(Vec::new());
    let read = read_bundle(archive, &trust, &mut sink);
    match read {
        Ok(summary) => {
            assert_eq!(summary.manifest.modules.len(), sink.0.len());
            Ok(())
        }
        Err(error) => {
            assert!(
                matches!(error.kind(), Kind::Security | Kind::Input),
                "{}",
                error.chain()
            );
            Err(error)
        }
    }
}
