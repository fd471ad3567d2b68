//! Texts that try to be more than text, and documents full of them.

use proptest::prelude::*;
use proptest::sample::select;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Returns the same document with every text from elsewhere replaced, including keys of tags.
pub(super) fn with_texts<T: Serialize + DeserializeOwned>(document: &T, text: &str) -> T {
    /// The values of these are words of the format, or not text.
    const OURS: &str =
        "action created_at data_time from kind outcome provider started_at sync_type";
    fn replace(value: &mut Value, text: &str) {
        match value {
            Value::String(old) => text.clone_into(old),
            Value::Array(items) => items.iter_mut().for_each(|item| replace(item, text)),
            Value::Object(fields) => {
                for (key, value) in fields.iter_mut() {
                    if !OURS.split(' ').any(|ours| ours == key) {
                        replace(value, text);
                    }
                }
                if let Some(Value::Object(tags)) = fields.get_mut("tags") {
                    *tags = [(text.to_owned(), text.into())].into_iter().collect();
                }
            }
            _ => {}
        }
    }
    let mut value = serde_json::to_value(document).expect("JSON");
    replace(&mut value, text);
    serde_json::from_value(value).expect("the same document")
}

const SHORT: [&str; 54] = [
    "`", "```", "``", "~~~", "|", "\\|", "\\", "<", "</code>", "<!--", "-->", "<b>", "\n", "\n\n",
    "\r\n", "@octocat", "#1", "GH-1", "www.a.b", "a@b.c", "[a](b)", "![", "](", "[^1]", "[ ] ",
    "*", "__", "~~", "$", "$$", "> ", "- ", "1. ", "# ", "    ", "\t", "\u{202e}", "\"]", "-->|",
    ";", "end", "%%", "&amp;", "&#96;", "&", ":smile:", "---", "| - |", "é", "日本", " ", "x", "'",
    "\"",
];

const LONG: [&str; 3] = ["</details>", "http://a.b", "\u{1b}[31m"];

/// Texts that mean something to some program.
pub(super) fn text() -> impl Strategy<Value = String> {
    let tokens = [&SHORT[..], &LONG].concat();
    let token = prop_oneof![4 => select(tokens).prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    proptest::collection::vec(token, 0..8).prop_map(|tokens| tokens.concat())
}
