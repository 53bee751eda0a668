//! Lines over powers of ten, as an SVG.

use std::fmt::Write as _;

/// One line of a panel.
pub(super) struct Line {
    pub(super) name: String,
    /// Number of policies and seconds.
    pub(super) points: Vec<(f64, f64)>,
}

/// A panel of the plot.
pub(super) struct Panel {
    pub(super) title: String,
    pub(super) lines: Vec<Line>,
}

const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 62.0;
const TOP: f64 = 36.0;
const GAP: f64 = 24.0;
/// Room under the axis for its numbers, its title and the names of the lines.
const BOTTOM: f64 = 130.0;

/// Ten to these powers, from one end of an axis to the other.
const POLICIES: (i32, i32) = (1, 4);
const SECONDS: (i32, i32) = (-3, 3);

/// Colours that differ for the colour-blind too, with dashes for those who see none.
const STYLES: [(&str, &str); 5] = [
    ("#0072b2", ""),
    ("#d55e00", "6 3"),
    ("#009e73", "2 3"),
    ("#cc79a7", "9 3 2 3"),
    ("#555555", "4 2"),
];

/// The whole plot.
pub(super) fn svg(panels: &[Panel]) -> String {
    let each = LEFT + WIDTH + GAP;
    #[expect(clippy::cast_precision_loss, reason = "a handful of panels")]
    let (width, height) = (each * panels.len() as f64, TOP + HEIGHT + BOTTOM);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\" role=\"img\" aria-label=\"Seconds over policies for each command\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    for (number, panel) in panels.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a handful of panels")]
        let x = each * number as f64 + LEFT;
        draw(&mut text, x, panel);
    }
    text.push_str("</svg>\n");
    text
}

fn across(policies: f64) -> f64 {
    share(policies.log10(), POLICIES) * WIDTH
}

fn down(seconds: f64) -> f64 {
    HEIGHT - share(seconds.log10(), SECONDS) * HEIGHT
}

fn share(power: f64, (from, to): (i32, i32)) -> f64 {
    (power - f64::from(from)) / f64::from(to - from)
}

fn draw(text: &mut String, x: f64, panel: &Panel) {
    writeln!(text, "<g transform=\"translate({x} {TOP})\">").unwrap();
    writeln!(
        text,
        "<text x=\"0\" y=\"-14\" font-size=\"14\" font-weight=\"bold\">{}</text>",
        panel.title
    )
    .unwrap();
    for power in POLICIES.0..=POLICIES.1 {
        let at = across(10_f64.powi(power));
        let number = 10_i64.pow(power.unsigned_abs());
        writeln!(
            text,
            "<path d=\"M{at:.1} 0V{HEIGHT}\" stroke=\"#dddddd\"/><text x=\"{at:.1}\" y=\"{:.1}\" \
             text-anchor=\"middle\">{number}</text>",
            HEIGHT + 16.0
        )
        .unwrap();
    }
    for power in SECONDS.0..=SECONDS.1 {
        let at = down(10_f64.powi(power));
        let number = match power {
            ..0 => format!("{:.*}", power.unsigned_abs() as usize, 10_f64.powi(power)),
            _ => format!("{}", 10_i64.pow(power.unsigned_abs())),
        };
        writeln!(
            text,
            "<path d=\"M0 {at:.1}H{WIDTH}\" stroke=\"#dddddd\"/><text x=\"-8\" y=\"{:.1}\" \
             text-anchor=\"end\">{number} s</text>",
            at + 4.0
        )
        .unwrap();
    }
    writeln!(
        text,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">policies</text>",
        WIDTH / 2.0,
        HEIGHT + 34.0
    )
    .unwrap();
    for ((line, (colour, dashes)), row) in panel.lines.iter().zip(STYLES).zip(0_u8..) {
        let points: Vec<String> = line
            .points
            .iter()
            .map(|(policies, seconds)| format!("{:.1},{:.1}", across(*policies), down(*seconds)))
            .collect();
        let style =
            format!("fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dashes}\"");
        writeln!(text, "<polyline points=\"{}\" {style}/>", points.join(" ")).unwrap();
        for point in &points {
            let (x, y) = point.split_once(',').unwrap();
            writeln!(text, "<circle cx=\"{x}\" cy=\"{y}\" r=\"3\" fill=\"{colour}\"/>").unwrap();
        }
        let y = HEIGHT + 54.0 + f64::from(row) * 15.0;
        writeln!(
            text,
            "<path d=\"M0 {y:.1}h30\" {style}/><text x=\"38\" y=\"{:.1}\">{}</text>",
            y + 4.0,
            line.name
        )
        .unwrap();
    }
    text.push_str("</g>\n");
}
