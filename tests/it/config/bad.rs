//! What makes a file or a job of no use.

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
    bomb client_configs cycle empty jobs keys_twice no_jobs no_mapping not_yaml same_database two_documents
    unclosed_bracket unclosed_quote
}

#[test]
fn a_file_that_is_no_text_is_refused_with_its_place() {
    let not_utf8 = refused(b"sync_a: {}\nsync_\xff: {}\n");
    assert_eq!(
        not_utf8.message,
        "the config is not UTF-8: byte 16 (0xff), on line 2, belongs to no character"
    );
    assert_eq!(
        not_utf8.at,
        Some(TextPlace {
            line: 2,
            column: 6,
            length: 1
        })
    );
    let utf16 = refused(b"\xff\xfes\0y\0n\0c\0");
    assert_eq!(
        utf16.help.as_deref(),
        Some("this is UTF-16; save the file as UTF-8")
    );
    let nul = refused("sync_a: {}\r\nsync_b\0: {}");
    assert_eq!(
        nul.message,
        "the config holds a NUL byte, which YAML does not allow"
    );
    assert_eq!(
        nul.at,
        Some(TextPlace {
            line: 2,
            column: 7,
            length: 1
        })
    );
    let escape = refused("sync_a: \u{1b}[31m");
    assert_eq!(
        escape.message,
        "the config holds the control character U+001B, which YAML does not allow"
    );
}

#[test]
fn a_file_without_a_job_is_refused() {
    for empty in ["", "\n", "# nothing\n", "---\n", "~", "--- null\n...\n"] {
        assert_eq!(refused(empty).message, "the config is empty", "{empty:?}");
    }
    assert_eq!(
        refused("just words").message,
        "the config must be a mapping of jobs, not a single value"
    );
    assert_eq!(
        refused("{}").message,
        "the config has no sync job: no top-level key starts with `sync_`"
    );
}

#[test]
fn a_file_that_is_too_large_or_too_deep_is_refused_at_once() {
    let most = usize::try_from(config::MAX_BYTES).expect("small");
    let large = format!("{SEED}#{}", "x".repeat(most));
    assert_eq!(
        refused(&large).message,
        "the config is larger than 1048576 bytes"
    );
    let deep = "mappings and lists are more than 32 deep within one another";
    for nest in ["[", "{a: ", "- ", "? ", "[{a: "] {
        let text = format!("sync_x:\n {}", nest.repeat((most - 100) / nest.len()));
        assert_eq!(refused(&text).message, deep, "{nest}");
    }
    let chain: String = (1..100)
        .map(|n| format!("a{n}: &a{n} [*a{}]\n", n - 1))
        .collect();
    assert_eq!(refused(format!("a0: &a0 []\n{chain}")).message, deep);
}

#[test]
fn aliases_and_merges_cannot_fill_the_memory() {
    let expanded = "with its aliases written out, the config is larger than 4194304 bytes";
    let large = "x".repeat(100_000);
    let aliases = "*a, ".repeat(50_000);
    assert_eq!(
        refused(format!("{{a: &a {large}, sync_x: [{aliases}]}}")).message,
        expanded
    );
    let keys: String = (0..10_000).map(|n| format!("k{n}: v, ")).collect();
    let merges = "{<<: *a}, ".repeat(10_000);
    assert_eq!(
        refused(format!("{{a: &a {{{keys}}}, sync_x: [{merges}]}}")).message,
        expanded
    );
}

#[test]
fn a_merge_takes_in_mappings_only() {
    assert_eq!(
        refused("sync_x: {<<: words}").message,
        "`<<` takes in mappings, not a single value"
    );
    assert_eq!(
        refused("sync_x: {<<: [[]]}").message,
        "`<<` takes in mappings, not a list"
    );
    assert_eq!(
        refused("sync_x: {[a]: b}").message,
        "a key is a text, not a list"
    );
    assert_eq!(
        refused("sync_x: !ruby/object {}").message,
        "a tag of one's own means nothing in a config"
    );
    assert!(
        refused("sync_x: *nothing")
            .message
            .starts_with("this is not YAML: ")
    );
}

#[test]
fn names_with_control_characters_are_refused() {
    let text = "\"sync_\\e[31m\": {sync_type: ec2_ami, source_region: us-east-1, destination_region: us-west-1}";
    let problems = read(text).problems();
    assert_eq!(
        problems[0].message,
        "the name of a job must not hold control characters or line breaks, as sync_\\u{1b}[31m does"
    );
    assert_eq!(
        ami("ami_owner: \"a\\nb\""),
        ["option `ami_owner` of sync_x must be a text without control characters and line breaks"]
    );
}

#[test]
fn a_broken_job_leaves_the_others_sound_and_keeps_its_client_settings() {
    let text = "{sync_a: {sync_type: ec2_amy, aws_client_config: {profile: a}}, sync_b: 5, \
                 sync_c: {sync_type: ec2_ami, source_region: us-east-1, destination_region: us-west-1, aws_client_config: {max_attempts: 0}},\
                 sync_d: {sync_type: ec2_ami, source_region: us-east-1, destination_region: us-west-1}}";
    let is_sound = |job: &ConfiguredJob| matches!(job, ConfiguredJob::Valid(_));
    assert_eq!(
        read(text).jobs.iter().map(is_sound).collect::<Vec<_>>(),
        [false, false, false, true]
    );
    let settings = config::client_configs(text.as_bytes()).expect("a config");
    let said: Vec<_> = settings
        .iter()
        .map(|(name, settings)| (name.as_str(), settings.is_ok()))
        .collect();
    assert_eq!(
        said,
        [
            ("sync_a", true),
            ("sync_b", false),
            ("sync_c", false),
            ("sync_d", true)
        ]
    );
    assert_eq!(
        settings[&JobName::from("sync_a")]
            .as_ref()
            .expect("valid")
            .profile
            .as_deref(),
        Some("a")
    );
}

#[test]
fn mistakes_in_the_global_settings_break_every_job_and_are_told_once() {
    let job = "{sync_type: ec2_ami, source_region: us-east-1, destination_region: us-west-1}";
    let text = format!(
        "aws_client_config: {{ profil: x, max_retries: 2 }}\nsync_a: {job}\nsync_b: {job}\n"
    );
    let config = read(&text);
    assert!(
        config
            .jobs
            .iter()
            .all(|job| matches!(job, ConfiguredJob::Invalid { .. }))
    );
    let told: Vec<String> = config.problems().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        ["line 1, column 22: unknown option `profil` in the global aws_client_config"]
    );
    assert_eq!(config.notes.len(), 1);
}
