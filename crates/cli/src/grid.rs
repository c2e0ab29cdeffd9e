//! Columns of text, as a person reads them: `kubectl get` is the model.

use unicode_width::UnicodeWidthStr;

/// Between two columns.
const GAP: &str = "  ";

/// Rows under headers. It can be printed a part at a time; columns then only ever get wider.
#[derive(Debug)]
pub(crate) struct Grid {
    headers: Vec<String>,
    widths: Vec<usize>,
    has_begun: bool,
}

impl Grid {
    /// A grid with these headers; without any, one without a header line.
    pub(crate) fn new(headers: impl IntoIterator<Item = String>) -> Self {
        let headers: Vec<String> = headers.into_iter().map(|text| clean(&text)).collect();
        Self {
            widths: headers.iter().map(|text| text.width()).collect(),
            has_begun: headers.is_empty(),
            headers,
        }
    }

    /// The next rows as lines, with the headers above the first. Control characters of a cell, which
    /// a terminal would act on, become spaces.
    pub(crate) fn lines(&mut self, rows: &[Vec<String>]) -> Vec<String> {
        let rows: Vec<Vec<String>> = rows
            .iter()
            .map(|row| row.iter().map(|cell| clean(cell)).collect())
            .collect();
        for row in &rows {
            self.widths.resize(self.widths.len().max(row.len()), 0);
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        let header = (!self.has_begun).then_some(&self.headers);
        let lines = header
            .into_iter()
            .chain(&rows)
            .map(|row| self.line(row))
            .collect();
        self.has_begun = true;
        lines
    }

    fn line(&self, row: &[String]) -> String {
        let cells: Vec<String> = row
            .iter()
            .zip(&self.widths)
            .map(|(cell, width)| {
                format!("{cell}{}", " ".repeat(width.saturating_sub(cell.width())))
            })
            .collect();
        cells.join(GAP).trim_end().to_owned()
    }
}

fn clean(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut grid = Grid::new(row(&["ID", "NAME", "STATUS"]));

        let lines = grid.lines(&[
            row(&["i-1", "华东1", "Running"]),
            row(&["i-22", "", "Stopped"]),
        ]);

        assert_eq!(
            lines,
            [
                "ID    NAME   STATUS",
                "i-1   华东1  Running",
                "i-22         Stopped"
            ]
        );
    }

    #[test]
    fn the_headers_stand_above_the_first_part_only() {
        let mut grid = Grid::new(row(&["A", "B"]));

        let first = grid.lines(&[row(&["long one", "x"])]);
        let second = grid.lines(&[row(&["y", "z"])]);

        assert_eq!(first, ["A         B", "long one  x"]);
        assert_eq!(second, ["y         z"]);
    }

    #[test]
    fn a_cell_cannot_move_the_terminals_cursor() {
        let mut grid = Grid::new([]);

        let lines = grid.lines(&[row(&["a\u{1b}[2Jb\nc"])]);

        assert_eq!(lines, ["a [2Jb c"]);
    }
}
