//! Aligned tables with capital headers and no borders.

use comfy_table::{ContentArrangement, Table, presets};

use super::text::{byte_at_column, fit};

/// Blanks between two columns.
const GAP: u16 = 2;

/// Renders rows under headers. The last column is cut to `width` when there is one. `paint` gets the number of a row, the
/// number of a column and what is there, and may add colour.
pub fn render(
    headers: &[&str],
    rows: &[Vec<String>],
    width: Option<usize>,
    paint: impl Fn(Option<usize>, usize, &str) -> String,
) -> String {
    // The last column needs no padding, and may be long: it is put behind what the library has aligned.
    let Some((last_header, headers)) = headers.split_last() else { return String::new() };
    let lasts: Vec<&str> =
        std::iter::once(*last_header).chain(rows.iter().map(|row| row.last().map_or("", String::as_str))).collect();
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headers.iter().copied());
    for row in rows {
        table.add_row(row[..row.len().min(headers.len())].to_vec());
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, GAP));
    }
    let widths = table.column_max_content_widths();
    let mut starts = vec![0];
    for width in widths {
        starts.push(starts[starts.len() - 1] + usize::from(width + GAP));
    }
    // Of a table of one column the library has nothing to align.
    let aligned: Vec<String> =
        if headers.is_empty() { vec![String::new(); lasts.len()] } else { table.lines().collect() };
    let lines = aligned.into_iter().zip(lasts).enumerate().map(|(number, (line, last))| {
        let line = format!("{line}{last}").trim_end().to_owned();
        let line = width.map_or(line.clone(), |width| fit(&line, width));
        painted(&line, &starts, |column, cell| paint(number.checked_sub(1), column, cell)) + "\n"
    });
    lines.collect()
}

/// Colours each cell of a line, after it was cut: what is invisible takes no room.
fn painted(line: &str, starts: &[usize], paint: impl Fn(usize, &str) -> String) -> String {
    let bounds = starts.iter().map(|column| byte_at_column(line, *column)).chain([line.len()]);
    let bounds: Vec<usize> = bounds.collect();
    let cells = bounds.windows(2).enumerate().map(|(column, bound)| {
        let cell = &line[bound[0]..bound[1]];
        let text = cell.trim_end();
        if text.is_empty() { cell.to_owned() } else { paint(column, text) + &cell[text.len()..] }
    });
    cells.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_are_cut() {
        let plain = |_: Option<usize>, _: usize, text: &str| text.to_owned();
        let rows = vec![vec!["1".to_owned(), "a long command".into()], vec!["12".to_owned(), "x".into()]];
        assert_eq!(render(&["ID", "COMMAND"], &rows, None, plain), "ID  COMMAND\n1   a long command\n12  x\n");
        assert_eq!(render(&["ID", "COMMAND"], &rows, Some(8), plain), "ID  COM…\n1   a l…\n12  x\n");
        assert_eq!(render(&["ID"], &[vec!["1".into()]], None, plain), "ID\n1\n");
        assert_eq!(render(&["ID", "X"], &[], None, plain), "ID  X\n");
    }

    #[test]
    fn colour_meets_the_cell_that_is_meant() {
        let rows = vec![vec!["日本".to_owned(), "b".into(), "b".into()]];
        let paint = |row: Option<usize>, column: usize, text: &str| match (row, column) {
            (Some(_), 1) => format!("<{text}>"),
            _ => text.to_owned(),
        };
        assert_eq!(render(&["A", "B", "C"], &rows, None, paint), "A     B  C\n日本  <b>  b\n");
    }
}
