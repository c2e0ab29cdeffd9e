//! SVG's elements, as few as are needed.

use std::fmt::Write;

use quick_xml::escape::escape;

/// What a colour stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    Axis,
    Text,
    Down,
    Up,
    Limit,
    Held,
    Fault,
    Waiting,
    Live,
    Failed,
    Event,
}

impl Colour {
    const fn code(self) -> &'static str {
        match self {
            Self::Axis => "#8a8f98",
            Self::Text => "#24292f",
            Self::Down => "#4c8bd6",
            Self::Up => "#d98a3d",
            Self::Limit => "#c0392b",
            Self::Held => "#e3a6a0",
            Self::Fault => "#d9bfe8",
            Self::Waiting => "#d5d8dc",
            Self::Live => "#8cc79a",
            Self::Failed => "#c0392b",
            Self::Event => "#57606a",
        }
    }
}

/// A picture that grows downwards.
#[derive(Debug)]
pub(super) struct Canvas {
    width: f64,
    body: String,
}

type Point = (f64, f64);

impl Canvas {
    pub(super) const fn new(width: f64) -> Self {
        Self {
            width,
            body: String::new(),
        }
    }

    // Writing to a string cannot fail.
    pub(super) fn bar(&mut self, (x, y): Point, (width, height): Point, colour: Colour) {
        if height <= 0.0 {
            return;
        }
        let colour = colour.code();
        let _ = writeln!(
            self.body,
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="{colour}"/>"#
        );
    }

    pub(super) fn line(&mut self, from: Point, to: Point, colour: Colour) {
        self.stroke(from, to, colour, "");
    }

    pub(super) fn dashed(&mut self, from: Point, to: Point, colour: Colour) {
        self.stroke(from, to, colour, r#" stroke-dasharray="5 4""#);
    }

    fn stroke(&mut self, (x1, y1): Point, (x2, y2): Point, colour: Colour, more: &str) {
        let colour = colour.code();
        let _ = writeln!(
            self.body,
            r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{colour}"{more}/>"#
        );
    }

    pub(super) fn text(&mut self, at: Point, text: &str, colour: Colour) {
        self.words(at, text, colour, "start", 11);
    }

    /// A text that ends at the point.
    pub(super) fn before(&mut self, at: Point, text: &str, colour: Colour) {
        self.words(at, text, colour, "end", 11);
    }

    pub(super) fn middle(&mut self, at: Point, text: &str, colour: Colour) {
        self.words(at, text, colour, "middle", 11);
    }

    /// What a lane is called, left of the axis.
    pub(super) fn label(&mut self, y: f64, text: &str) {
        self.words((super::LEFT - 10.0, y + 4.0), text, Colour::Text, "end", 11);
    }

    pub(super) fn title(&mut self, text: &str) {
        self.words((10.0, 24.0), text, Colour::Text, "start", 15);
    }

    fn words(&mut self, (x, y): Point, text: &str, colour: Colour, anchor: &str, size: u8) {
        let (colour, text) = (colour.code(), escape(text));
        let _ = writeln!(
            self.body,
            r#"<text x="{x:.1}" y="{y:.1}" fill="{colour}" font-size="{size}" text-anchor="{anchor}">{text}</text>"#
        );
    }

    pub(super) fn done(self, height: f64) -> String {
        let Self { width, body } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"DejaVu Sans, Helvetica, Arial, sans-serif\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{body}</svg>\n"
        )
    }
}
