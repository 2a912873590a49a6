//! Whether time and memory grow with the work and not faster: one corpus, ever more of it.
//!
//! The modules of a part are the first ones of the whole, and a module requires only earlier ones,
//! so that a smaller part is a project of its own.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::chart::{Line, Panel, svg};
use crate::corpus::{Content, Corpus, Shape};
use crate::report::{Sample, median, write_csv};
use crate::server::Server;
use crate::{Options, Place};

/// 2,000 modules with a million files. They are small, so that the caches fit into memory: what
/// is counted here are files.
pub const FULL: Shape = Shape {
    seed: 2,
    modules: 2_000,
    files: 1_000_000,
    largest: 8_000,
    bytes: 1_000_000_000,
    content: Content::Source,
};

/// Enough to see that it works.
pub const QUICK: Shape = Shape {
    seed: 2,
    modules: 160,
    files: 8_000,
    largest: 500,
    bytes: 8_000_000,
    content: Content::Source,
};

/// The work that is timed, and how it is called.
const WORK: [(&str, &str); 3] = [
    ("download", "download"),
    ("download, nothing to do", "download"),
    ("verify", "verify"),
];

/// Runs the program over an eighth, a quarter, a half and the whole of a corpus.
pub fn run(options: &Options, output: &Path) -> io::Result<()> {
    let corpus = Corpus::prepare(options.shape, output)?;
    let parts = [8, 4, 2, 1].map(|part| options.shape.modules / part);
    let mut server = Server::start(&corpus, Duration::ZERO)?;
    let mut samples = Vec::new();
    for round in 0..options.runs {
        for modules in parts {
            let place = Place::new(&corpus, modules)?;
            for (name, verb) in WORK {
                let scenario = format!("{name} {modules}");
                let line = crate::command_line(options, "modfetch", verb);
                let sample = place.sample(&scenario, "modfetch", round, &line, &mut server)?;
                let sample = place.complete(sample, corpus.files_of(modules));
                if sample.usage.status != 0 {
                    return Err(io::Error::other(format!("{scenario} failed")));
                }
                samples.push(sample);
            }
        }
    }
    write_csv(&output.join("scale.csv"), &samples)?;
    let series = |value: &dyn Fn(&Sample) -> f64| -> Vec<Line> {
        let line = |(name, _): (&str, &str)| Line {
            name: name.to_owned(),
            points: parts
                .map(|modules| {
                    let scenario = format!("{name} {modules}");
                    let of: Vec<&Sample> = samples
                        .iter()
                        .filter(|sample| sample.scenario == scenario)
                        .collect();
                    (corpus.files_of(modules) as f64, median(&of, value))
                })
                .to_vec(),
        };
        WORK.map(line).into()
    };
    let panel = |title: &str, lines: Vec<Line>| Panel {
        title: title.to_owned(),
        x_label: format!("files, in up to {} modules", options.shape.modules),
        lines,
    };
    let panels = [
        panel("seconds", series(&|sample| sample.usage.wall.as_secs_f64())),
        panel(
            "peak memory, MiB",
            series(&|sample| sample.usage.peak_kib as f64 / 1024.0),
        ),
    ];
    for panel in &panels {
        println!("{}", panel.title);
        for line in &panel.lines {
            let points = line.points.iter();
            let points: Vec<String> = points.map(|(x, y)| format!("{x}: {y:.3}")).collect();
            println!("  {:<24} {}", line.name, points.join("  "));
        }
    }
    let chart = options.svg.clone();
    let chart = chart.unwrap_or_else(|| output.join("scale.svg"));
    fs::write(&chart, svg(&panels))?;
    println!("chart: {}", chart.display());
    Ok(())
}
