// SPDX-License-Identifier: MPL-2.0
//! Plots of the results, one colour per model: results over labels, errors over yaw, and the share of heads
//! reported as seen from behind.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::register_font;

use crate::score::{Bin, Group, Scores, upright};

const SIZE: (u32, u32) = (900, 700);
const FONT: &str = "sans-serif";
/// ASCII only; drawn without any system font.
static FONT_FILE: &[u8] = include_bytes!("../../../../src/draw/font/DejaVuSans-Bold-ascii.ttf");
const COLORS: [RGBColor; 6] = [
    RGBColor(31, 87, 214),
    RGBColor(214, 39, 40),
    RGBColor(30, 140, 50),
    RGBColor(150, 80, 190),
    RGBColor(230, 130, 20),
    RGBColor(90, 90, 90),
];

type Area<'a> = DrawingArea<BitMapBackend<'a>, plotters::coord::Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;
type Line = Vec<(f32, f32)>;

/// What all plots have in common.
struct Axes<'a> {
    title: String,
    x: (f32, f32, &'a str),
    y: (f32, f32, &'a str),
}

/// Writes `answer-over-label.png`, `error-over-yaw.png` and `confusion.png` into a folder, which is created if needed.
///
/// # Errors
/// Errors of drawing or writing.
pub fn write(scores: &Scores, folder: &Path) -> Drawn {
    register_font(FONT, FontStyle::Normal, FONT_FILE).map_err(|_| "the built-in font is broken")?;
    std::fs::create_dir_all(folder)?;
    save(&folder.join("answer-over-label.png"), |area| {
        answers(scores, area)
    })?;
    save(&folder.join("error-over-yaw.png"), |area| {
        errors(scores, area)
    })?;
    save(&folder.join("confusion.png"), |area| {
        confusion(scores, area)
    })
}

fn save(path: &Path, draw: impl FnOnce(&Area<'_>) -> Drawn) -> Drawn {
    let mut pixels = vec![0; 3 * (SIZE.0 * SIZE.1) as usize];
    {
        let area = BitMapBackend::with_buffer(&mut pixels, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        draw(&area)?;
        area.present()?;
    }
    image::save_buffer(path, &pixels, SIZE.0, SIZE.1, image::ColorType::Rgb8)?;
    Ok(())
}

fn color(model: usize) -> RGBColor {
    COLORS[model % COLORS.len()]
}

/// Largest |yaw| of the labels, in steps of 30 degrees.
fn reach(scores: &Scores) -> f32 {
    let truths = scores.heads.iter().filter_map(|head| head.truth.as_ref());
    let largest = truths
        .map(|truth| truth.angles.yaw.abs())
        .fold(0.0, f32::max);
    (largest / 30.0).ceil().clamp(1.0, 6.0) * 30.0
}

/// One dot per result.
fn answers(scores: &Scores, area: &Area<'_>) -> Drawn {
    let [yaw, ..] = scores.scale.names();
    let (x, limit) = (reach(scores), scores.bin_limit());
    let (x_name, y_name) = (
        format!("true {yaw}, degrees"),
        format!("estimated {yaw}, degrees"),
    );
    let axes = Axes {
        title: format!("Estimated over true {yaw}"),
        x: (-x, x, &x_name),
        y: (-180.0, 180.0, &y_name),
    };
    let n_models = scores.names.len();
    let dots = (0..n_models).map(|model| {
        // Side by side if labels are few.
        let aside = 1.2 * (model as f32 - (n_models - 1) as f32 / 2.0);
        let heads = scores.answered(model);
        let heads = heads.filter(|(_, truth, _)| upright(truth, limit));
        heads
            .map(|(_, truth, answer)| (truth.angles.yaw + aside, answer.pose.angles.yaw))
            .collect()
    });
    draw(scores, area, &axes, dots.collect(), true)
}

/// The mean error of each bin, at the mean of its labels.
fn errors(scores: &Scores, area: &Area<'_>) -> Drawn {
    let [yaw, ..] = scores.scale.names();
    let line = |model: usize| -> Line {
        let bins = bins().into_iter().flat_map(|bin| [(-1.0, bin), (1.0, bin)]);
        let point = |(side, bin): (f32, Bin)| {
            let group = side_of(scores.bin_limit(), side, bin);
            let error = scores.summary(model, &group)?.mean[0] as f32;
            let center = center(scores, model, &group)?;
            Some((side * center, error))
        };
        let mut line: Line = bins.filter_map(point).collect();
        line.sort_by(|a, b| a.0.total_cmp(&b.0));
        line
    };
    let lines: Vec<Line> = (0..scores.names.len()).map(line).collect();
    let highest = lines
        .iter()
        .flatten()
        .map(|point| point.1)
        .fold(5.0, f32::max);
    let (x, x_name) = (reach(scores), format!("true {yaw}, degrees"));
    let axes = Axes {
        title: format!("Mean absolute error of {yaw}, in bins of 15 degrees"),
        x: (-x, x, &x_name),
        y: (0.0, highest * 1.1, "degrees"),
    };
    draw(scores, area, &axes, lines, false)
}

/// The share of heads reported as seen from behind.
fn confusion(scores: &Scores, area: &Area<'_>) -> Drawn {
    let [yaw, ..] = scores.scale.names();
    let limit = scores.bin_limit();
    let line = |model: usize| -> Line {
        let point = |bin: Bin| {
            let group = Group::new("", move |truth, _| {
                upright(truth, limit) && bin.has(truth.angles.yaw.abs())
            });
            let summary = scores.summary(model, &group)?;
            let share = summary.n_rear as f32 / summary.n as f32;
            Some((center(scores, model, &group)?, 100.0 * share))
        };
        bins().into_iter().filter_map(point).collect()
    };
    let x_name = format!("true {yaw} to either side, degrees");
    let axes = Axes {
        title: "Heads reported as seen from behind".into(),
        x: (0.0, reach(scores), &x_name),
        y: (0.0, 100.0, "percent"),
    };
    let lines = (0..scores.names.len()).map(line).collect();
    draw(scores, area, &axes, lines, false)
}

/// The mean |yaw| of the labels in a group.
fn center(scores: &Scores, model: usize, group: &Group) -> Option<f32> {
    let truths = scores.answered(model);
    let truths = truths.filter(|(head, truth, _)| (group.has)(truth, &head.tags));
    let yaws: Vec<f32> = truths.map(|(_, truth, _)| truth.angles.yaw.abs()).collect();
    (!yaws.is_empty()).then(|| yaws.iter().sum::<f32>() / yaws.len() as f32)
}

fn bins() -> Vec<Bin> {
    let bounds: Vec<f32> = (0..=12).map(|step| 15.0 * step as f32).collect();
    Bin::between(&bounds)
}

fn side_of(limit: f32, side: f32, bin: Bin) -> Group {
    Group::new("", move |truth, _| {
        let yaw = truth.angles.yaw * side;
        upright(truth, limit) && yaw >= 0.0 && bin.has(yaw)
    })
}

/// Draws each model's points, as dots over the ideal line or as a line.
fn draw(scores: &Scores, area: &Area<'_>, axes: &Axes<'_>, points: Vec<Line>, dots: bool) -> Drawn {
    let mut chart = ChartBuilder::on(area)
        .caption(&axes.title, (FONT, 24))
        .margin(16)
        .x_label_area_size(48)
        .y_label_area_size(64)
        .build_cartesian_2d(axes.x.0..axes.x.1, axes.y.0..axes.y.1)?;
    let label = |value: &f32| format!("{value:.0}");
    chart
        .configure_mesh()
        .x_labels(13)
        .max_light_lines(0)
        .x_label_formatter(&label)
        .y_label_formatter(&label)
        .x_desc(axes.x.2)
        .y_desc(axes.y.2)
        .label_style((FONT, 15))
        .draw()?;
    if dots {
        let ideal = [(axes.x.0, axes.x.0), (axes.x.1, axes.x.1)];
        chart.draw_series(std::iter::once(PathElement::new(ideal, BLACK)))?;
    }
    for (model, points) in points.into_iter().enumerate() {
        let color = color(model);
        let drawn = match dots {
            true => {
                let style = color.mix(0.4).filled();
                chart.draw_series(points.into_iter().map(|at| Circle::new(at, 3, style)))?
            }
            false => {
                chart.draw_series(LineSeries::new(points, color.stroke_width(3)).point_size(4))?
            }
        };
        drawn
            .label(&scores.names[model])
            .legend(move |(x, y)| Rectangle::new([(x, y - 6), (x + 12, y + 6)], color.filled()));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .label_font((FONT, 15))
        .background_style(WHITE)
        .border_style(BLACK)
        .draw()?;
    Ok(())
}
