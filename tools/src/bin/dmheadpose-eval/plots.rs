// SPDX-License-Identifier: MPL-2.0
//! Pictures of the results: estimated over true yaw, and the error of each bin of true yaw.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::register_font;

use crate::score::{Judged, MeanErrors, Scores, yaw_bins};

const SIZE: (u32, u32) = (900, 700);
const FONT: &str = "sans-serif";
/// ASCII only; drawn without any font of the system.
static FONT_FILE: &[u8] =
    include_bytes!("../../../../src/estimator/font/DejaVuSans-Bold-ascii.ttf");

type Area<'a> = DrawingArea<BitMapBackend<'a>, plotters::coord::Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Writes `yaw.png` and `error-by-yaw.png` into a folder, which is made if need be.
///
/// # Errors
/// What hinders the drawing or writing.
pub fn write(scores: &Scores, folder: &Path) -> Drawn {
    register_font(FONT, FontStyle::Normal, FONT_FILE).map_err(|_| "the built-in font is broken")?;
    std::fs::create_dir_all(folder)?;
    save(&folder.join("yaw.png"), |area| scatter(scores, area))?;
    save(&folder.join("error-by-yaw.png"), |area| bars(scores, area))
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

fn scatter(scores: &Scores, area: &Area<'_>) -> Drawn {
    let mut chart = ChartBuilder::on(area)
        .caption("Estimated over true yaw", (FONT, 24))
        .margin(16)
        .x_label_area_size(48)
        .y_label_area_size(64)
        .build_cartesian_2d(-180f32..180f32, -180f32..180f32)?;
    let label = |degrees: &f32| format!("{degrees:.0}");
    chart
        .configure_mesh()
        .max_light_lines(0)
        .x_label_formatter(&label)
        .y_label_formatter(&label)
        .x_desc("true yaw, degrees")
        .y_desc("estimated yaw, degrees")
        .label_style((FONT, 15))
        .draw()?;
    let ideal = [(-180.0, -180.0), (180.0, 180.0)];
    chart.draw_series(std::iter::once(PathElement::new(ideal, RED)))?;
    let point = |head: &Judged| {
        let estimate = head.estimate.as_ref().ok()?;
        let at = (head.truth.wrapped().yaw, estimate.yaw);
        let dot = BLUE.mix(0.5).filled();
        Some(Circle::new(at, 3, dot))
    };
    chart.draw_series(scores.heads.iter().filter_map(point))?;
    Ok(())
}

fn bars(scores: &Scores, area: &Area<'_>) -> Drawn {
    let means: Vec<_> = yaw_bins()
        .map(|bin| (bin, scores.mean_of_bin(bin)))
        .collect();
    let values = |mean: &MeanErrors| [mean.yaw, mean.pitch, mean.roll];
    let filled = means.iter().filter_map(|(_, mean)| mean.as_ref());
    let highest = filled.flat_map(values).fold(1.0, f64::max) * 1.1;
    let mut chart = ChartBuilder::on(area)
        .caption("Mean absolute error by true yaw", (FONT, 24))
        .margin(16)
        .x_label_area_size(48)
        .y_label_area_size(64)
        .build_cartesian_2d(-180f32..180f32, 0f64..highest)?;
    chart
        .configure_mesh()
        .max_light_lines(0)
        .x_label_formatter(&|degrees: &f32| format!("{degrees:.0}"))
        .x_desc("true yaw, degrees")
        .y_desc("mean absolute error, degrees")
        .label_style((FONT, 15))
        .draw()?;
    let angles = [("yaw", RED), ("pitch", GREEN), ("roll", BLUE)];
    for (index, (name, color)) in angles.into_iter().enumerate() {
        let style = color.mix(0.7).filled();
        let bar = |((from, _), mean): &((f32, f32), Option<MeanErrors>)| {
            let height = values(mean.as_ref()?)[index];
            let left = from + 3.0 + 8.0 * index as f32;
            Some(Rectangle::new([(left, 0.0), (left + 7.0, height)], style))
        };
        chart
            .draw_series(means.iter().filter_map(bar))?
            .label(name)
            .legend(move |(x, y)| Rectangle::new([(x, y - 6), (x + 12, y + 6)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .label_font((FONT, 15))
        .background_style(WHITE)
        .border_style(BLACK)
        .draw()?;
    Ok(())
}
