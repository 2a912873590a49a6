//! Random templates, from a seed: modfetch makes of them what go's `text/template` makes.
//!
//! They are whole templates, with mistakes in them: wrong types, unknown names, torn text.

use std::fmt::Write as _;

use modfetch::Kind;
use serde_json::Value as Json;

use crate::differential::template::{ask_go, modules, ours};
use crate::support::go::variable;
use crate::support::listed::Module;
use crate::support::random_project::Rng;
use crate::support::require_go;
use crate::support::sampling::demanded_cases;

/// How many a quick run takes.
const QUICK: u64 = 100;

const FIELDS: &str = r##"
    .Path .Version .Main .Versions .Indirect .Time .GoVersion $x $y $.Path $.Version . .
    . .Path .Version .Main .Indirect .Versions .Retracted .Replace .Replace.Path .Update.Version
    .Time .Time.Year .Time.IsZero .Error .Error.Err .Origin.URL .String .Nope $ $.Path $.Versions
    $x $y $x.Path
"##;

const LITERALS: &str = r##"
    0 1 2 3 -1 +2 0x10 -0x1e 0b11 1_0 9223372036854775807 9223372036854775808 99999999999999999999
    1.5 0.0 -0.0 .5 5. 1e3 1e-7 123456.0 1234567.0 1e21 2.5 3.14159265358979 1e400 5e-324 0.1
    1_0.5 1_.5 089.5 089 100.0 1e5 'a' 'é' true false nil "" "a" "<a\x20href='x'>&\"\n\t"
    "é\u200b=\\" `r"w` "v1" "a\x20b+c/d?e%" "\x00\x1f\x7f"
"##;

const FORMATS: &str = r##"
    %s %v %q %d %t %x %T %5v| %-9v| %05v %+v %\x20v %c %% % %! %s\x20%s x %6.2v|
    %+d %o %w
"##;

/// Functions, each with a number of arguments that it takes.
const FUNCTIONS: &str = "
    not1 and2 or2 eq2 eq3 ne2 lt2 le2 gt2 ge2 len1 index2 slice2 slice3 print2 print3 println2 join2
";

/// Commands without a mistake.
const GOOD: &[&str] = &[
    "print .Path 1 2.5",
    "printf \"%s@%s\" .Path .Version",
    "len .Versions",
    "join .Versions \", \"",
    "eq .Version \"v1.2.3\"",
    "and .Replace .Replace.Path",
    "lt 1.5 2.5",
    "not .Main",
    "index $.Path 3",
    "slice $.Path 2 5",
];

/// One of the words of a table.
fn word(rng: &mut Rng, words: &'static str) -> &'static str {
    let words: Vec<&str> = words.split_whitespace().collect();
    words[rng.below(words.len())]
}

/// What a template is made of, until there is enough.
struct Writer {
    rng: Rng,
    out: String,
    /// How much may still be written.
    left: usize,
    /// How many definitions this is within.
    within: usize,
}

impl Writer {
    fn put(&mut self, text: &str) {
        self.out += text;
    }

    fn blank(&mut self) {
        let blank = if self.rng.percent(97) { " " } else { "\n" };
        self.put(blank);
    }

    fn open(&mut self) {
        let mark = if self.rng.percent(8) { "{{- " } else { "{{" };
        self.put(mark);
    }

    fn close(&mut self) {
        let mark = if self.rng.percent(8) { " -}}" } else { "}}" };
        self.put(mark);
    }

    fn list(&mut self, depth: usize) {
        for _ in 0..=self.rng.below(3) {
            if self.left == 0 {
                return;
            }
            self.left -= 1;
            self.statement(depth);
        }
    }

    fn statement(&mut self, depth: usize) {
        let nests = if depth < 4 { 11 } else { 5 };
        match self.rng.below(nests) {
            0 => {
                let text = *self.rng.one(&["text", " ", "\n", "{", "}}", "é\n b "]);
                self.put(text);
            }
            1 => self.declaration(depth),
            2 => self.call(),
            3 | 4 => {
                self.open();
                self.pipe(depth);
                self.close();
            }
            5 => self.control("if", depth),
            6 => self.control("with", depth),
            7 | 8 => self.range(depth),
            9 => self.define(depth),
            _ => {
                self.open();
                let name = self.name();
                self.put(&format!("block {name} "));
                self.pipe(depth);
                self.close();
                self.body(depth);
            }
        }
    }

    fn declaration(&mut self, depth: usize) {
        self.open();
        let name = *self.rng.one(&["$x", "$y"]);
        let sign = *self.rng.one(&[" := ", " := ", " = "]);
        self.put(&format!("{name}{sign}"));
        self.pipe(depth);
        self.close();
    }

    /// A name to define.
    fn name(&mut self) -> &'static str {
        word(&mut self.rng, r#""a" "a" "b" "main" "é\"%d" 3"#)
    }

    /// Uses a template. What is within one uses no other that does, for that may take for ever.
    fn call(&mut self) {
        self.open();
        let names = match self.within {
            0 => r#"`a` `a` "b" `c` "c" "é\"%d" "none" 3"#,
            _ => r#""c" `c` "\x63""#,
        };
        let name = word(&mut self.rng, names);
        self.put(&format!("template {name}"));
        if self.rng.percent(70) {
            self.put(" ");
            self.pipe(3);
        }
        self.close();
    }

    fn control(&mut self, word: &str, depth: usize) {
        self.open();
        self.put(word);
        self.put(" ");
        if self.rng.percent(15) {
            self.put("$x := ");
        }
        self.pipe(depth);
        self.close();
        self.list(depth + 1);
        match self.rng.below(6) {
            0 | 1 => {
                self.put("{{else}}");
                self.list(depth + 1);
            }
            2 => {
                self.put(&format!("{{{{else {word} "));
                self.pipe(depth);
                self.put("}}");
                self.list(depth + 1);
            }
            _ => {}
        }
        self.put("{{end}}");
    }

    fn range(&mut self, depth: usize) {
        self.open();
        let names = *self
            .rng
            .one(&["", "", "$x := ", "$x, $y := ", "$y = ", "$x, $y = "]);
        self.put(&format!("range {names}"));
        match self.rng.below(5) {
            0 => self.put(".Versions"),
            1 => self.put("$.Versions"),
            2 => {
                let end =
                    *self
                        .rng
                        .one(&["2", "3", "0", "-1", "2.0", "(index .Path 0)", "'\\x02'"]);
                self.put(end);
            }
            _ => self.pipe(depth),
        }
        self.close();
        self.list(depth + 1);
        if self.rng.percent(20) {
            let jump = *self
                .rng
                .one(&["{{break}}", "{{continue}}", "{{if .}}{{break}}{{end}}"]);
            self.put(jump);
            self.list(depth + 1);
        }
        if self.rng.percent(25) {
            self.put("{{else}}");
            self.list(depth + 1);
        }
        self.put("{{end}}");
    }

    /// Mostly where it may be.
    fn define(&mut self, depth: usize) {
        if depth > 0 && self.rng.percent(95) {
            return self.call();
        }
        self.open();
        let name = self.name();
        self.put(&format!("define {name}"));
        self.close();
        self.body(depth);
    }

    fn body(&mut self, depth: usize) {
        self.within += 1;
        self.list(depth + 1);
        self.put("{{end}}");
        self.within -= 1;
    }

    fn pipe(&mut self, depth: usize) {
        self.command(depth);
        while self.rng.percent(15) {
            let stage = *self.rng.one(&[
                " | print",
                "| len",
                " | printf \"%v\"",
                " | not",
                " | println 1",
                " | printf \"%v %q\" 1.25",
                " | eq 1.0",
                " | index .Versions",
            ]);
            self.put(stage);
        }
    }

    fn command(&mut self, depth: usize) {
        match self.rng.below(10) {
            0..=2 => self.operand(depth),
            3 | 7 => {
                let command = *self.rng.one(GOOD);
                self.put(command);
            }
            4 | 5 => {
                let format = word(&mut self.rng, FORMATS);
                self.put(&format!("printf \"{format}\""));
                for _ in 0..self.rng.below(3) {
                    self.blank();
                    self.operand(depth + 1);
                }
            }
            6 => {
                let (literal, format) =
                    (word(&mut self.rng, LITERALS), word(&mut self.rng, FORMATS));
                self.put(&format!("printf \"{format}\" {literal}"));
            }
            _ => {
                let function = word(&mut self.rng, FUNCTIONS);
                let (name, count) = function.split_at(function.len() - 1);
                self.put(name);
                for _ in 0..count.parse().unwrap() {
                    self.blank();
                    self.operand(depth + 1);
                }
            }
        }
    }

    fn operand(&mut self, depth: usize) {
        match self.rng.below(9) {
            0..=3 => {
                let field = word(&mut self.rng, FIELDS);
                self.put(field);
            }
            4..=6 => {
                let literal = word(&mut self.rng, LITERALS);
                self.put(literal);
            }
            7 if depth < 5 => {
                self.put("(");
                self.pipe(depth + 2);
                self.put(")");
                if self.rng.percent(15) {
                    self.put(".Path");
                }
            }
            _ => {
                let version = *self.rng.one(&[".Versions", ".Path", "\"b\""]);
                self.put(version);
            }
        }
    }
}

/// The template of a seed.
fn template(seed: u64) -> String {
    let mut writer = Writer {
        rng: Rng::new(seed),
        out: String::new(),
        left: 7,
        within: 0,
    };
    // Otherwise most have a variable that is unknown.
    if writer.rng.percent(80) {
        writer.put("{{$x := .Path}}{{$y := 1.5}}");
    }
    if writer.rng.percent(70) {
        writer.put("{{define `c`}}<{{.}}>{{end}}");
        writer.put("{{define \"a\"}}{{template \"c\" 1.5}}{{with .}}{{print .}}{{end}}{{end}}");
        writer.put("{{define \"b\"}} \n{{/**/}}{{end}}");
    }
    writer.list(0);
    let Writer {
        mut rng, mut out, ..
    } = writer;
    if rng.percent(6) {
        // Torn somewhere.
        let places: Vec<usize> = out.char_indices().map(|(at, _)| at).collect();
        if !places.is_empty() {
            let at = *rng.one(&places);
            match rng.below(3) {
                0 => out.truncate(at),
                1 => drop(out.remove(at)),
                _ => {
                    let torn = r#"( ) | . " {{end}} $ {{define"a"}} -"#;
                    out.insert_str(at, word(&mut rng, torn));
                }
            }
        }
    }
    out
}

/// Where a struct is within another, its address is printed.
fn without_addresses(answer: &Json) -> String {
    let text = answer.to_string();
    let mut parts = text.split("0x");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        out += "0x";
        out += if part.len() - rest.len() > 8 {
            rest
        } else {
            part
        };
    }
    out
}

#[test]
fn list_f_random_templates_match_go() {
    let go = require_go!();
    let number = |name: &str| variable(name).map(|text| text.parse::<u64>().expect("a number"));
    let (first, count) = match (number("MODFETCH_SEED"), demanded_cases()) {
        (Some(seed), count) => (seed, count.unwrap_or(1)),
        (None, count) => (0, count.unwrap_or(QUICK)),
    };
    let texts: Vec<String> = (first..first + count).map(template).collect();
    let said = ask_go(&go, &texts.iter().map(String::as_str).collect::<Vec<_>>());
    let modules: Vec<Module> = modules().iter().map(Module::new).collect();
    let (mut wrong, mut beyond, mut failing) = (String::new(), 0, 0);
    for ((seed, text), want) in (first..).zip(&texts).zip(&said) {
        let (got, kinds) = ours(text, &modules);
        let (got, want) = (without_addresses(&got), without_addresses(want));
        if kinds.contains(&Kind::Usage) {
            beyond += 1;
        } else if got != want {
            let _ = writeln!(wrong, "MODFETCH_SEED={seed}\n{got}\n   want: {want}");
        }
        failing += usize::from(!kinds.is_empty());
    }
    eprintln!(
        "{count} random templates, {failing} of them with errors, {beyond} beyond modfetch's"
    );
    assert!(wrong.is_empty(), "{wrong}");
}
