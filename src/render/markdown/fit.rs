//! Room for so much and no more.

use super::escape::{fenced, message};
use crate::model::safe::safe;
use crate::model::words::count;

/// GitHub takes comments of 65,536 characters. In bytes, which are never fewer, and with some room for what a pipeline
/// writes around it.
pub const MAX_BYTES: usize = 65_000;

/// What room is left.
#[derive(Debug)]
pub(super) struct Room {
    bytes: usize,
}

/// The items that there was room for, and what stands for those that were left out.
#[derive(Debug)]
pub(super) struct Fitted<T> {
    pub(super) text: String,
    pub(super) cut: Vec<T>,
}

impl Room {
    /// All room but what these parts take, which are shown in any case.
    pub(super) fn beside(parts: &[&str]) -> Self {
        /// What stands around lists: headings, fences, and the words on what was cut.
        const FRAME: usize = 3_000;
        let taken: usize = parts.iter().map(|part| part.len()).sum();
        Self {
            bytes: MAX_BYTES.saturating_sub(FRAME + taken),
        }
    }

    /// Takes items as below, but leaves so much room for others, or at least a part for these.
    pub(super) fn take_beside<T>(
        &mut self,
        others: usize,
        items: impl IntoIterator<Item = (T, String)>,
    ) -> Fitted<T> {
        let bytes = self.bytes.saturating_sub(others).max(self.bytes / 4);
        let mut part = Self { bytes };
        let fitted = part.take(items);
        self.bytes -= bytes - part.bytes;
        fitted
    }

    /// Takes items whole, in their order, those that there is room for.
    pub(super) fn take<T>(&mut self, items: impl IntoIterator<Item = (T, String)>) -> Fitted<T> {
        let (mut text, mut cut) = (String::new(), Vec::new());
        for (stands_for, item) in items {
            match self.bytes.checked_sub(item.len()) {
                Some(left) => {
                    self.bytes = left;
                    text.push_str(&item);
                }
                None => cut.push(stands_for),
            }
        }
        Fitted { text, cut }
    }
}

/// What was cut, and the command that shows all of it; empty if nothing was.
pub(super) fn cut(show: &str, kinds: &[Option<String>]) -> String {
    let kinds: Vec<&str> = kinds.iter().flatten().map(String::as_str).collect();
    if kinds.is_empty() {
        return String::new();
    }
    format!(
        "\n> [!IMPORTANT]\n> **Cut to the length of a comment.** Not shown: {}. All of it: {}\n",
        kinds.join(", "),
        message(show)
    )
}

/// A count, if there is something to count.
pub(super) fn said(n: usize, one: &str, many: &str) -> Option<String> {
    (n > 0).then(|| count(n, one, many))
}

/// Commands to be copied, unless they are so long that they leave no room for anything else.
pub(super) fn script(commands: &str) -> Option<String> {
    const LONGEST: usize = 8_000;
    let lines: Vec<_> = commands.lines().map(safe).collect();
    Some(fenced("sh", &lines.join("\n"))).filter(|script| script.len() <= LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_need_is_left_but_for_a_part() {
        let items = || (0..10).map(|n| (n, "ab".to_owned()));
        for (others, taken, left) in [(0, 10, 20), (24, 8, 24), (100, 5, 30)] {
            let mut room = Room { bytes: 40 };
            let fitted = room.take_beside(others, items());
            assert_eq!(fitted.text.len(), 2 * taken, "{others}");
            assert_eq!(room.bytes, left, "{others}");
        }
    }

    #[test]
    fn items_are_taken_whole() {
        let mut room = Room { bytes: 5 };
        let fitted =
            room.take([(1, "abc"), (2, "defg"), (3, "hi")].map(|(n, s)| (n, s.to_owned())));
        assert_eq!((fitted.text.as_str(), fitted.cut), ("abchi", vec![2]));
        assert_eq!(room.bytes, 0);
    }
}
