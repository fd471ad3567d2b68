//! Puts errors of the YAML parser into plain English.

use saphyr_parser::ScanError;

use crate::model::problem::{Problem, TextPlace};

/// How deeply mappings and lists may be nested. A config needs five levels.
pub(super) const MAX_DEPTH: usize = 32;

const HELP: &str = "check here and just above for a missing quote, comma, colon or bracket, for a tab or a wrong indentation";

/// Returns what is wrong, judging by the parser's message.
fn phrase(message: &str) -> &'static str {
    const INDENTATION: &str = ": the indentation does not match the lines above";
    const PHRASES: &[(&str, &str)] = &[
        (
            "unknown anchor",
            ": no `&` above defines the name of this alias",
        ),
        ("tab", ": there is a tab where only spaces are allowed"),
        ("',' or '}'", ": a `,` or `}` is missing before this"),
        ("',' or ']'", ": a `,` or `]` is missing before this"),
        (
            "after double-quoted",
            ": there is text right after a closing quote",
        ),
        ("end of stream", ": a quote is not closed"),
        ("escape", ": this escape is unknown"),
        ("indent", INDENTATION),
        ("expected key", INDENTATION),
        ("'-' indicator", INDENTATION),
        ("mapping values", ": there can't be a key before this colon"),
        ("simple key", ": a key has no colon"),
    ];
    let found = PHRASES.iter().find(|(part, _)| message.contains(part));
    found.map_or("", |(_, phrase)| phrase)
}

/// Returns the problem for an error of the parser.
pub(super) fn problem(error: &ScanError) -> Problem {
    let mark = error.marker();
    let place = character(mark.line(), mark.col() + 1);
    match error.info() {
        "recursion limit exceeded" => too_deep(place),
        message => invalid(place, phrase(message)),
    }
}

/// Returns the problem for a missing value.
pub(super) fn missing_value(place: TextPlace) -> Problem {
    invalid(place, ": a value is missing")
}

/// Returns the problem for values that are nested too deeply.
pub(super) fn too_deep(place: TextPlace) -> Problem {
    Problem::new("mappings and lists are nested too deeply")
        .at(place)
        .help("a config has jobs at its top level, and their options inside them")
}

fn invalid(place: TextPlace, phrase: &str) -> Problem {
    let message = format!("the config is not valid YAML{phrase}");
    Problem::new(message).at(place).help(HELP)
}

/// Returns the place of one character.
pub(super) fn character(line: usize, column: usize) -> TextPlace {
    TextPlace {
        line,
        column,
        length: 1,
    }
}
