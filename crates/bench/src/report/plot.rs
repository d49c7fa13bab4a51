//! The picture: bars of rectangles and text. A library for plots would bring more
//! crates than the module itself has.

use std::fmt::Write;

use super::Report;
use crate::statistics::Summary;
use crate::world::{Case, Module};

/// Units of the picture.
const WIDTH: f64 = 720.0;
const LABELS: f64 = 130.0;
const FIGURES: f64 = 110.0;
const LINE: f64 = 20.0;

/// One bar for each module, beside its figure.
struct Bars {
    title: String,
    bars: Vec<(Module, Summary)>,
}

pub(super) fn of(report: &Report) -> String {
    let modules = || {
        Module::ALL
            .into_iter()
            .filter(|module| *module != Module::Permit)
    };
    let share = |case: Case, title: &str| Bars {
        title: title.to_owned(),
        bars: modules()
            .map(|module| (module, report.share(module, case)))
            .collect(),
    };
    let largest = report.crowd_sizes().last().copied().unwrap_or(1);
    let rates = Module::CHECKING.into_iter().map(|module| {
        let crowd = report.crowd(module, largest, false);
        (module, Summary::of(crowd.rates.iter().copied()))
    });
    draw(&[
        share(Case::Right, "Right code: microseconds beyond pam_permit"),
        share(Case::Wrong, "Wrong code: microseconds beyond pam_permit"),
        Bars {
            title: format!("{largest} users at once: logins per second"),
            bars: rates.collect(),
        },
    ])
}

fn draw(all: &[Bars]) -> String {
    let lines: usize = all.iter().map(|bars| bars.bars.len() + 2).sum();
    #[expect(clippy::cast_precision_loss, reason = "a few dozen lines")]
    let height = lines as f64 * LINE;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let mut top = 0.0;
    for bars in all {
        top += LINE;
        text(
            &mut svg,
            8.0,
            top,
            &format!("<tspan font-weight=\"bold\">{}</tspan>", bars.title),
        );
        let largest = bars
            .bars
            .iter()
            .map(|(_, bar)| bar.upper)
            .fold(1.0, f64::max);
        let scale = (WIDTH - LABELS - FIGURES) / largest;
        for (module, bar) in &bars.bars {
            top += LINE;
            let colour = if *module == Module::Ours {
                "#1f6feb"
            } else {
                "#8b949e"
            };
            let length = (bar.median * scale).max(1.0);
            let (lower, upper) = (bar.lower.max(0.0) * scale, bar.upper.max(0.0) * scale);
            text(&mut svg, 8.0, top, module.name());
            let _ = writeln!(
                svg,
                "<rect x=\"{LABELS}\" y=\"{:.1}\" width=\"{length:.1}\" height=\"13\" fill=\"{colour}\"/>\n\
                 <path d=\"M{:.1} {:.1}H{:.1}\" stroke=\"black\"/>",
                top - 11.0,
                LABELS + lower,
                top - 4.5,
                LABELS + upper
            );
            text(
                &mut svg,
                LABELS + upper.max(length) + 6.0,
                top,
                &format!("{:.0}", bar.median),
            );
        }
        top += LINE;
    }
    svg.push_str("</svg>\n");
    svg
}

fn text(svg: &mut String, x: f64, y: f64, content: &str) {
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\">{content}</text>");
}
