//! Fits a document into the length of a comment.

use super::escape::{fenced, message};
use crate::model::safe::safe;
use crate::render::vocabulary::list_of;

/// The longest document, in bytes. GitHub accepts comments of 65,536 characters; the rest is room for what a pipeline writes
/// around the document.
pub const MAX_BYTES: usize = 65_000;

/// The room that is left.
#[derive(Debug)]
pub(super) struct Room {
    bytes: usize,
}

/// The items that fitted, and what those that were cut come to.
#[derive(Debug)]
pub(super) struct Fitted {
    pub(super) text: String,
    pub(super) cut: usize,
}

impl Room {
    /// Returns the room beside these parts, which are shown in any case.
    pub(super) fn beside(parts: &[&str]) -> Self {
        /// What surrounds lists: headings, fences, and the note on what was cut.
        const FRAME: usize = 3_000;
        let taken: usize = parts.iter().map(|part| part.len()).sum();
        Self {
            bytes: MAX_BYTES.saturating_sub(FRAME + taken),
        }
    }

    /// Takes items as [`Self::take`] does, but leaves this much room for others, unless less than a quarter of it would be left
    /// for these.
    pub(super) fn take_beside(
        &mut self,
        others: usize,
        items: impl IntoIterator<Item = (usize, String)>,
    ) -> Fitted {
        let bytes = self.bytes.saturating_sub(others).max(self.bytes / 4);
        let mut part = Self { bytes };
        let fitted = part.take(items);
        self.bytes -= bytes - part.bytes;
        fitted
    }

    /// Takes items in their order, each whole if there is room for it. Each is given with what it counts for.
    pub(super) fn take(&mut self, items: impl IntoIterator<Item = (usize, String)>) -> Fitted {
        let (mut text, mut cut) = (String::new(), 0);
        for (number, item) in items {
            match self.bytes.checked_sub(item.len()) {
                Some(left) => {
                    self.bytes = left;
                    text.push_str(&item);
                }
                None => cut += number,
            }
        }
        Fitted { text, cut }
    }
}

/// Returns the rows that fitted as a table; nothing without rows.
pub(super) fn table(head: &str, rows: &Fitted) -> String {
    if rows.text.is_empty() {
        return String::new();
    }
    format!("\n{head}\n{}", rows.text)
}

/// Returns a note on what was cut, with the command that shows all of it; empty if nothing was.
pub(super) fn cut(show: &str, parts: impl IntoIterator<Item = Option<String>>) -> String {
    list_of(parts).map_or_else(String::new, |parts| {
        let show = message(show);
        format!("\n> [!IMPORTANT]\n> **Cut to the length of a comment.** Not shown: {parts}. All of it: {show}\n")
    })
}

/// Returns commands as a block, unless they are so long that they leave no room for anything else.
pub(super) fn script(commands: &str) -> Option<String> {
    const MAX_SCRIPT: usize = 8_000;
    let lines: Vec<_> = commands.lines().map(safe).collect();
    Some(fenced("sh", &lines.join("\n"))).filter(|script| script.len() <= MAX_SCRIPT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_for_others_is_left_except_for_a_quarter() {
        let items = || (0..10).map(|n| (n, "ab".to_owned()));
        for (others, taken, left) in [(0, 10, 20), (24, 8, 24), (100, 5, 30)] {
            let mut room = Room { bytes: 40 };
            let fitted = room.take_beside(others, items());
            assert_eq!(fitted.text.len(), 2 * taken, "{others}");
            assert_eq!(room.bytes, left, "{others}");
        }
    }
}
