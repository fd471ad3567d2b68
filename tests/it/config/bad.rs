//! What makes a file or a job unusable.

use super::*;

macro_rules! golden {
    ($($name:ident)+) => {$(
        #[test]
        fn $name() {
            let text = include_str!(concat!("../../../testdata/config/bad/", stringify!($name), ".yaml"));
            insta::assert_snapshot!(stringify!($name), whole_screen(text));
        }
    )+};
}

golden! {
    bomb circle client_configs clusters cycle destinations empty jobs keys_twice no_jobs no_mapping not_yaml same_database two_documents
    unclosed_bracket unclosed_quote
}

#[test]
fn a_file_that_is_not_text_is_refused_with_its_place() {
    let place = |line, column| {
        Some(TextPlace {
            line,
            column,
            length: 1,
        })
    };
    let not_utf8 = refused(b"sync_a: {}\nsync_\xff: {}\n");
    let message = "the config is not UTF-8: byte 16 (0xff), on line 2, is not part of a character";
    assert_eq!((&*not_utf8.message, not_utf8.at), (message, place(2, 6)));
    let utf16 = refused(b"\xff\xfes\0y\0n\0c\0");
    let help = "this is UTF-16; save the file as UTF-8";
    assert_eq!(utf16.help.as_deref(), Some(help));
    for (text, what, at) in [
        ("sync_a: {}\r\nsync_b\0: {}", "a NUL byte", place(2, 7)),
        (
            "a\rsync_a: \u{1b}[31m",
            "the control character U+001B",
            place(2, 9),
        ),
        ("a: \u{2028}", "the control character U+2028", place(1, 4)),
    ] {
        let problem = refused(text);
        let message = format!("the config contains {what}, which YAML does not allow");
        assert_eq!((problem.message, problem.at), (message, at));
    }
}

#[test]
fn a_file_without_a_job_is_refused() {
    for empty in ["", "\n", "# nothing\n", "---\n", "~", "--- null\n...\n"] {
        assert_eq!(refused(empty).message, "the config is empty", "{empty:?}");
    }
    let no_mapping = "the config must be a mapping of jobs, not a single value";
    assert_eq!(refused("just words").message, no_mapping);
    let no_job = "the config has no sync job: no top-level key starts with `sync_`";
    assert_eq!(refused("{}").message, no_job);
}

/// Errors are not in the words of a parser, and have a place.
#[test]
fn invalid_yaml_is_explained() {
    for (text, message) in [
        ("sync_x: {a: b", ": a `,` or `}` is missing before this"),
        ("sync_x: [[a] [b]]", ": a `,` or `]` is missing before this"),
        (
            "sync_x: *nothing",
            ": no `&` above defines the name of this alias",
        ),
        (
            "sync_x:\n\ta: b",
            ": there is a tab where only spaces are allowed",
        ),
        ("sync_x: \"a\n", ": a quote is not closed"),
        ("sync_x: \"\\q\"", ": this escape is unknown"),
        (
            "sync_x:\n  a: b\n c: d",
            ": the indentation does not match the lines above",
        ),
        ("sync_x: a: b", ": there can't be a key before this colon"),
        ("sync_x:\n  a: b\n  c\n", ": a key has no colon"),
        ("@", ""),
    ] {
        let problem = refused(text);
        let expected = format!("the config is not valid YAML{message}");
        assert_eq!(problem.message, expected, "{text:?}");
        assert!(problem.at.is_some() && problem.help.is_some(), "{text:?}");
    }
    for (text, message) in [
        (
            "sync_x: {<<: words}",
            "`<<` merges mappings, not a single value",
        ),
        ("sync_x: {<<: [[]]}", "`<<` merges mappings, not a list"),
        ("sync_x: {[a]: b}", "a key must be text, not a list"),
        (
            "sync_x: !ruby/object {}",
            "tags have no meaning in a config",
        ),
    ] {
        let problem = refused(text);
        assert_eq!(problem.message, message);
        assert!(problem.at.is_some(), "{text:?}");
    }
}

#[test]
fn a_file_that_is_too_large_or_too_deep_is_refused_at_once() {
    let most = usize::try_from(config::MAX_BYTES).expect("small");
    let large = refused(format!("{SEED}#{}", "x".repeat(most)));
    assert_eq!(large.message, "the config is larger than 16777216 bytes");
    let deep = "mappings and lists are nested too deeply";
    for nest in ["[", "{a: ", "- ", "? ", "[{a: "] {
        let text = format!("sync_x:\n {}", nest.repeat(200_000));
        assert_eq!(refused(&text).message, deep, "{nest}");
    }
    let next = |n| format!("a{n}: &a{n} [*a{}]\n", n - 1);
    let chain: String = (1..100).map(next).collect();
    assert_eq!(refused(format!("a0: &a0 []\n{chain}")).message, deep);
}

#[test]
fn aliases_and_merges_cannot_fill_the_memory() {
    let expanded =
        "with every alias replaced by what it stands for, the config is larger than 33554432 bytes";
    let large = "x".repeat(100_000);
    let aliases = "*a, ".repeat(50_000);
    let values = refused(format!("{{a: &a {large}, sync_x: [{aliases}]}}"));
    assert_eq!(values.message, expanded);
    let keys: String = (0..10_000).map(|n| format!("k{n}: v, ")).collect();
    let merges = "{<<: *a}, ".repeat(10_000);
    let merged = refused(format!("{{a: &a {{{keys}}}, sync_x: [{merges}]}}"));
    assert_eq!(merged.message, expanded);
}

#[test]
fn names_and_values_with_control_characters_are_refused() {
    let problems = read(&format!("\"sync_\\e[31m\": {{{AMI}}}")).problems();
    assert_eq!(
        problems[0].message,
        "the job name sync_\\u{1b}[31m contains control characters or line breaks, which is not allowed"
    );
    for (option, value) in [
        ("ami_owner", "\"a\\nb\""),
        ("filters", "[\"a=b\\u2028\"]"),
        ("filters", "[{name: a, values: [\"\\e\"]}]"),
    ] {
        let messages = ami(&format!("{option}: {value}"));
        let start = format!(
            "option `{option}` of sync_x must be text without control characters and line breaks"
        );
        assert!(
            messages.len() == 1 && messages[0].starts_with(&start),
            "{messages:?}"
        );
    }
}

#[test]
fn an_invalid_job_leaves_the_others_valid_and_keeps_its_client_settings() {
    let text = format!(
        "{{sync_a: {{sync_type: ec2_amy, aws_client_config: {{profile: a}}}}, sync_b: 5, \
         sync_c: {{{AMI}, aws_client_config: {{max_attempts: 0}}}}, sync_d: {{{AMI}}}}}"
    );
    let is_valid = |job: &ConfiguredJob| matches!(job, ConfiguredJob::Valid(_));
    let valid: Vec<bool> = read(&text).jobs.iter().map(is_valid).collect();
    assert_eq!(valid, [false, false, false, true]);
    let settings = read(&text).client_configs;
    let valid: Vec<_> = settings
        .iter()
        .map(|(name, settings)| (name.as_str(), settings.is_ok()))
        .collect();
    let expected = [
        ("sync_a", true),
        ("sync_b", false),
        ("sync_c", false),
        ("sync_d", true),
    ];
    assert_eq!(valid, expected);
    let settings = settings[&JobName::from("sync_a")].as_ref().expect("valid");
    assert_eq!(settings.profile.as_deref(), Some("a"));
}

#[test]
fn mistakes_in_the_global_settings_invalidate_every_job_and_are_reported_once() {
    let text = format!(
        "aws_client_config: {{ profil: x, max_retries: 2 }}\nsync_a: {{{AMI}}}\nsync_b: {{{AMI}}}\n"
    );
    let config = read(&text);
    let is_invalid = |job: &ConfiguredJob| matches!(job, ConfiguredJob::Invalid { .. });
    assert!(config.jobs.iter().all(is_invalid));
    let problems: Vec<String> = config.problems().iter().map(ToString::to_string).collect();
    let expected = ["line 1, column 22: unknown option `profil` in the global aws_client_config"];
    assert_eq!(problems, expected);
    assert_eq!(config.notes.len(), 1);
}

#[test]
fn a_key_that_is_nearly_one_of_a_job_is_a_warning_that_says_what_to_write() {
    for (key, shown, meant) in [
        ("sync-a", "sync-a", "sync_a"),
        ("sync a", "sync…", "sync_a"),
        ("Sync a", "Sync…", "sync_a"),
        ("Sync-My-DB", "Sync-My-DB", "sync_My-DB"),
        ("synca", "synca", "sync_a"),
        ("sync.a", "sync.a", "sync_a"),
        ("sync-a@b", "sync-a@b", "sync_a_b"),
        ("' sync_a'", "…", "sync_a"),
        ("-sync_a", "-sync_a", "sync_a"),
        ("snyc_a", "snyc_a", "sync_a"),
        ("my_web_app", "my_web_app", "sync_my_web_app"),
        ("sync-\u{1f642}", "sync-\u{1f642}", "sync_"),
    ] {
        let text = format!("sync_x: {{{AMI}}}\n{key}: {{{AMI}}}\n");
        let config = read(&text);
        assert_eq!((config.jobs.len(), config.notes), (1, vec![]), "{key}");
        let [warning] = config.warnings.as_slice() else {
            panic!("{key}: {:?}", config.warnings)
        };
        let message = format!("the top-level key `{shown}` is ignored, though it looks like a job");
        assert_eq!(warning.message, message);
        let help = format!("the keys of jobs start with `sync_`: write `{meant}`, if it is one");
        assert_eq!(warning.help.as_ref(), Some(&help));
        assert_eq!(warning.at.map(|at| (at.line, at.column)), Some((2, 1)));
        // Even without another job.
        let problems = config::read(format!("{key}: {{{AMI}}}").as_bytes()).expect_err(key);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert_eq!(problems[1].help.as_ref(), Some(&help));
    }
    // Templates, and keys that only look similar.
    let others = format!(
        "x: &x {{{AMI}}}\n.sync: {{{AMI}}}\nsynchronous: true\nsince_2020: {{}}\nsync_x: {{<<: *x}}\n"
    );
    let config = read(&others);
    assert_eq!((config.warnings, config.notes.len()), (vec![], 4));
}
