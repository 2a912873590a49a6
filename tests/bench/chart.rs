//! A chart of lines as SVG: as much as two measures over one size need.

use std::fmt::Write as _;
use std::ops::Range;

/// One line.
pub struct Line {
    pub name: String,
    /// In the order of `x`.
    pub points: Vec<(f64, f64)>,
}

/// One pair of axes; both begin at zero.
pub struct Panel {
    pub title: String,
    pub x_label: String,
    pub lines: Vec<Line>,
}

const WIDTH: f64 = 400.0;
const HEIGHT: f64 = 280.0;
/// Where the plot is inside its panel; the rest is for text.
const PLOT_X: Range<f64> = 56.0..380.0;
const PLOT_Y: Range<f64> = 40.0..230.0;
/// Told apart by those who see no colours as well, and by their dots.
const COLORS: [&str; 3] = ["#0b6fb8", "#d1603d", "#4d4d4d"];

/// Draws panels side by side.
pub fn svg(panels: &[Panel]) -> String {
    let width = WIDTH * panels.len() as f64;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {HEIGHT}\" \
         width=\"{width}\" height=\"{HEIGHT}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"{width}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n"
    );
    for (number, panel) in panels.iter().enumerate() {
        let _ = writeln!(
            out,
            "<g transform=\"translate({} 0)\">",
            WIDTH * number as f64
        );
        draw(&mut out, panel);
        out.push_str("</g>\n");
    }
    out.push_str("</svg>\n");
    out
}

fn draw(out: &mut String, panel: &Panel) {
    let points = || panel.lines.iter().flat_map(|line| &line.points);
    let most_x = ceiling(points().map(|point| point.0).fold(0.0, f64::max));
    let most_y = ceiling(points().map(|point| point.1).fold(0.0, f64::max));
    let place = |x: f64, y: f64| {
        (
            PLOT_X.start + x / most_x * (PLOT_X.end - PLOT_X.start),
            PLOT_Y.end - y / most_y * (PLOT_Y.end - PLOT_Y.start),
        )
    };
    text(out, PLOT_X.start, 18.0, "start", &panel.title);
    text(
        out,
        (PLOT_X.start + PLOT_X.end) / 2.0,
        268.0,
        "middle",
        &panel.x_label,
    );
    for tick in 0..=4 {
        let part = f64::from(tick) / 4.0;
        let (x, y) = place(part * most_x, part * most_y);
        let (left, right) = (PLOT_X.start, PLOT_X.end);
        let _ = writeln!(
            out,
            "<path d=\"M{left} {y:.1}H{right}\" stroke=\"#dddddd\"/>"
        );
        text(out, left - 6.0, y + 4.0, "end", &number(part * most_y));
        text(out, x, PLOT_Y.end + 16.0, "middle", &number(part * most_x));
    }
    for (index, line) in panel.lines.iter().enumerate() {
        let color = COLORS[index % COLORS.len()];
        let places: Vec<(f64, f64)> = line.points.iter().map(|&(x, y)| place(x, y)).collect();
        let path: Vec<String> = places
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>",
            path.join(" ")
        );
        for (x, y) in places {
            let _ = writeln!(
                out,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{color}\"/>"
            );
        }
        let y = PLOT_Y.start + 14.0 * index as f64;
        let _ = writeln!(
            out,
            "<circle cx=\"{}\" cy=\"{}\" r=\"3.5\" fill=\"{color}\"/>",
            PLOT_X.start + 12.0,
            y - 4.0
        );
        text(out, PLOT_X.start + 22.0, y, "start", &line.name);
    }
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"#222222\">{words}</text>"
    );
}

/// The next of 1, 2, 4, 6, 8, 10 times a power of ten: a quarter of it is short to write.
fn ceiling(value: f64) -> f64 {
    let power = 10f64.powf(value.max(1e-9).log10().floor());
    let steps = [1.0, 2.0, 4.0, 6.0, 8.0, 10.0];
    let step = steps.into_iter().find(|step| step * power >= value * 0.999);
    step.unwrap_or(10.0) * power
}

fn number(value: f64) -> String {
    match value {
        v if v >= 1e6 => format!("{}M", trimmed(v / 1e6)),
        v if v >= 1e4 => format!("{}k", trimmed(v / 1e3)),
        v => trimmed(v),
    }
}

fn trimmed(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
