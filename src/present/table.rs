//! Aligned tables with capital headers and no borders.

use comfy_table::{ContentArrangement, Table, presets};

/// Renders rows under headers, two blanks between columns. The last column is cut to `width` when there is one.
pub fn render(headers: &[&str], rows: &[Vec<String>], width: Option<usize>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headers.iter().copied());
    for row in rows {
        table.add_row(row.clone());
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if index + 1 < headers.len() { 2 } else { 0 }));
    }
    let lines = table.lines().map(|line| {
        let line = line.trim_end().to_owned();
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
