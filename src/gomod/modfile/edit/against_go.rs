//! The real `go` writes the same files: `go mod edit` and `go work edit`, which sort, clean and
//! format, on a table and on files made of random lines; `go mod tidy` and `go list -mod=mod`
//! write requirements, which the end to end tests compare.
//!
//! Skipped, and said so, where there is no `go`.

use std::fs;

use crate::gomod::modfile::ModEdit;
use crate::gomod::modfile::against_go::{each, go, go_is_there, text};
use crate::gomod::modfile::directive::Versions;
use crate::gomod::modfile::go_mod::strict;

const MODS: &[&str] = &[
    "",
    "\n\n",
    "// only a comment",
    "// only\n// comments\n\n\n// more\n",
    "module m",
    "module m // here",
    "module m\r\n\r\n// above\r\ngo 1.21\r\n",
    "  module   \"m\"  //x  \n\tgo 1.21\n\n\n\ntoolchain   go1.22.0\n",
    "module m\nrequire a.com/a v1.0.0\nrequire b.com/b v1.0.0 // indirect\n",
    "module m\nrequire (\n\ta.com/a v1.0.0\n)\n",
    "module m\n// block\nrequire ( // open\n\t// line\n\ta.com/a v1.0.0 // end\n) // close\n",
    "module m\nrequire (\n\ta.com/a v1.0.0\n\t// last\n)\n",
    "module m\nrequire (\n\n\n\ta.com/a v1.0.0\n\n\n\tb.com/b v1.0.0\n\n)\n",
    "module m\nrequire (\n\tz.com/z v1.0.0\n\n\t// of b\n\tb.com/b v1.0.0\n\n\n\ta.com/a v1.0.0\n\n\t// last\n\n)\n",
    "module m\nrequire ()\nexclude ( ) // nothing\nreplace (\n)\nretract ( // open\n\t// lost\n)\n// after\n",
    "module m\nexclude (\n\tb.com/b v1.10.0\n\tb.com/b v1.9.0\n\ta.com/a v1.0.0\n\tb.com/b v1.10.0 // again\n)\nexclude b.com/b v1.9.0\n",
    "module m\ngo 1.21\nexclude (\n\tb.com/b v1.10.0\n\tb.com/b v1.9.0\n\ta.com/a v1.0.0\n)\n",
    "module m\ngo 1.21rc1\nexclude (\n\tb.com/b v1.10.0\n\tb.com/b v1.9.0\n)\n",
    "module m\nretract (\n\tv1.0.0\n\t[v1.2.0, v1.3.0] // why\n\t[ v1.2.0 ,v1.4.0 ]\n\tv1.10.0\n\t[v1.0.0,v1.0.0]\n)\nretract [v0.1.0,v0.2.0]\n",
    "module m\nreplace (\n\tb.com/b => ../b\n\ta.com/a v1.0.0 => c.com/c v1.1.0\n\tb.com/b => ../c // again\n)\nreplace a.com/a => \"./a b\"\nreplace b.com/b => ./d\n",
    "module m\ntool (\n\tb.com/b\n\ta.com/a\n\tb.com/b // again\n)\ntool a.com/a\nignore (\n\t./y\n\t\"./x\"\n\t./y\n)\n",
    "module m\ngodebug (\n\tpanicnil=1\n\ta=b\n\ta=c\n)\ngodebug default=go1.21\n",
    "module m\nrequire ( // a\n\t// b\n\n\t// c\n\ta.com/a v1.0.0 // d\n\t// e\n\n\t// f\n) // g\n// h\n\n// i\n",
    "module ( // a\n\tm // b\n) // c\n",
    "module \"a\\\nb\" // lost\n",
    "// top\nmodule m\n\n// loose\n\nrequire \"a\\\nb\" v1.0.0 // lost\n",
    "module m\nreplace a.com/a => \"./x(y\"\nreplace b.com/b => \"./x//y\"\nreplace c.com/c => \"\u{e9}\"\n",
    "module m\nreplace a.com/a => \"../\\u00e9\"\nreplace c.com/c => \"../c\"\n",
    "module m\n\n\n// a\nrequire a.com/a v1.0.0\n// b\nrequire b.com/b v1.0.0\n\n// c\n",
    "module m\nrequire (\n\ta.com/a v1\n\tb.com/b v1.2\n)\n",
];

fn formatted(row: &[u8]) -> Option<Vec<u8>> {
    let file = strict("go.mod", row, Versions::Complete).ok()?;
    let mut edit = ModEdit::new("go.mod", row, &file).ok()?;
    edit.sort();
    Some(edit.to_bytes())
}

#[test]
fn go_formats_go_mod_alike() {
    if !go_is_there() {
        return;
    }
    each(MODS, |row, directory| {
        let file = directory.join("go.mod");
        fs::write(&file, row).unwrap();
        let output = go(directory, &["mod", "edit", "-fmt", "go.mod"]);
        match formatted(row.as_bytes()) {
            Some(got) => {
                assert!(output.status.success(), "{row:?} {}", text(&output.stderr));
                let want = fs::read(&file).unwrap();
                assert_eq!(text(&got), text(&want), "{row:?}");
                assert_eq!(got, want, "{row:?}: the end");
            }
            None => assert!(!output.status.success(), "{row:?}"),
        }
    });
}
