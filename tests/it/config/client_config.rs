//! `aws_client_config`, and what its two levels come to.

use super::*;

/// The settings in the words of the config, secrets included: this is a test.
fn words(config: &ClientConfig) -> String {
    let ClientConfig {
        access_key,
        secret_key,
        session_token,
        account_id,
        profile,
        role_arn,
        external_id,
        role_session_name,
        endpoint_url,
        use_fips_endpoint,
        use_dualstack_endpoint,
        max_attempts,
        connect_timeout,
        read_timeout,
    } = config.clone();
    let secret = |secret: Option<Secret>| secret.map(|secret| secret.expose().to_owned());
    let words = [
        ("access", secret(access_key)),
        ("secret", secret(secret_key)),
        ("token", secret(session_token)),
        ("account", account_id.map(|id| id.to_string())),
        ("profile", profile),
        (
            "role",
            role_arn.map(|arn| arn.rsplit('/').next().unwrap_or_default().to_owned()),
        ),
        ("external", external_id),
        ("session", role_session_name),
        ("endpoint", endpoint_url),
        ("fips", use_fips_endpoint.map(|flag| flag.to_string())),
        (
            "dualstack",
            use_dualstack_endpoint.map(|flag| flag.to_string()),
        ),
        ("attempts", max_attempts.map(|n| n.to_string())),
        ("connect", connect_timeout.map(|t| format!("{t:?}"))),
        ("read", read_timeout.map(|t| format!("{t:?}"))),
    ];
    let given = words
        .into_iter()
        .filter_map(|(word, value)| Some(format!("{word}={}", value?)));
    given.collect::<Vec<_>>().join(" ")
}

/// Each row: the global settings, the job's own, and what is in force.
#[test]
fn a_jobs_own_settings_win_key_by_key_and_put_out_of_force_what_goes_against_them() {
    const KEYS: &str = "aws_access_key: A, aws_secret_key: S";
    const TOKEN: &str = "aws_access_key: A, aws_secret_key: S, session_token: T";
    const ROLE: &str =
        "role_arn: 'arn:aws:iam::123456789012:role/r', external_id: e, role_session_name: s";
    let rows = [
        ("", "", ""),
        (KEYS, "", "access=A secret=S"),
        ("", KEYS, "access=A secret=S"),
        // Aliases are made one first.
        (
            KEYS,
            "access_key_id: B, secret_access_key: Z",
            "access=B secret=Z",
        ),
        (
            KEYS,
            "aws_access_key_id: B, aws_secret_access_key: Z",
            "access=B secret=Z",
        ),
        (
            "access_key_id: B, aws_secret_key: S",
            "aws_access_key: A",
            "access=A secret=S",
        ),
        (
            "aws_session_token: U, access_key_id: A, aws_secret_key: S",
            "session_token: T",
            "access=A secret=S token=T",
        ),
        (
            "aws_access_key: A",
            "aws_secret_key: S",
            "access=A secret=S",
        ),
        // A profile puts keys and token out of force, keys put profile and token out of force.
        (TOKEN, "profile: p", "profile=p"),
        (
            TOKEN,
            "aws_access_key: B, aws_secret_key: Z",
            "access=B secret=Z",
        ),
        (TOKEN, "aws_secret_key: Z", "access=A secret=Z"),
        ("profile: p", KEYS, "access=A secret=S"),
        ("profile: p", "profile: q", "profile=q"),
        // A role puts the global external id and session name out of force.
        (
            ROLE,
            "role_arn: 'arn:aws:iam::123456789012:role/q'",
            "role=q",
        ),
        (ROLE, "external_id: f", "role=r external=f session=s"),
        (ROLE, "profile: p", "profile=p role=r external=e session=s"),
        // Whoever changes who they are may be in another account.
        ("aws_account_id: 1234-5678-9012", "", "account=123456789012"),
        ("aws_account_id: 1234-5678-9012", "profile: p", "profile=p"),
        ("aws_account_id: 1234-5678-9012", KEYS, "access=A secret=S"),
        (
            "aws_account_id: 1234-5678-9012",
            "role_arn: 'arn:aws:iam::123456789012:role/q'",
            "role=q",
        ),
        (
            "aws_account_id: 1234-5678-9012",
            "max_attempts: 4",
            "account=123456789012 attempts=4",
        ),
        (
            "aws_account_id: 1234-5678-9012",
            "profile: p, aws_account_id: 2109-8765-4321",
            "account=210987654321 profile=p",
        ),
        // All else is overlaid.
        (
            "max_attempts: 4, read_timeout: 1.5",
            "max_attempts: 2",
            "attempts=2 read=1.5s",
        ),
        (
            "use_fips_endpoint: true",
            "use_fips_endpoint: false, use_dualstack_endpoint: TRUE",
            "fips=false dualstack=true",
        ),
        (
            "endpoint_url: 'http://a'",
            "endpoint_url: 'http://b:80', connect_timeout: '3'",
            "endpoint=http://b:80 connect=3s",
        ),
    ];
    for (global, own, expected) in rows {
        let merged =
            merged(global, own).unwrap_or_else(|problems| panic!("{global} | {own}: {problems:?}"));
        assert_eq!(words(&merged), expected, "{global} | {own}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let rows = [
        (
            "",
            "aws_access_key: A",
            "aws_client_config of sync_x has an access key but no secret key",
        ),
        (
            "",
            "aws_secret_key: A",
            "aws_client_config of sync_x has a secret key but no access key",
        ),
        (
            "",
            "session_token: A",
            "aws_client_config of sync_x has a session token but no keys",
        ),
        (
            "aws_access_key: A",
            "",
            "the global aws_client_config has an access key but no secret key",
        ),
        (
            "profile: p",
            "session_token: A",
            "aws_client_config of sync_x has a session token but no keys",
        ),
        (
            "",
            "profile: p, aws_secret_key: A",
            "aws_client_config of sync_x has both keys and a `profile`",
        ),
        (
            "",
            "profile: p, session_token: A",
            "aws_client_config of sync_x has both keys and a `profile`",
        ),
        (
            "profile: p, access_key_id: A",
            "profile: q",
            "the global aws_client_config has both keys and a `profile`",
        ),
        (
            "",
            "access_key_id: A, aws_access_key: B, aws_secret_key: C",
            "options `access_key_id` and `aws_access_key` of aws_client_config of sync_x mean the same, but differ",
        ),
    ];
    for (global, own, expected) in rows {
        let problems = merged(global, own).expect_err(expected);
        assert_eq!(
            problems
                .iter()
                .map(|problem| problem.message.as_str())
                .collect::<Vec<_>>(),
            [expected]
        );
        assert!(problems.iter().all(|problem| problem.at.is_some()));
    }
}

#[test]
fn values_are_checked() {
    let message = |own: &str| merged("", own).expect_err(own).remove(0).message;
    let of = "of aws_client_config of sync_x must be";
    for timeout in [
        "0", "-1", "0.0", "abc", "1e3", "inf", "NaN", "86401", "''", "[1]",
    ] {
        assert!(
            message(&format!("read_timeout: {timeout}")).contains("a number of seconds"),
            "{timeout}"
        );
    }
    assert_eq!(
        message("max_attempts: 0"),
        format!("option `max_attempts` {of} at least 1, not 0")
    );
    assert_eq!(
        message("endpoint_url: localhost"),
        format!("option `endpoint_url` {of} a URL that starts with http:// or https://")
    );
    for role in [
        "xrs",
        "arn:aws:iam::1234:role/xrs",
        "arn:aws:iam::123456789012:user/xrs",
        "arn:aws:iam::123456789012:role/",
    ] {
        let expected = format!("option `role_arn` {of} the ARN of an IAM role, not {role}");
        assert_eq!(message(&format!("role_arn: {role}")), expected);
    }
    assert_eq!(
        message("role_arn: [x]"),
        format!("option `role_arn` {of} a text, not a list")
    );
    for account in ["123", "1234-5678-90123", "none"] {
        assert!(
            message(&format!("aws_account_id: {account}")).contains("an account id of 12 digits"),
            "{account}"
        );
    }
    assert_eq!(
        message("aws_access_key: ''"),
        format!("option `aws_access_key` {of} a text that is not empty, on one line")
    );
    let not_a_mapping = read("{aws_client_config: [], sync_x: {}}").problems();
    assert_eq!(
        not_a_mapping[0].message,
        "the global aws_client_config must be a mapping of settings, not a list"
    );
}

#[test]
fn options_of_the_ruby_sdk_are_accepted_with_a_note() {
    let options = "region: x, logger: x, max_retries: 5, http_open_timeout: 5, http_read_timeout: 5, ssl_verify_peer: false, \
                   proxy_uri: x, user_agent_prefix: x, log_level: x, http_wire_trace: true, external_id: e";
    let text = format!(
        "{{aws_client_config: {{{options}}}, sync_x: {{sync_type: ec2_ami, source_region: us-east-1, destination_region: us-west-1}}}}"
    );
    valid(&text);
    let said = |note: &Problem| {
        format!(
            "{}: {}",
            note.message,
            note.help.as_deref().unwrap_or_default()
        )
    };
    insta::assert_snapshot!(
        "options_of_the_ruby_sdk",
        read(&text)
            .notes
            .iter()
            .map(said)
            .collect::<Vec<_>>()
            .join("\n")
    );
}

#[test]
fn the_same_database_may_be_synced_as_two_people_but_not_twice_as_one() {
    let job = |settings: &str| {
        format!(
            "{{sync_type: rds_automated_snapshot, source_region: us-east-1, destination_region: us-west-1, db_instance: d, aws_client_config: {{{settings}}}}}"
        )
    };
    let broken = |one: &str, two: &str| {
        let text = format!("sync_a: {}\nsync_b: {}\n", job(one), job(two));
        read(&text)
            .jobs
            .into_iter()
            .filter(|job| matches!(job, ConfiguredJob::Invalid { .. }))
            .count()
    };
    assert_eq!(broken("", ""), 1);
    assert_eq!(broken("profile: p", "profile: p"), 1);
    assert_eq!(broken("profile: p", "profile: q"), 0);
    assert_eq!(broken("read_timeout: 1", ""), 0);
    assert_eq!(
        merged("", "read_timeout: 0.25")
            .expect("valid")
            .read_timeout,
        Some(Duration::from_millis(250))
    );
}
