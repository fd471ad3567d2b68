//! Hides in the text of a config what may be a secret, so that its lines can be shown.
//!
//! The text may be broken YAML, so it is not parsed: wherever a word stands before a colon, the word says whether
//! what follows is shown. The value of a known option that is no secret is shown; that of a secret one is hidden,
//! whatever it is; that of an unknown word, which may be a misspelt secret, is hidden if it is a single value that
//! does not look harmless. When in doubt, more is hidden.

use std::collections::HashSet;

use crate::model::client_config::{is_credential, is_credential_char};

use super::words::{Word, looks_harmless};

const HIDDEN: char = '*';

/// The text with every character hidden that may belong to a secret; lines and columns stay as they are.
pub(super) fn masked(text: &str) -> String {
    let mut mask = Mask::new(text);
    mask.hide_by_words();
    mask.hide_anchors();
    mask.hide_credentials();
    let shown = mask.chars.iter().zip(&mask.hidden);
    shown
        .map(|(c, hidden)| {
            if *hidden && !matches!(c, '\n' | '\r') {
                HIDDEN
            } else {
                *c
            }
        })
        .collect()
}

struct Mask {
    chars: Vec<char>,
    hidden: Vec<bool>,
    /// Where the lines begin.
    lines: Vec<usize>,
    /// The aliases that stand for secrets.
    aliases: HashSet<String>,
}

impl Mask {
    fn new(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let after_breaks = chars
            .iter()
            .enumerate()
            .filter(|(_, c)| is_break(**c))
            .map(|(i, _)| i + 1);
        let lines = std::iter::once(0).chain(after_breaks).collect();
        Self {
            hidden: vec![false; chars.len()],
            lines,
            aliases: HashSet::new(),
            chars,
        }
    }

    fn at(&self, i: usize) -> Option<char> {
        self.chars.get(i).copied()
    }

    fn text(&self, from: usize, to: usize) -> String {
        self.chars
            .get(from..to.min(self.chars.len()))
            .unwrap_or_default()
            .iter()
            .collect()
    }

    fn hide(&mut self, from: usize, to: usize) {
        if let Some(hidden) = self.hidden.get_mut(from..to.min(self.chars.len())) {
            hidden.fill(true);
        }
    }

    /// The first place from `i` on where the character is none of these, or the end.
    fn skip(&self, i: usize, is: impl Fn(char) -> bool) -> usize {
        let rest = self.chars.get(i..).unwrap_or_default();
        i + rest.iter().position(|c| !is(*c)).unwrap_or(rest.len())
    }

    fn line_end(&self, i: usize) -> usize {
        self.skip(i, |c| !is_break(c))
    }

    /// How far the line that `i` is in is indented.
    fn indent(&self, i: usize) -> usize {
        let line = self
            .lines
            .partition_point(|start| *start <= i)
            .saturating_sub(1);
        let start = self.lines.get(line).copied().unwrap_or_default();
        self.skip(start, |c| c == ' ').min(i).saturating_sub(start)
    }

    fn hide_by_words(&mut self) {
        let mut i = 0;
        while i < self.chars.len() {
            let start = self.skip(i, |c| !is_word(c));
            let end = self.skip(start, is_word);
            i = self.hide_after(start, end).max(end).max(start + 1);
        }
    }

    /// Hides what belongs to the word; gives the place to go on from, before which all that matters is hidden.
    fn hide_after(&mut self, start: usize, end: usize) -> usize {
        let word = Word::of(&self.text(start, end));
        let Some(value) = self.value_after(end, word) else {
            return end;
        };
        match word {
            Word::Harmless => value,
            Word::Secret => {
                let (from, to) = self.value(value, self.indent(start), true);
                self.hide(from, to);
                self.hide_comment(to)
            }
            Word::Unknown => {
                let (from, to) = self.value(value, self.indent(start), false);
                if looks_harmless(&self.text(from, to)) {
                    return value;
                }
                self.hide(from, to);
                to
            }
        }
    }

    /// Hides the comment after a secret, which may be the secret of yesterday; gives where it ends.
    fn hide_comment(&mut self, i: usize) -> usize {
        let hash = self.skip(i, |c| {
            is_blank(c) || matches!(c, '"' | '\'' | ',' | '}' | ']')
        });
        if self.at(hash) != Some('#') {
            return i;
        }
        let end = self.line_end(hash);
        self.hide(hash + 1, end);
        end
    }

    /// Where the value of a word begins, if the word is a key.
    fn value_after(&self, end: usize, word: Word) -> Option<usize> {
        let is_quoted = matches!(self.at(end), Some('"' | '\''));
        let name_end = if is_quoted { end + 1 } else { end };
        if word == Word::Secret {
            // The colon may be misspelt, lack its space, or have something beside it.
            let sign = self.skip(name_end, |c| {
                !is_word(c) && !matches!(c, '"' | '\'') && !is_break(c)
            });
            let between = self.chars.get(name_end..sign).unwrap_or_default();
            if let Some(colon) = between.iter().rposition(|c| matches!(c, ':' | '=')) {
                return Some(name_end + colon + 1);
            }
            if self.at(sign).is_some_and(|c| !is_break(c)) {
                return Some(sign);
            }
        }
        let sign = self.skip(name_end, char::is_whitespace);
        let is_parted = self.at(sign + 1).is_none_or(char::is_whitespace);
        (self.at(sign) == Some(':') && (is_quoted || is_parted)).then_some(sign + 1)
    }

    /// From where to where a value goes that begins at `i`; empty for a mapping or list, unless these are `whole`.
    fn value(&mut self, i: usize, indent: usize, whole: bool) -> (usize, usize) {
        let mut i = self.skip(i, is_blank);
        while matches!(self.at(i), Some('&' | '!')) {
            i = self.skip(self.skip(i, |c| !c.is_whitespace()), is_blank);
        }
        if self.at(i).is_none_or(|c| is_break(c) || c == '#') {
            let next = self.next_line(i);
            if whole && self.belongs(next, indent) {
                return (next, self.block_end(next, indent));
            }
            if self.is_structure(next) {
                return (i, i);
            }
            i = next;
        }
        match self.at(i) {
            Some(quote @ ('"' | '\'')) => self.quoted(i, quote),
            Some('|' | '>') => (i, self.block_end(self.line_end(i), indent)),
            Some('[' | '{') if whole => (i, self.balanced(i)),
            Some('[' | '{') | None => (i, i),
            Some('*') => {
                let end = self.skip(i + 1, |c| {
                    !c.is_whitespace() && !matches!(c, ',' | ']' | '}' | '&')
                });
                if whole {
                    self.aliases.insert(self.text(i + 1, end));
                }
                (i, i)
            }
            Some(_) => (i, self.plain_end(i)),
        }
    }

    /// The first character of the next line that says something.
    fn next_line(&self, i: usize) -> usize {
        let mut i = i;
        loop {
            i = self.skip(self.line_end(i), char::is_whitespace);
            if self.at(i) != Some('#') {
                return i;
            }
        }
    }

    /// Whether the line of `i` is inside what is indented by `indent`: deeper, or an item of a list.
    fn belongs(&self, i: usize, indent: usize) -> bool {
        let own = self.indent(i);
        let is_item = self.at(i) == Some('-') && self.at(i + 1).is_none_or(char::is_whitespace);
        i < self.chars.len() && (own > indent || (own == indent && is_item))
    }

    /// Where the lines end that are inside what is indented by `indent`.
    fn block_end(&self, i: usize, indent: usize) -> usize {
        let mut end = self.line_end(i);
        loop {
            let next = self.skip(end, char::is_whitespace);
            if !self.belongs(next, indent) {
                return end;
            }
            end = self.line_end(next);
        }
    }

    /// Whether a line begins something else than a text: a key, an item, a mapping or list, or the end of one.
    fn is_structure(&self, i: usize) -> bool {
        let line = self.text(i, self.line_end(i));
        line.is_empty() || self.is_key(i) || line.starts_with(['[', '{', ']', '}', '-', '?', '#'])
    }

    /// Whether a line has a key in it.
    fn is_key(&self, i: usize) -> bool {
        let line = self.text(i, self.line_end(i));
        line.char_indices().any(|(at, c)| {
            let rest = line.get(at + 1..).unwrap_or_default();
            c == ':'
                && (rest.is_empty()
                    || rest.starts_with(char::is_whitespace)
                    || line.get(..at).is_some_and(|key| key.ends_with(['"', '\''])))
        })
    }

    /// Inside the quotes, or, where none closes them before something else begins, the rest. What is glued to the
    /// end is hidden, too.
    fn quoted(&self, i: usize, quote: char) -> (usize, usize) {
        let mut end = i + 1;
        loop {
            end = self.skip(end, |c| c != quote && c != '\\' && !is_break(c));
            match (self.at(end), self.at(end + 1)) {
                (Some(c), _) if is_break(c) => {
                    let next = self.skip(end, char::is_whitespace);
                    if self.is_key(next) || matches!(self.at(next), Some(']' | '}')) {
                        return (i + 1, end);
                    }
                    end = next;
                }
                (Some('\\'), _) if quote == '"' => end += 2,
                (Some('\\'), _) => end += 1,
                (Some('\''), Some('\'')) => end += 2,
                _ => break,
            }
        }
        let end = end.min(self.chars.len());
        let glued = self.skip(end + 1, |c| {
            !c.is_whitespace() && !matches!(c, ',' | ']' | '}' | ':')
        });
        (i + 1, if glued > end + 1 { glued } else { end })
    }

    /// Where a mapping or list in brackets ends.
    fn balanced(&self, i: usize) -> usize {
        let mut depth = 0_usize;
        let mut i = i;
        while let Some(c) = self.at(i) {
            match c {
                '[' | '{' => depth += 1,
                ']' | '}' => depth = depth.saturating_sub(1),
                '"' | '\'' => i = self.quoted(i, c).1,
                _ => {}
            }
            i += 1;
            if depth == 0 {
                break;
            }
        }
        i.min(self.chars.len())
    }

    /// Where a text without quotes ends: it may go on over lines that begin nothing else.
    fn plain_end(&self, i: usize) -> usize {
        let mut end = i;
        loop {
            while let Some(c) = self.at(end) {
                let is_comma = c == ',' && self.at(end + 1).is_none_or(char::is_whitespace);
                if is_comma || matches!(c, ']' | '}') {
                    return self.without_blanks(i, end);
                }
                if is_break(c) {
                    break;
                }
                end += 1;
            }
            let next = self.skip(end, char::is_whitespace);
            if next >= self.chars.len() || self.is_structure(next) {
                return self.without_blanks(i, end);
            }
            end = next;
        }
    }

    fn without_blanks(&self, from: usize, to: usize) -> usize {
        let text = self.chars.get(from..to).unwrap_or_default();
        from + text
            .iter()
            .rposition(|c| !is_blank(*c))
            .map_or(0, |last| last + 1)
    }

    /// Hides what the aliases of secrets stand for.
    fn hide_anchors(&mut self) {
        let aliases = std::mem::take(&mut self.aliases);
        let mut i = 0;
        while !aliases.is_empty() && i < self.chars.len() {
            i = self.skip(i, |c| c != '&') + 1;
            let end = self.skip(i, |c| {
                !c.is_whitespace() && !matches!(c, ',' | ']' | '}' | '&')
            });
            if aliases.contains(&self.text(i, end)) {
                let (from, to) = self.value(end, self.indent(i), true);
                self.hide(from, to);
            }
        }
    }

    /// Hides what has the form of credentials, wherever it stands.
    fn hide_credentials(&mut self) {
        let mut i = 0;
        while i < self.chars.len() {
            let start = self.skip(i, |c| !is_credential_char(c));
            i = self.skip(start, is_credential_char);
            if is_credential(&self.text(start, i)) {
                self.hide(start, i);
            }
        }
    }
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r')
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-')
}
