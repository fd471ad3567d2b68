//! What stands in `${{ … }}`, in an `if:` and in a rule: so much of GitHub's and GitLab's language as the pipelines use.

/// What a name or a call stands for.
pub type Values<'a> = &'a dyn Fn(&str) -> String;

/// The value of an expression. Both systems compare as text here, and what is empty or `false` is not true.
pub fn value(expression: &str, values: Values<'_>) -> String {
    let mut rest = tokens(expression);
    rest.reverse();
    let value = any(&mut rest, values, true);
    assert!(rest.is_empty(), "{expression}: {rest:?} is left");
    value
}

pub fn is_true(expression: &str, values: Values<'_>) -> bool {
    truth(&value(unwrapped(expression), values))
}

/// An `if:` may stand in `${{ … }}`, or without it.
pub fn unwrapped(expression: &str) -> &str {
    let inner = expression
        .strip_prefix("${{")
        .and_then(|text| text.strip_suffix("}}"));
    inner.unwrap_or(expression).trim()
}

/// A text with the values of its `${{ … }}`.
pub fn filled(text: &str, values: Values<'_>) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let (expression, after) = after.split_once("}}").expect("a closing }}");
        filled.push_str(before);
        filled.push_str(&value(expression, values));
        rest = after;
    }
    filled + rest
}

/// The expressions of a text.
pub fn expressions(text: &str) -> Vec<&str> {
    let parts = text.split("${{").skip(1);
    parts
        .map(|part| part.split_once("}}").expect("a closing }}").0.trim())
        .collect()
}

/// The names and calls of an expression.
pub fn names(expression: &str) -> Vec<String> {
    let mut names = tokens(expression);
    names.retain(|token| token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '$'));
    names
}

fn truth(value: &str) -> bool {
    !value.is_empty() && value != "false"
}

fn tokens(expression: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' => rest[1..].find(first).expect("a closing quote") + 2,
            '(' | ')' => 1,
            '=' | '&' | '|' => 2,
            '!' if rest.starts_with("!=") => 2,
            '!' => 1,
            _ => rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || "_-.$".contains(c)))
                .unwrap_or(rest.len()),
        };
        assert!(length > 0, "{expression}: {rest}");
        tokens.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    tokens
}

fn take(rest: &mut Vec<String>, token: &str) -> bool {
    let is_next = rest.last().is_some_and(|next| next == token);
    if is_next {
        rest.pop();
    }
    is_next
}

/// `needed` is false for what the part before has decided: its names need not have a value.
fn any(rest: &mut Vec<String>, values: Values<'_>, needed: bool) -> String {
    let mut value = all(rest, values, needed);
    while take(rest, "||") {
        let decided = truth(&value);
        let other = all(rest, values, needed && !decided);
        value = if decided { value } else { other };
    }
    value
}

fn all(rest: &mut Vec<String>, values: Values<'_>, needed: bool) -> String {
    let mut value = comparison(rest, values, needed);
    while take(rest, "&&") {
        let decided = !truth(&value);
        let other = comparison(rest, values, needed && !decided);
        value = if decided { value } else { other };
    }
    value
}

fn comparison(rest: &mut Vec<String>, values: Values<'_>, needed: bool) -> String {
    let left = one(rest, values, needed);
    if take(rest, "==") {
        (left == one(rest, values, needed)).to_string()
    } else if take(rest, "!=") {
        (left != one(rest, values, needed)).to_string()
    } else {
        left
    }
}

fn one(rest: &mut Vec<String>, values: Values<'_>, needed: bool) -> String {
    if take(rest, "!") {
        return (!truth(&one(rest, values, needed))).to_string();
    }
    if take(rest, "(") {
        let value = any(rest, values, needed);
        assert!(take(rest, ")"), "a closing bracket");
        return value;
    }
    let token = rest.pop().expect("something to compare");
    if token.starts_with(['\'', '"']) {
        return token[1..token.len() - 1].to_owned();
    }
    let name = if take(rest, "(") {
        assert!(take(rest, ")"), "{token}: a call without arguments");
        token + "()"
    } else {
        token
    };
    if needed { values(&name) } else { String::new() }
}

#[test]
fn expressions_have_the_values_that_both_systems_give_them() {
    let values = |name: &str| match name {
        "github.ref" | "$BRANCH" => "main".to_owned(),
        "always()" => "true".to_owned(),
        "cancelled()" | "$NONE" => String::new(),
        other => panic!("{other} is not known"),
    };
    for (expression, expected) in [
        ("github.ref", "main"),
        ("github.ref == 'main'", "true"),
        ("github.ref != 'main'", "false"),
        ("!cancelled() && github.ref == 'main'", "true"),
        (
            "always() && (github.ref == 'x' || github.ref == 'main')",
            "true",
        ),
        ("github.ref == 'main' || unknown.name", "true"),
        ("github.ref == 'x' && unknown.name == 'y'", "false"),
        ("$BRANCH == \"main\" && $NONE == \"\"", "true"),
        ("$NONE || $BRANCH", "main"),
    ] {
        assert_eq!(value(expression, &values), expected, "{expression}");
    }
    assert!(is_true("${{ !cancelled() }}", &values));
    assert_eq!(filled("a-${{ github.ref }}-b", &values), "a-main-b");
    assert_eq!(expressions("a-${{ github.ref }}-b"), ["github.ref"]);
    assert_eq!(
        names("!cancelled() && a.b-c == 'd'"),
        ["cancelled", "a.b-c"]
    );
}
