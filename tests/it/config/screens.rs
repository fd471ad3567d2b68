//! Problems as a user sees them, never with secrets.

use super::*;

#[test]
fn all_the_parts_of_a_problem_are_shown() {
    let aws = AwsFailure {
        call: "CopyImage".to_owned(),
        region: Region::from("us-west-1"),
        code: "AccessDenied".to_owned(),
        message: "no\u{1b}[31m".to_owned(),
    };
    let at = TextPlace {
        line: 1,
        column: 9,
        length: 99,
    };
    let mut problem = Problem::new("this").at(at).help("do\nthat");
    problem.aws = Some(Box::new(aws));
    let (path, text) = ("a b.yaml", "name: é🙂\n");
    let shown = diagnostics(path, text, &[problem], Level::Warning, false, WIDTH);
    insta::assert_snapshot!("all_the_parts", shown);
}

#[test]
fn colour_changes_no_word() {
    let text = "sync_x: {}";
    let problems = read(text).problems();
    let coloured = diagnostics("xrs.yaml", text, &problems, Level::Error, true, WIDTH);
    let mut parts = coloured.split("\u{1b}[");
    let first = parts.next().expect("a part").to_owned();
    let styled: Vec<&str> = parts
        .map(|part| part.split_once('m').expect("a style").1)
        .collect();
    assert!(!styled.is_empty());
    assert_eq!(first + &styled.concat(), screen(text, &problems));
}

const SECRET: &str = "wJalrXUtnFEMI7K7MDENGbPxRfiCYZ";

/// What is shown of each line of a config, wherever the problem is.
fn every_line(text: &str) -> String {
    let place = |line| TextPlace {
        line,
        column: 1,
        length: 1,
    };
    let problems = (1..=text.lines().count()).map(|line| Problem::new("here").at(place(line)));
    screen(text, &problems.collect::<Vec<_>>())
}

#[test]
fn law_8_no_line_shows_a_secret_however_it_is_written() {
    let rows = [
        "aws_secret_key: §",
        "aws_secret_key:   '§'   # §",
        "aws_secret_key: \"§",
        "aws_secret_key: 'it''s §', profile: x",
        "aws_secret_key: \"a\\\"§\", profile: x",
        "{\"aws_secret_key\":\"§\"}",
        "{aws_secret_key:§}",
        "aws_secret_key = §",
        "aws_secret_key §",
        "# aws_secret_key: §",
        "aws_secret_key:\n  §",
        "aws_secret_key:\n\n  # here it is\n  '§'",
        "aws_secret_key:\n§",
        "aws_secret_key: |\n  §\n\n  §\nsync_x: 1",
        "aws_secret_key: >-\n  §",
        "aws_secret_key: abc\n  §",
        "aws_secret_key: 'abc\n  §'",
        "aws_secret_key: !!str &a §",
        "aws_secret_key: [§, \"]\", §]",
        "aws_secret_key:\n- §",
        "aws_secret_key: {a: §}",
        "? aws_secret_key\n: §",
        "x: &mine §\naws_secret_key: *mine",
        "x: [&mine §, 1]\ny: {session_token: *mine}",
        "aws_secrt_key: §",
        "- aws_sekret: '§'",
        "session_tokn:\n  §",
        "Secret Key: §",
        "AWS_SECRET_ACCESS_KEY: §",
        "password: §",
        "endpoint_url: http://me:§@host",
        "proxy_uri: http://me:§@host",
        "external_id: §",
        "sync_x: §",
        "aws_access_key: AKIAIOSFODNN7EXAMPLE",
        "profile: AKIAIOSFODNN7EXAMPLE",
    ];
    for row in rows {
        let shown = every_line(&row.replace('§', SECRET));
        let leaks = shown.contains(&SECRET[..6]) || shown.contains("AKIAIOSF");
        assert!(!leaks, "{row}\n{shown}");
    }
}

#[test]
fn law_8_the_whole_value_of_a_secret_is_hidden_whatever_its_form() {
    let text = "aws_secret_key: abc # abc\nurl: http://me:abc@host/x\nsessionToken:\n\nabc";
    let shown = every_line(text);
    assert!(!shown.contains("abc"), "{shown}");
    assert_says(&shown, "aws_secret_key: *********\n");
    assert_says(&shown, "url: http://******@host/x\n");
    let shown =
        every_line("  - :secret_key: 'a\n     b'\n    c: d\nsync_token_db: {kms_key_id: k}");
    assert!(!shown.contains("'a") && !shown.contains("b'"), "{shown}");
    assert_says(&shown, "    c: d\n");
    assert_says(&shown, "sync_token_db: {kms_key_id: k}");
}

#[test]
fn what_is_no_secret_is_shown() {
    let shown = every_line(&format!("{SEED}{ALL_OPTIONS}"));
    for text in each(
        "\"us-east-1\" | Web Application | 12345678910123 | 4321-4321-4321 | tag:Environment=Production | alias/copies |
         orders-tde | Orders-DB | http://localhost:5000 | role/backup/xrs | nightly | images | read_timeout: 30 | ec2_ami",
    ) {
        assert_says(&shown, text);
    }
}

/// Texts that are nearly configs: lines of good ones, some of them broken at a random character.
fn nearly_yaml() -> impl Strategy<Value = String> {
    const BREAKS: [&str; 24] = [
        "{", "}", "[", "]", ":", ": ", ",", "\n", "\t", " ", "\"", "'", "&a ", "*a ", "<<: ",
        "|\n", "- ", "? ", "!x ", "---\n", "#", "\r", "\\", "é",
    ];
    let good = format!("{SEED}\n{ALL_OPTIONS}\n{ANCHORS}")
        .replace("my_secret_key", SECRET)
        .replace("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", SECRET);
    let lines: Vec<String> = good.lines().map(|line| format!("{line}\n")).collect();
    let line = prop::sample::select(lines);
    let position = any::<prop::sample::Index>();
    let broken = (
        line.clone(),
        position,
        prop::sample::select(BREAKS.to_vec()),
        any::<bool>(),
    );
    let broken = broken.prop_map(|(line, position, part, cut)| {
        let mut chars: Vec<char> = line.chars().collect();
        let at = position.index(chars.len());
        chars.splice(at..at + usize::from(cut), part.chars());
        String::from_iter(chars)
    });
    prop::collection::vec(prop_oneof![6 => line, 1 => broken], 0..40)
        .prop_map(|lines| lines.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), line in 0..9_usize, column in 0..99_usize, length in 0..99_usize) {
        let _ = config::read(&bytes);
        let place = TextPlace { line, column, length };
        screen(&String::from_utf8_lossy(&bytes), &[Problem::new("here").at(place)]);
    }

    #[test]
    fn nearly_yaml_never_panics_and_law_8_no_message_holds_a_secret(text in nearly_yaml()) {
        let outcome = config::read(text.as_bytes());
        prop_assert!(outcome.as_ref().err().is_none_or(|problems| !problems.is_empty()));
        let problems = match outcome {
            Ok(config) => [config.problems(), config.warnings, config.notes].concat(),
            Err(problems) => problems,
        };
        for problem in &problems {
            prop_assert!(!problem.message.is_empty() && !problem.message.ends_with('.'), "{}", problem.message);
        }
        let shown = screen(&text, &problems);
        prop_assert!(!shown.contains(&SECRET[..6]), "{}", shown);
        let debug = format!("{problems:?}");
        prop_assert!(!debug.contains(&SECRET[..6]), "{}", debug);
    }

    #[test]
    fn a_good_config_cut_anywhere_never_panics(cut in 0..ALL_OPTIONS.len()) {
        whole_screen(&ALL_OPTIONS[..cut]);
    }
}

/// If a long line is cut, a mark must not point to what is before the cut.
#[test]
fn no_mark_is_parted_from_its_letter() {
    let marked = "e\u{301}".repeat(200);
    for padding in 0..200 {
        let padding = "x".repeat(padding);
        let text = format!("sync_x: {{sync_type: {padding}{marked}, nope: 1}}\n");
        crate::support::assert_no_tricks(&whole_screen(&text));
    }
}

#[test]
fn a_narrow_terminal_has_frames_that_fit() {
    let long = "x".repeat(400);
    let line = format!("sync_x: {{sync_type: ec2_ami, colour: red, sync_identifier: {long}}}");
    let problems = read(&line).problems();
    for width in [60, 100] {
        let shown = diagnostics("xrs.yaml", &line, &problems, Level::Error, false, width);
        let frames = shown.lines().filter(|line| line.contains(" | "));
        let widest = frames.map(|line| line.chars().count()).max();
        let fits = widest.is_some_and(|widest| widest <= width);
        assert!(fits, "{width}:\n{shown}");
    }
}
