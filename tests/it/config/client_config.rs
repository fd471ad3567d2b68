//! `aws_client_config`, and how its two levels are merged.

use super::*;

/// Abbreviations for settings in the tables below.
const WORDS: [(&str, &str); 6] = [
    ("KEYS", "aws_access_key: A, aws_secret_key: S"),
    ("OTHERS", "aws_access_key: B, aws_secret_key: Z"),
    ("TOKEN", "session_token: T"),
    ("ROLE", "role_arn: 'arn:aws:iam::123456789012:role/r'"),
    ("ROLF", "role_arn: 'arn:aws:iam::123456789012:role/f'"),
    ("ACCOUNT", "aws_account_id: '1234-5678-9012'"),
];

/// Returns the rows of a table, with the settings that the abbreviations stand for.
fn settings(table: &'static str) -> impl Iterator<Item = [String; 3]> {
    let replace = |cell: String, (word, settings): (&str, &str)| cell.replace(word, settings);
    let whole = move |cell: &str| WORDS.into_iter().fold(cell.to_owned(), replace);
    rows(table).map(move |row: [&str; 3]| row.map(whole))
}

/// The global settings, the job's own, and the equivalent settings of a job without global ones.
const MERGED: &str = "
    | |
    KEYS | | KEYS
    | KEYS | KEYS
    KEYS | access_key_id: B, secret_access_key: Z | OTHERS
    KEYS | aws_access_key_id: B, aws_secret_access_key: Z | OTHERS
    access_key_id: B, aws_secret_key: S | aws_access_key: A | KEYS
    aws_session_token: U, KEYS | TOKEN | KEYS, TOKEN
    aws_access_key: A | aws_secret_key: S | KEYS
    KEYS, TOKEN | profile: p | profile: p
    KEYS, TOKEN | OTHERS | OTHERS
    KEYS, TOKEN | aws_secret_key: Z | aws_access_key: A, aws_secret_key: Z
    profile: p | KEYS | KEYS
    profile: p | profile: q | profile: q
    profile: p | profile: '' | profile: p
    ROLE, external_id: e, role_session_name: s | ROLF | ROLF
    ROLE, external_id: e, role_session_name: s | external_id: f | ROLE, external_id: f, role_session_name: s
    ROLE, external_id: e | profile: p | ROLE, external_id: e, profile: p
    ACCOUNT | | aws_account_id: 123456789012
    ACCOUNT | profile: p | profile: p
    ACCOUNT | KEYS | KEYS
    ACCOUNT | ROLF | ROLF
    ACCOUNT | max_attempts: 4 | ACCOUNT, max_attempts: 4
    ACCOUNT | profile: p, aws_account_id: 2109-8765-4321 | aws_account_id: '210987654321', profile: p
    max_attempts: 4, read_timeout: 1.5 | max_attempts: 2 | max_attempts: 2, read_timeout: '1.5'
    use_fips_endpoint: true | use_fips_endpoint: false | use_fips_endpoint: false
    use_fips_endpoint: true | use_dualstack_endpoint: TRUE | use_fips_endpoint: true, use_dualstack_endpoint: true
    endpoint_url: 'http://a' | endpoint_url: 'http://b:80' | endpoint_url: 'http://b:80'
    read_deadline: 60 | read_deadline: 90 | read_deadline: '90'
    http_proxy: 'http://a' | http_proxy: 'http://u:p@b:80' | http_proxy: 'http://u:p@b:80'
    endpoint_url: 'http://a' | ec2_endpoint: 'http://b' | endpoint_url: 'http://a', ec2_endpoint: 'http://b'
    connect_timeout: 3 | | connect_timeout: '3'";

#[test]
fn a_jobs_own_settings_win_key_by_key_and_disable_what_contradicts_them() {
    for [global, own, expected] in settings(MERGED) {
        let settings = merged(&global, &own).expect(&own);
        let expected = merged("", &expected).expect(&expected);
        assert_eq!(settings, expected, "{global} | {own}");
    }
    let token = merged("", &format!("{}, {}", WORDS[0].1, WORDS[2].1));
    assert_eq!(token.expect("valid").session_token, Some(Secret::new("T")));
}

/// The global settings, the job's own, and the message.
const CONTRADICTIONS: &str = "
    | aws_access_key: A | aws_client_config of sync_x has an access key but no secret key
    | aws_secret_key: A | aws_client_config of sync_x has a secret key but no access key
    | aws_access_key: A, aws_secret_key: '' | aws_client_config of sync_x has an access key but no secret key
    | TOKEN | aws_client_config of sync_x has a session token but no keys
    aws_access_key: A | | the global aws_client_config has an access key but no secret key
    profile: p | TOKEN | aws_client_config of sync_x has a session token but no keys
    | profile: p, aws_secret_key: A | aws_client_config of sync_x has both keys and a `profile`
    | profile: p, TOKEN | aws_client_config of sync_x has both keys and a `profile`
    profile: p, access_key_id: A | profile: q | the global aws_client_config has both keys and a `profile`
    | access_key_id: A, OTHERS | options `access_key_id` and `aws_access_key` of aws_client_config of sync_x mean the same, but differ";

#[test]
fn contradictions_are_refused() {
    for [global, own, expected] in settings(CONTRADICTIONS) {
        let problems = merged(&global, &own).expect_err(&own);
        let messages: Vec<&str> = problems
            .iter()
            .map(|problem| problem.message.as_str())
            .collect();
        assert_eq!(messages, [expected]);
        assert!(problems.iter().all(|problem| problem.at.is_some()));
    }
}

#[test]
fn values_are_checked() {
    let must = |option: &str, value: &str, must_be: &str| {
        let message = merged("", &format!("{option}: {value}"))
            .expect_err(value)
            .remove(0)
            .message;
        let start = format!("option `{option}` of aws_client_config of sync_x must be {must_be}");
        assert!(message.starts_with(&start), "{message}");
    };
    let timeout = "a number of seconds, above 0 and at most 86400, not ";
    for wrong in "0 -1 0.0 abc inf NaN 86401 [1] .nan".split(' ') {
        must("read_timeout", wrong, timeout);
    }
    let attempts = "a whole number from 1 to 4294967295, not 0";
    must("max_attempts", "0", attempts);
    for role in each(
        "xrs | arn:aws:iam::1234:role/xrs | arn:aws:iam::123456789012:user/xrs | arn:aws:iam::123456789012:role/ |
         arn:aws:iam:us-east-1:123456789012:role/xrs",
    ) {
        let must_be = format!("the ARN of an IAM role, not {role}");
        must("role_arn", role, &must_be);
    }
    must("role_arn", "[x]", "text, not a list");
    for account in ["123", "1234-5678-90123", "none"] {
        let must_be = format!("an account id of 12 digits, not {account}");
        must("aws_account_id", account, &must_be);
    }
    must("aws_access_key", "{a: b}", "text");
    let one_line = "text without control characters and line breaks";
    must("aws_secret_key", "\"a\\nb\"", one_line);
    let not_a_mapping = read("{aws_client_config: [], sync_x: {}}").problems();
    let message = "the global aws_client_config must be a mapping, not a list";
    assert_eq!(not_a_mapping[0].message, message);
}

#[test]
fn an_endpoint_is_a_url_with_a_host() {
    for valid in each(
        "http://localhost:5000 | https://rds.internal | http://127.0.0.1:4566/aws | http://[::1]:5000 | http://[::1] |
         https://vpce-1_a.example.com/",
    ) {
        let settings = merged("", &format!("endpoint_url: '{valid}'")).expect(valid);
        assert_eq!(settings.endpoint_url.as_deref(), Some(valid));
    }
    for invalid in each(
        "localhost:5000 | ftp://host | http:// | http://:80 | http://host: | http://host:0 | http://host:+80 |
         http://host:99999 | http://a b | http://[::1 | http://[x] | http://user:pw@host | http://host?x=1 |
         http://.host",
    ) {
        let problems = merged("", &format!("endpoint_url: '{invalid}'")).expect_err(invalid);
        assert_says(&problems[0].message, " must be a URL ");
    }
}

#[test]
fn options_of_the_ruby_sdk_are_accepted_with_a_note() {
    let options = "region: x, logger: x, max_retries: 5, http_open_timeout: 5, http_read_timeout: 5, ssl_verify_peer: false, \
                   proxy_uri: x, ssl_ca_file: x, endpoint: x, user_agent_prefix: x, log_level: x, http_wire_trace: true, external_id: e";
    let text = format!("{{aws_client_config: {{{options}}}, sync_x: {{{AMI}}}}}");
    valid(&text);
    let line = |note: &Problem| {
        let help = note.help.as_deref().unwrap_or_default();
        format!("{}: {help}", note.message)
    };
    let lines: Vec<String> = read(&text).notes.iter().map(line).collect();
    insta::assert_snapshot!("options_of_the_ruby_sdk", lines.join("\n"));
}

#[test]
fn the_same_database_may_be_synced_with_two_configs_but_not_twice_with_one() {
    let jobs = |one: &str, two: &str| {
        let job = |settings: &str| {
            format!("{{{DATABASE}, db_instance: d, aws_client_config: {{{settings}}}}}")
        };
        read(&format!("sync_a: {}\nsync_b: {}\n", job(one), job(two))).jobs
    };
    // Whether the second job is marked, if it is valid.
    let second = |one: &str, two: &str| match jobs(one, two).remove(1) {
        ConfiguredJob::Valid(job) => Some(job.has_shared_parent_name),
        ConfiguredJob::Invalid { .. } => None,
    };
    assert_eq!(second("", ""), None);
    assert_eq!(second("profile: p", "profile: p"), None);
    assert_eq!(second("profile: p", "profile: q"), Some(true));
    assert_eq!(second("read_timeout: 1", ""), Some(true));
    let (one, two) = (
        "aws_account_id: 123456789012",
        "aws_account_id: 210987654321",
    );
    assert_eq!(second(one, two), Some(false));
    assert_eq!(second(one, ""), Some(true));
}
