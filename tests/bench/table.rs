//! Markdown tables that are also readable as plain text.

/// Prints a table under a heading. Text is left-aligned in the first column and right-aligned in the others.
pub(crate) fn print<const N: usize>(heading: &str, head: [&str; N], rows: &[[String; N]]) {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells
            .chain([head[column].chars().count(), 2])
            .max()
            .unwrap_or(2)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |cells: [&str; N]| {
        let cells = cells.iter().zip(widths).enumerate();
        let padded: Vec<String> = cells
            .map(|(column, (cell, width))| match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            })
            .collect();
        format!("| {} |", padded.join(" | "))
    };
    let rule: [String; N] = std::array::from_fn(|column| match column {
        0 => "-".repeat(widths[column]),
        _ => format!("{}:", "-".repeat(widths[column] - 1)),
    });
    println!("\n## {heading}\n");
    println!("{}", line(head));
    println!("{}", line(rule.each_ref().map(String::as_str)));
    for row in rows {
        println!("{}", line(row.each_ref().map(String::as_str)));
    }
}

/// Formats seconds, with the digits that matter.
pub(crate) fn seconds(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{:.1} ms", seconds * 1000.0)
    } else {
        format!("{seconds:.2} s")
    }
}

/// Formats a ratio.
pub(crate) fn times(ratio: f64) -> String {
    if ratio < 1.0 {
        format!("{ratio:.2}×")
    } else if ratio < 10.0 {
        format!("{ratio:.1}×")
    } else {
        format!("{ratio:.0}×")
    }
}

/// Formats a share of the whole.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}
