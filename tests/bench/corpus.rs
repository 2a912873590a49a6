//! A synthetic corpus of modules from a seed, made once and kept below `target/bench/`.
//!
//! Sizes follow a heavy tail, as module caches do: most modules are small, a few hold most of
//! the files, and the first one has a fixed large number of them. Contents are text that looks
//! like Go source and deflates about four to one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::support::fixtures::{Module, Tree};
use crate::support::sums;

/// What a corpus is like. Equal parameters give equal bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub seed: u64,
    pub modules: usize,
    /// Files of all modules together, about.
    pub files: usize,
    /// Files of the largest module.
    pub largest: usize,
    /// Unpacked bytes of all modules together, about.
    pub bytes: u64,
    pub content: Content,
}

/// What files hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Text that deflates about four to one.
    Source,
    /// Noise that does not deflate; one file has half of it, the others share the rest evenly.
    Noise,
}

impl Shape {
    /// What the published figures are measured with.
    pub const FULL: Shape = Shape {
        seed: 1,
        modules: 250,
        files: 52_000,
        largest: 8_000,
        bytes: 660_000_000,
        content: Content::Source,
    };

    /// Enough to see that everything works, and the direction of a change.
    pub const QUICK: Shape = Shape {
        seed: 1,
        modules: 60,
        files: 3_000,
        largest: 500,
        bytes: 40_000_000,
        content: Content::Source,
    };

    /// Many modules with next to nothing in them, for listings.
    pub const MANY: Shape = Shape {
        seed: 3,
        modules: 1_000,
        files: 3_000,
        largest: 10,
        bytes: 3_000_000,
        content: Content::Source,
    };

    /// One module whose zip is nearly as large as a module zip may be.
    pub const BIG: Shape = Shape {
        seed: 1,
        modules: 1,
        files: 64,
        largest: 64,
        bytes: 500_000_000,
        content: Content::Noise,
    };

    fn folder(&self, below: &Path) -> PathBuf {
        let Shape {
            seed,
            modules,
            files,
            largest,
            bytes,
            content,
        } = self;
        let noise = match content {
            Content::Source => "",
            Content::Noise => "-noise",
        };
        below.join(format!(
            "corpus-2-{seed}-{modules}-{files}-{largest}-{bytes}{noise}"
        ))
    }

    /// How many files each module has.
    fn file_counts(&self) -> Vec<usize> {
        let mut random = Random::new(self.seed);
        // exp(4u) spreads from 1 to 55: the tail.
        let weights: Vec<f64> = (1..self.modules)
            .map(|_| (4.0 * random.unit()).exp())
            .collect();
        let total: f64 = weights.iter().sum();
        let rest = self.files.saturating_sub(self.largest) as f64;
        let small = weights
            .iter()
            .map(|weight| (weight / total * rest) as usize + 1);
        std::iter::once(self.largest).chain(small).collect()
    }
}

/// A corpus on disk.
pub struct Corpus {
    folder: PathBuf,
    /// How many files each module has.
    counts: Vec<usize>,
}

impl Corpus {
    /// Finds the corpus below a folder, or makes it.
    pub fn prepare(shape: Shape, below: &Path) -> io::Result<Corpus> {
        let counts = shape.file_counts();
        let all: usize = counts.iter().sum();
        let corpus = Corpus {
            folder: shape.folder(below),
            counts,
        };
        if corpus.folder.join("go.sum").exists() {
            return Ok(corpus);
        }
        fs::create_dir_all(&corpus.folder)?;
        let mean_bytes = shape.bytes as f64 / all as f64;
        let next = AtomicUsize::new(0);
        let made: Vec<io::Result<Vec<(usize, String)>>> = thread::scope(|scope| {
            let workers = thread::available_parallelism().map_or(2, usize::from);
            let handles: Vec<_> = (0..workers)
                .map(|_| scope.spawn(|| corpus.make_modules(shape, mean_bytes, &next)))
                .collect();
            handles
                .into_iter()
                .map(|h| h.join().expect("a worker does not panic"))
                .collect()
        });
        let mut sums: Vec<(usize, String)> = Vec::new();
        for part in made {
            sums.extend(part?);
        }
        sums.sort();
        // Last, because its being there says that the corpus is complete.
        let go_sum: String = sums.into_iter().map(|(_, lines)| lines).collect();
        fs::write(corpus.folder.join("go.sum"), go_sum)?;
        Ok(corpus)
    }

    fn make_modules(
        &self,
        shape: Shape,
        mean_bytes: f64,
        next: &AtomicUsize,
    ) -> io::Result<Vec<(usize, String)>> {
        let mut sums = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(&count) = self.counts.get(number) else {
                return Ok(sums);
            };
            let module = make_module(shape, number, count, mean_bytes);
            for (suffix, data) in [
                ("info", module.info.clone()),
                ("mod", module.gomod.clone()),
                ("zip", module.zip()),
            ] {
                fs::write(self.folder.join(format!("{number}.{suffix}")), data)?;
            }
            sums.push((number, sums::lines(&module)));
        }
    }

    /// Files of all modules together, exactly.
    pub fn files(&self) -> usize {
        self.files_of(self.counts.len())
    }

    /// Files of the first `modules` together.
    pub fn files_of(&self, modules: usize) -> usize {
        self.counts.iter().take(modules).sum()
    }

    /// go.mod and go.sum of a program that requires the first `modules`, which require no others.
    pub fn project(&self, modules: usize) -> io::Result<[(&'static str, String); 2]> {
        let go_mod: String = (0..modules)
            .map(|number| format!("\t{} v1.0.0\n", path_of(number)))
            .collect();
        let go_mod = format!("module example.com/main\n\ngo 1.21\n\nrequire (\n{go_mod})\n");
        let go_sum = fs::read_to_string(self.folder.join("go.sum"))?;
        // In the order of the modules, two lines each.
        let go_sum = go_sum.split_inclusive('\n').take(2 * modules).collect();
        Ok([("go.mod", go_mod), ("go.sum", go_sum)])
    }

    /// Where the corpus is, to be handed to the server's process.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Reads everything that a proxy serves into memory.
    pub fn tree(folder: &Path) -> io::Result<Arc<Tree>> {
        let mut tree = Tree::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let Some((number, suffix)) = name.split_once('.') else {
                continue;
            };
            let Ok(number) = number.parse() else { continue };
            if suffix == "mod" {
                // The only version: what is asked for newer ones finds none.
                let list = format!("{}/@v/list", path_of(number));
                tree.insert(list, b"v1.0.0\n".as_slice().into());
            }
            let url = format!("{}/@v/v1.0.0.{suffix}", path_of(number));
            tree.insert(url, fs::read(&path)?.into());
        }
        Ok(Arc::new(tree))
    }
}

/// The path of a module by number, spread over hosts and folders.
fn path_of(number: usize) -> String {
    format!(
        "host{}.example.com/team{}/module{number:03}",
        number % 3,
        number % 17
    )
}

fn make_module(shape: Shape, number: usize, count: usize, mean_bytes: f64) -> Module {
    let path = path_of(number);
    let mut random = Random::new(shape.seed ^ ((number as u64 + 1) << 20));
    // A few requirements on modules made before, so that there is a graph to read.
    let mut requires = String::new();
    for lower in (0..number).rev().step_by(number / 3 + 1) {
        requires.push_str(&format!("\t{} v1.0.0\n", path_of(lower)));
    }
    let go_mod = format!("module {path}\n\ngo 1.17\n\nrequire (\n{requires})\n");
    let mut files = vec![("go.mod".to_owned(), go_mod.into_bytes())];
    for file in 1..count {
        let name = format!("pkg{}/internal/part{}/file{file}.go", file % 23, file % 7);
        if shape.content == Content::Noise {
            let half = shape.bytes as usize / 2;
            let size = if file == 1 { half } else { half / (count - 2) };
            files.push((name, random.noise(size)));
            continue;
        }
        // The mean of 3u² over [0, 1) is 1.
        let u = random.unit();
        let size = (3.0 * u * u * mean_bytes) as usize + 20;
        files.push((name, source_text(&mut random, size)));
    }
    Module::new(&path, "v1.0.0", files)
}

/// Text like Go source, of about `size` bytes.
fn source_text(random: &mut Random, size: usize) -> Vec<u8> {
    const SHAPES: &[[&str; 4]] = &[
        [
            "\tif ",
            " := ",
            "(ctx); err != nil {\n\t\treturn ",
            ", err\n\t}\n",
        ],
        [
            "\nfunc (r *",
            ") ",
            "(ctx context.Context, ",
            " string) error {\n",
        ],
        ["\tfor _, ", " := range ", ".", " {\n"],
        ["\t\t", " = append(", ", ", ")\n"],
        ["\treturn &", "{", ": ", "}, nil\n}\n"],
        ["// ", " says what ", " does with ", ".\n"],
        ["\t", " := ", ".", "()\n"],
    ];
    let mut text = String::with_capacity(size + 128);
    text.push_str("package part\n\nimport \"context\"\n");
    while text.len() < size {
        for piece in SHAPES[random.below(SHAPES.len())] {
            text.push_str(piece);
            if !piece.ends_with('\n') {
                random.identifier(&mut text);
            }
        }
    }
    text.into_bytes()
}

/// xorshift64*: enough for test data, and the same everywhere.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Random {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..8 {
            random.next();
        }
        random
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn noise(&mut self, size: usize) -> Vec<u8> {
        let words = std::iter::repeat_with(|| self.next().to_le_bytes());
        words.take(size.div_ceil(8)).flatten().take(size).collect()
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 33) as usize % limit
    }

    /// From 0 up to but not including 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Adds a name of two or three parts out of a small vocabulary.
    fn identifier(&mut self, text: &mut String) {
        const WORDS: &[&str] = &[
            "cache", "node", "Request", "Reader", "index", "Module", "buffer", "Client", "parse",
            "offset", "State", "token", "Writer", "queue", "Handle", "value", "Config", "stream",
            "Error", "lock", "entry", "Option", "path", "Version", "size", "Record", "link", "Key",
        ];
        for _ in 0..2 + self.below(2) {
            text.push_str(WORDS[self.below(WORDS.len())]);
        }
    }
}
