//! Aligned tables with capital headers and no borders.

use comfy_table::{ContentArrangement, Table, presets};

/// Renders rows under headers, two blanks between columns. The last column is cut to `width` when there is one.
pub fn render(headers: &[&str], rows: &[Vec<String>], width: Option<usize>) -> String {
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
        column.set_padding((0, 2));
    }
    let lines = table.lines().zip(lasts).map(|(line, last)| {
        let line = format!("{line}{last}").trim_end().to_owned();
        match width {
            Some(width) => super::text::fit(&line, width),
            None => line,
        }
    });
    lines.map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_are_cut() {
        let rows = vec![vec!["1".to_owned(), "a long command".into()], vec!["12".to_owned(), "x".into()]];
        assert_eq!(render(&["ID", "COMMAND"], &rows, None), "ID  COMMAND\n1   a long command\n12  x\n");
        assert_eq!(render(&["ID", "COMMAND"], &rows, Some(8)), "ID  COM…\n1   a l…\n12  x\n");
    }
}
