//! Raw runs as CSV, and the table that is read.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use crate::measure::Usage;
use crate::server::Counts;

/// One run of one program.
#[derive(Clone, Debug)]
pub struct Sample {
    pub scenario: String,
    pub program: &'static str,
    pub round: usize,
    pub usage: Usage,
    pub counts: Counts,
}

impl Sample {
    fn cpu(&self) -> f64 {
        (self.usage.user + self.usage.system).as_secs_f64()
    }
}

/// What a scenario has to reach, beside go: how many times faster.
#[derive(Clone, Debug, Default)]
pub struct Bound {
    pub scenario: String,
    pub faster: Option<f64>,
    /// And at most which part of its user and system time.
    pub of_cpu: Option<f64>,
    /// And at most how many times the time of the floor.
    pub over_floor: Option<f64>,
    /// And at most which part of the bytes that go is sent.
    pub of_bytes: Option<f64>,
    /// And how long the built-in git may take, in times of that with the program.
    pub builtin_of_program: Option<f64>,
    /// And at most how many times the time that the same program takes in another scenario.
    pub over: Option<(String, f64)>,
}

/// Another build of modfetch, `--beside`.
pub const BESIDE: &str = "beside";

/// modfetch with its own git client.
pub const BUILTIN: &str = "builtin";

/// The status of a run that ended well and left files out.
pub const INCOMPLETE: i32 = -2;

/// Peak memory may not pass this, whatever the corpus.
const PEAK_MIB: f64 = 64.0;

/// A cold download without delay and a check may take this many times as long as the floor.
pub const OVER_FLOOR: f64 = 1.5;

/// Downloads and checks may take this part of go's user and system time.
pub const OF_CPU: f64 = 0.23;

/// Writes every run as a line, so that other questions can be asked of them later.
pub fn write_csv(path: &Path, samples: &[Sample]) -> io::Result<()> {
    let mut file = File::create(path)?;
    writeln!(
        file,
        "scenario,program,round,wall_s,user_s,system_s,peak_kib,status,requests,connections,bytes,max_in_flight"
    )?;
    for sample in samples {
        let Sample {
            scenario,
            program,
            round,
            usage,
            counts,
        } = sample;
        writeln!(
            file,
            "{scenario},{program},{round},{:.6},{:.6},{:.6},{},{},{},{},{},{}",
            usage.wall.as_secs_f64(),
            usage.user.as_secs_f64(),
            usage.system.as_secs_f64(),
            usage.peak_kib,
            usage.status,
            counts.requests,
            counts.connections,
            counts.bytes,
            counts.max_in_flight,
        )?;
    }
    Ok(())
}

/// The table: for each scenario and program median, least and most, then the comparison.
pub fn table(samples: &[Sample], bounds: &[Bound]) -> String {
    let mut text = format!(
        "{:<18} {:<9} {:>26} {:>24} {:>20} {:>9} {:>7} {:>8} {:>7}\n",
        "scenario",
        "program",
        "wall s (min..max)",
        "user+sys s (min..max)",
        "peak MiB (min..max)",
        "requests",
        "MB",
        "at once",
        "status"
    );
    for bound in bounds {
        for program in ["modfetch", BUILTIN, BESIDE, "go", "floor"] {
            let of: Vec<&Sample> = samples
                .iter()
                .filter(|s| s.scenario == bound.scenario && s.program == program)
                .collect();
            let Some(last) = of.last() else { continue };
            let failed = of.iter().find(|s| s.usage.status != 0);
            let status = match failed.map_or(0, |sample| sample.usage.status) {
                0 => "ok".to_owned(),
                INCOMPLETE => "partial".to_owned(),
                code => format!("exit {code}"),
            };
            let _ = writeln!(
                text,
                "{:<18} {program:<9} {:>26} {:>24} {:>20} {:>9} {:>7.1} {:>8} {status:>7}",
                bound.scenario,
                spread(&of, |s| s.usage.wall.as_secs_f64(), 3),
                spread(&of, Sample::cpu, 2),
                spread(&of, |s| s.usage.peak_kib as f64 / 1024.0, 0),
                last.counts.requests,
                last.counts.bytes as f64 / 1e6,
                last.counts.max_in_flight,
            );
        }
    }
    text.push('\n');
    for bound in bounds {
        compare(&mut text, samples, bound);
    }
    text
}

/// A line that sets the medians of both programs beside the bounds.
fn compare(text: &mut String, samples: &[Sample], bound: &Bound) {
    let of = |program: &str| -> Vec<&Sample> {
        samples
            .iter()
            .filter(|s| s.scenario == bound.scenario && s.program == program)
            .collect()
    };
    let (ours, gos, floor) = (of("modfetch"), of("go"), of("floor"));
    let (beside, builtin) = (of(BESIDE), of(BUILTIN));
    if ours.is_empty() {
        return;
    }
    let _ = write!(text, "{:<18}", bound.scenario);
    if ours
        .iter()
        .chain(&gos)
        .chain(&floor)
        .chain(&beside)
        .chain(&builtin)
        .any(|s| s.usage.status != 0)
    {
        let _ = writeln!(text, " not compared: a run failed");
        return;
    }
    let mut claim = |label: &str, value: f64, wanted: Option<f64>, at_least: bool| {
        let _ = write!(text, "  {label} {value:.2}");
        if let Some(wanted) = wanted {
            let held = if at_least {
                value >= wanted
            } else {
                value <= wanted
            };
            let sign = if at_least { ">=" } else { "<=" };
            let verdict = if held { "ok" } else { "MISSED" };
            let _ = write!(text, " ({sign} {wanted:.2}: {verdict})");
        }
    };
    let wall = |s: &Sample| s.usage.wall.as_secs_f64();
    if !floor.is_empty() {
        let times = median(&ours, wall) / median(&floor, wall);
        claim("of the floor", times, bound.over_floor, false);
    }
    if let Some((other, times)) = &bound.over {
        for (program, label) in [("modfetch", "modfetch of direct"), ("go", "go of direct")] {
            let of = |scenario: &str| -> Vec<&Sample> {
                let all = samples.iter();
                all.filter(|s| s.scenario == scenario && s.program == program)
                    .collect()
            };
            let ratio = median(&of(&bound.scenario), wall) / median(&of(other), wall);
            claim(label, ratio, Some(*times), false);
        }
    }
    if !gos.is_empty() {
        claim(
            "times faster",
            median(&gos, wall) / median(&ours, wall),
            bound.faster,
            true,
        );
        claim(
            "user+sys of go's",
            median(&ours, Sample::cpu) / median(&gos, Sample::cpu),
            bound.of_cpu,
            false,
        );
    }
    if let Some(wanted) = bound.of_bytes
        && !gos.is_empty()
    {
        let bytes = |s: &Sample| s.counts.bytes as f64;
        let of_go = |ours: &[&Sample]| median(ours, bytes) / median(&gos, bytes);
        claim("bytes of go's", of_go(&ours), Some(wanted), false);
        claim("builtin's", of_go(&builtin), Some(wanted), false);
    }
    if !builtin.is_empty() {
        let times = median(&builtin, wall) / median(&ours, wall);
        claim("builtin of program", times, bound.builtin_of_program, false);
    }
    if !beside.is_empty() {
        let wall = median(&ours, wall) / median(&beside, wall);
        claim("of the other build: wall", wall, None, false);
        let cpu = median(&ours, Sample::cpu) / median(&beside, Sample::cpu);
        claim("user+sys", cpu, None, false);
    }
    let peak = |s: &Sample| s.usage.peak_kib as f64 / 1024.0;
    let most = ours.iter().map(|s| peak(s)).fold(0.0, f64::max);
    claim("peak MiB", most, Some(PEAK_MIB), false);
    if bound.scenario == "warm" {
        let requests = ours.iter().map(|s| s.counts.connections).max().unwrap_or(0);
        claim("sockets", requests as f64, Some(0.0), false);
    }
    text.push('\n');
}

fn sorted(samples: &[&Sample], value: impl Fn(&Sample) -> f64) -> Vec<f64> {
    let mut values: Vec<f64> = samples.iter().map(|sample| value(sample)).collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The middle one, or what is between the two in the middle.
pub fn median(samples: &[&Sample], value: impl Fn(&Sample) -> f64) -> f64 {
    let values = sorted(samples, value);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

fn spread(samples: &[&Sample], value: impl Fn(&Sample) -> f64, digits: usize) -> String {
    let values = sorted(samples, &value);
    let (Some(least), Some(most)) = (values.first(), values.last()) else {
        return String::new();
    };
    let middle = median(samples, value);
    format!("{middle:.digits$} ({least:.digits$}..{most:.digits$})")
}
