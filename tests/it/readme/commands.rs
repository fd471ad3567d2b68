//! The command line, as the pages and the program's help describe it.

use std::collections::BTreeSet;

use aws_xregion_sync::cli;
use clap::{Arg, ArgAction, Command};

use super::pages::{self, Part};
use super::{aws, kept};
#[cfg(unix)]
use crate::support::each;

const REFERENCE: &str = "src/guide/reference.md";

/// Options of other programs that the pages name.
const OF_OTHERS: [(&str, &str); 2] = [
    ("--no-default-features", "cargo"),
    ("--quick", "the benchmarks"),
];

/// Returns the commands of xrs, except `help`.
fn commands() -> Vec<Command> {
    let xrs = cli::command();
    let shown = |command: &&Command| !command.is_hide_set() && command.get_name() != "help";
    xrs.get_subcommands().filter(shown).cloned().collect()
}

fn command(name: &str) -> Option<Command> {
    commands()
        .into_iter()
        .find(|command| command.get_name() == name)
}

/// Returns true if this only names a command or one of its options, and is not a complete call.
#[cfg(unix)]
pub fn is_name(code: &str) -> bool {
    let mut words = code.split(' ').skip(1);
    let Some(command) = words.next().and_then(command) else {
        return false;
    };
    let option = |word: &str| {
        let long = word.strip_prefix("--")?;
        command
            .get_arguments()
            .find(|arg| arg.get_long() == Some(long))
    };
    let Some(options) = words.map(option).collect::<Option<Vec<&Arg>>>() else {
        return false;
    };
    let needs_value = |arg: &&&Arg| arg.get_action().takes_values() && !arg.is_require_equals_set();
    options.last().filter(needs_value).is_some()
        || command.get_arguments().any(Arg::is_required_set)
}

/// Returns the arguments of a command: its own, or those of all commands.
fn arguments(command: &Command, of_all: bool) -> Vec<&Arg> {
    let every = |arg: &&Arg| {
        let for_all = arg.is_global_set() || matches!(arg.get_id().as_str(), "help" | "version");
        for_all == of_all && !arg.is_hide_set()
    };
    command.get_arguments().filter(every).collect()
}

/// Returns an argument as it is written on the command line.
fn written(arg: &Arg) -> String {
    let value = match arg.get_value_names() {
        Some(names) if arg.get_action().takes_values() => names.join(" "),
        _ => String::new(),
    };
    let Some(long) = arg.get_long() else {
        return if arg.is_required_set() {
            format!("`{value}`")
        } else {
            format!("`[{value}]`")
        };
    };
    let long = match (value.as_str(), arg.is_require_equals_set()) {
        ("", _) => format!("`--{long}`"),
        (value, true) => format!("`--{long}[={value}]`"),
        (value, false) => format!("`--{long} {value}`"),
    };
    let short = arg.get_short().map(|short| format!("`-{short}`, "));
    let again = matches!(arg.get_action(), ArgAction::Append);
    format!(
        "{}{long}{}",
        short.unwrap_or_default(),
        if again { "…" } else { "" }
    )
}

/// Returns the text of a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', r"\|")
}

fn row(arg: &Arg) -> String {
    let help = arg.get_long_help().or(arg.get_help());
    let mut meaning = help.expect("each has a help").to_string();
    let takes = arg.get_action().takes_values();
    if takes {
        for (n, value) in arg.get_possible_values().iter().enumerate() {
            let name = value.get_name();
            meaning += &match (value.get_help(), n) {
                (Some(help), _) => format!(". `{name}`: {help}"),
                (None, 0) => format!(": `{name}`"),
                (None, _) => format!(", `{name}`"),
            };
        }
    }
    let default = match arg.get_default_values() {
        [value] if takes => format!("`{}`", value.to_string_lossy()),
        _ => String::new(),
    };
    format!("| {} | {default} | {} |\n", written(arg), cell(&meaning))
}

fn table(arguments: &[&Arg]) -> String {
    let rows: String = arguments.iter().map(|arg| row(arg)).collect();
    format!("| argument | default | meaning |\n|---|---|---|\n{rows}\n")
}

/// Returns the commands that the reference lists.
fn reference() -> String {
    let of_all = cli::command();
    let mut text = format!(
        "Every command takes these arguments:\n\n{}",
        table(&arguments(&of_all, true))
    );
    for command in commands() {
        let about = command.get_about().expect("each has a summary");
        text += &format!("### xrs {}\n\n{about}.\n\n", command.get_name());
        let own = arguments(&command, false);
        text += &table(&own);
    }
    text
}

#[test]
fn the_reference_has_every_command_and_option() {
    let page = pages::page(REFERENCE).text;
    let (before, rest) = page.split_once("## Commands\n\n").expect("its place");
    let (there, after) = rest.split_once("## Exit codes").expect("its end");
    let made = reference();
    kept(REFERENCE, there, &made, || {
        format!("{before}## Commands\n\n{made}## Exit codes{after}")
    });
}

/// Checks a usage such as `xrs plan [CONFIG] [--out FILE] [--job NAME]…`.
fn check_usage(usage: &str) -> Result<String, String> {
    let plain: String = usage
        .replace("[=", "=")
        .chars()
        .filter(|c| !"[]…".contains(*c))
        .collect();
    let mut words = plain.split_whitespace().peekable();
    if words.next() != Some("xrs") {
        return Err("it is not of xrs".to_owned());
    }
    let name = words.next().unwrap_or_default();
    let command = command(name).ok_or_else(|| format!("there is no command {name}"))?;
    let own = arguments(&command, false);
    let mut positionals = own.iter().filter(|arg| arg.is_positional());
    while let Some(word) = words.next() {
        let (stated, value) = match word.strip_prefix("--") {
            Some(option) => {
                let (long, value) = option.split_once('=').unwrap_or((option, ""));
                let found = own.iter().find(|arg| arg.get_long() == Some(long));
                let arg = found.ok_or_else(|| format!("{name} has no --{long}"))?;
                let takes = arg.get_action().takes_values();
                let value = if takes && value.is_empty() {
                    words.next().unwrap_or_default()
                } else {
                    value
                };
                (arg, value)
            }
            None => (
                positionals
                    .next()
                    .ok_or_else(|| format!("{name} does not take {word}"))?,
                word,
            ),
        };
        let values = stated.get_possible_values();
        let values: Vec<&str> = values.iter().map(|value| value.get_name()).collect();
        let names: Vec<&str> = stated
            .get_value_names()
            .unwrap_or_default()
            .iter()
            .map(|name| name.as_str())
            .collect();
        let shown: BTreeSet<&str> = value.split('|').collect();
        if stated.get_action().takes_values()
            && names != [value]
            && shown != values.iter().copied().collect()
        {
            return Err(format!("{name}: {value} is {names:?}, one of {values:?}"));
        }
    }
    Ok(name.to_owned())
}

#[test]
fn the_readme_lists_every_command_as_it_is_called() {
    let page = pages::page("README.md");
    let mut listed = Vec::new();
    for (line, part) in &page.parts {
        let Part::Code { text, usage: true } = part else {
            continue;
        };
        let name = check_usage(text);
        listed.push(name.unwrap_or_else(|error| panic!("{}: {text}: {error}", page.at(*line))));
    }
    let commands = commands();
    let names: Vec<&str> = commands.iter().map(Command::get_name).collect();
    assert_eq!(listed, names);
}

#[test]
fn a_wrong_usage_is_found() {
    for (usage, says) in [
        ("xrs destroy", "no command"),
        ("xrs plan [--ou FILE]", "has no --ou"),
        ("xrs plan [--out PATH]", "PATH is"),
        ("xrs plan CONFIG B", "does not take"),
        ("xrs policy plan|run", "one of"),
        ("xrs apply PLAN [--wait[=TIME]]", "TIME is"),
    ] {
        let error = check_usage(usage).expect_err(usage);
        assert!(error.contains(says), "{usage}: {error}");
    }
    for (usage, command) in [
        ("xrs run [CONFIG] [--wait[=LIMIT]]", "run"),
        ("xrs policy plan|apply [CONFIG]", "policy"),
    ] {
        assert_eq!(check_usage(usage).as_deref(), Ok(command));
    }
}

#[test]
fn every_option_that_a_page_names_is_one() {
    let all: BTreeSet<String> = commands()
        .iter()
        .flat_map(|command| {
            command
                .get_arguments()
                .filter_map(|arg| arg.get_long().map(str::to_owned))
                .collect::<Vec<_>>()
        })
        .collect();
    for page in pages::all() {
        for (line, part) in &page.parts {
            let Part::Code { text, .. } = part else {
                continue;
            };
            let mut words = text.split([' ', '=', '[']);
            let first = words.next().unwrap_or_default();
            if let Some(option) = first.strip_prefix("--") {
                let excused = OF_OTHERS.iter().any(|(other, _)| *other == first);
                let known = all.contains(option) || excused || aws::is_option(first);
                assert!(known, "{}: {text}", page.at(*line));
            }
            // Such as `status --max-age`.
            if let (Some(command), Some(option)) = (command(first), words.next()) {
                let Some(option) = option.strip_prefix("--") else {
                    continue;
                };
                let has = command
                    .get_arguments()
                    .any(|arg| arg.get_long() == Some(option));
                assert!(has, "{}: {text}", page.at(*line));
            }
        }
    }
}

/// Returns the examples at the end of a help text, one per line, with or without an explanation.
#[cfg(unix)]
fn examples(help: &str) -> Vec<String> {
    let lines = help
        .strip_prefix("Examples:\n")
        .expect("examples come first")
        .lines();
    lines
        .take_while(|line| !line.is_empty())
        .map(|line| line.strip_prefix("  ").expect("set off"))
        // A line that is indented further explains the line above.
        .filter(|line| !line.starts_with(' '))
        .map(|line| line.split("  ").next().unwrap_or_default().to_owned())
        .collect()
}

#[cfg(unix)]
#[test]
fn every_help_ends_with_examples_and_they_run() {
    let of_all = cli::command();
    for command in commands().iter().chain([&of_all]) {
        let help = command.get_after_help().expect("examples").to_string();
        let examples = examples(&help);
        assert!(!examples.is_empty(), "{}", command.get_name());
        let mut scene = super::scene::Scene::new(None).sibling();
        for example in examples {
            let said = scene.run(&example);
            assert_eq!(said.code, Some(0), "{example}: {said:?}");
            let is_ours = example.contains("xrs") || example.starts_with("mkdir ");
            assert!(is_ours, "{example}");
            let _ = scene.aws_calls();
            // The next example uses the folder that this one makes.
            if !example.starts_with("mkdir ") {
                scene = super::scene::Scene::new(None).sibling();
            }
        }
    }
}

#[test]
fn helps_fit_a_terminal_and_examples_are_their_end() {
    let of_all = cli::command();
    for command in commands().iter().chain([&of_all]) {
        let name = command.get_name();
        let end = command.get_after_help().expect("examples").to_string();
        let whole_end = command
            .get_after_long_help()
            .map_or(end.clone(), ToString::to_string);
        assert!(whole_end.starts_with(end.trim_end()), "{name}");
        // A longer line would be wrapped, and could not be copied.
        for line in whole_end.lines() {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_name_is_not_a_call() {
    for name in each("xrs apply | xrs plan --out | xrs apply --results | xrs show") {
        assert!(is_name(name), "{name}");
    }
    for call in each("xrs plan | xrs run --wait | xrs plan --ou | xrs apply x | xrs destroy | xrs")
    {
        assert!(!is_name(call), "{call}");
    }
}
