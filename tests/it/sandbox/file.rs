//! Sandbox files.

use aws_xregion_sync::provider::sandbox::{FORMAT_VERSION, FailNextCopy, Fault, SnapshotType};
use proptest::prelude::*;

use super::*;

/// A world with something of everything.
fn busy() -> World {
    let mut busy = world();
    busy.add_account(&other_account());
    busy.expired_credentials.push(other_account());
    busy.fail_next_copies.push(FailNextCopy {
        region: west(),
        reason: "Internal error".to_owned(),
    });
    busy.add_region(&Region::from("me-south-1")).enabled = false;
    let sandbox = Sandbox::new(busy);
    wait(sandbox.copy(&at(west()), &the_snapshot(), None)).expect("a copy");
    copy(&sandbox, &the_image(), "t").expect("a copy");
    let mut busy = sandbox.world();
    let fault = Fault::new("CopyImage", "InternalError", "sorry", None);
    busy.faults.push(fault);
    busy
}

#[test]
fn a_world_comes_back_from_its_file_as_it_was() {
    let world = busy();
    let text = world.to_json();
    assert!(text.ends_with("}\n"), "{text}");
    assert_eq!(World::from_json(&text), Ok(world.clone()));
    assert_eq!(World::from_json(&text).expect("readable").to_json(), text);

    // Copies in progress continue where they were.
    let sandbox = Sandbox::new(world);
    wait(sandbox.pause(10 * MINUTE));
    let copies = images(&sandbox, west(), &Query::CopiedFrom(east())).expect("images");
    let [copy] = copies.try_into().expect("one copy");
    assert!(copy.state.is_available(), "{copy:?}");
}

#[test]
fn a_file_written_by_hand_can_be_short() {
    let text = include_str!("../../../testdata/worlds/short.json");
    let world = World::from_json(text).expect("readable");
    assert_eq!(world.quotas.manual_snapshots, 100);
    let sandbox = Sandbox::new(world);
    let found = snapshots(&sandbox, east(), &automated(&["mydb"]));
    assert_eq!(ids(found), ["rds:mydb-2026-01-15-05-10"]);
}

#[test]
fn a_file_of_format_1_0_is_read_and_written_in_the_current_format() {
    let text = include_str!("../../../testdata/worlds/format_1_0.json");
    let world = World::from_json(text).expect("readable");
    let json = world.to_json();
    assert!(json.contains(&format!("\"format_version\": \"{FORMAT_VERSION}\"")));
    for earlier in ["owner", "db_instance", "kind", "status", "original_created"] {
        assert!(
            !json.contains(&format!("\"{earlier}\"")),
            "{earlier}: {json}"
        );
    }
    assert_eq!(World::from_json(&json), Ok(world.clone()));

    let source = world.snapshot(&east(), &ArtifactId::from(SNAPSHOT));
    let source = source.expect("the snapshot");
    assert_eq!(source.snapshot_type, SnapshotType::Automated);
    assert_eq!(source.parent, Some(ParentId::from("mydb")));
    assert_eq!(source.parent_created, Some(time("2024-01-01T00:00:00Z")));
    assert_eq!(source.data_time, Some(time("2026-01-14T05:10:33.417Z")));
    let image = world
        .image(&east(), &ArtifactId::from(IMAGE))
        .expect("the image");
    assert_eq!(image.account, AccountId::from("999999999999"));
    assert!(image.encrypted);
    let copy = &world.regions[&west()].images[0];
    assert_eq!(copy.copied_from, Some(the_image().source.arn));

    let sandbox = Sandbox::new(world);
    wait(sandbox.pause(15 * MINUTE));
    let states = |found: Answer<Vec<Artifact>>| {
        let found = found.expect("an answer").into_iter();
        found.map(|copy| copy.state.to_string()).collect::<Vec<_>>()
    };
    let copies = images(&sandbox, west(), &Query::CopiedFrom(east()));
    assert_eq!(states(copies), ["available"]);
    assert_eq!(
        states(snapshots(&sandbox, west(), &Query::AllManual)),
        ["failed"]
    );
}

#[test]
fn text_that_is_not_json_or_not_a_world_has_a_place() {
    let place = |text: &str| {
        let problem = World::from_json(text).expect_err("damaged");
        assert!(problem.help.is_some(), "{problem}");
        let at = problem.at.expect("a place");
        (at.line, at.column, problem.message)
    };
    let end = "EOF while parsing a value".to_owned();
    assert_eq!(place(""), (1, 1, end));
    assert_eq!(place("{\n  \"now\": oops\n}").0, 2);
    let whole = world().to_json();
    let half = &whole[..whole.len() / 2];
    assert_eq!(place(half).0, half.lines().count());
    let table = r#"
        "copy_seconds" | "copy_second" | unknown field `copy_second`, expected one of
        "2026-01-15T06:00:00Z" | 7 | invalid type: integer `7`, expected a timestamp string
        "faults": [] | "faults": [7] | invalid type: integer `7`, expected an object
        "enabled": true | "enabled": "no" | invalid type: string "no", expected a boolean
    "#;
    for [from, to, message] in rows(table) {
        let misspelt = whole.replacen(from, to, 1);
        let line = misspelt.lines().position(|line| line.contains(to));
        let (at, _, found) = place(&misspelt);
        assert_eq!(Some(at - 1), line, "{to}");
        assert!(found.starts_with(message), "{found}");
    }
}

#[test]
fn other_files_and_other_formats_are_recognised() {
    let text = world().to_json();
    let newer = text.replace(&format!("\"{FORMAT_VERSION}\""), "\"3.0\"");
    let newer = newer.replace("accounts", "tenants");
    let newer = World::from_json(&newer).expect_err("a newer file");
    let help = newer.help.as_deref().unwrap_or_default();
    assert!(help.contains("the version of xrs that wrote it"), "{help}");
    let message = "its format version is \"3.0\"; this version of xrs reads \"2.0\" and \"1.0\"";
    assert_eq!(newer.message, message);
    let table = r#"
        [] | it is not a JSON object with a format_version
        {"digest": "sha256:"} | it is a plan
        {"plan_digest": ""} | it holds the results of an apply
    "#;
    for [text, message] in rows(table) {
        let problem = World::from_json(text).expect_err("another file");
        assert_eq!(problem.message, message);
        assert!(problem.help.is_some(), "{problem}");
    }
}

/// The object, the key, its new value, and the message.
const MISTAKES: &str = r#"
    | accounts | [] | accounts is empty
    | expired_credentials | ["9"] | expired_credentials: "9" is not one of the accounts
    | fail_next_copies | [{"region": "us-east-9", "reason": ""}] | the world has no region "us-east-9"
    | faults | [{"call": "Copy", "code": "", "message": ""}] | "Copy" is not one of the calls GetCallerIdentity,
    | faults | [{"call": "CopyImage", "region": "eu-9", "code": "", "message": ""}] | the world has no region "eu-9"
    /regions/us-east-1/images/0 | attributes | {"colour": "red"} | attributes: "colour" is not a filter
    /regions/us-east-1/images/0 | state | "" | ami-0123456789abcdef0 in us-east-1: the state is empty
    /regions/us-east-1/images/0 | copied_from | "ami-1" | copied_from is not the ARN
    /regions/us-east-1/snapshots/0 | id | "rds:mydb-2026-01-13-05-10" | rds:mydb-2026-01-13-05-10 in us-east-1 appears twice
    /regions/us-east-1/snapshots/0 | id | "RDS:X" | the id "RDS:X" is empty or not in lower case
    /regions/us-east-1/snapshots/0 | parent | "MyDB" | the id "MyDB" is empty or not in lower case
    /regions/us-east-1/snapshots/0 | account | "9" | "9" is not one of the accounts
    /regions/us-east-1/databases/0 | id | "MyDB" | database MyDB in us-east-1: the id "MyDB" is
    /regions/us-east-1/databases/0 | account | "9" | database mydb in us-east-1: "9" is not one
"#;

#[test]
fn mistakes_in_a_world_are_named() {
    for [object, key, value, message] in rows(MISTAKES) {
        let mut json = serde_json::to_value(world()).expect("JSON");
        let object = json.pointer_mut(object).expect("an object");
        object[key] = serde_json::from_str(value).expect(value);
        let problem = World::from_json(&json.to_string()).expect_err(message);
        assert!(problem.message.contains(message), "{message}: {problem}");
        assert!(problem.help.is_some(), "{problem}");
    }
}

proptest! {
    #[test]
    fn no_text_brings_it_down(text in ".{0,200}") {
        World::from_json(&text).expect_err("no world is that short");
    }

    #[test]
    fn no_bytes_bring_it_down(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        World::from_json(&String::from_utf8_lossy(&bytes)).expect_err("no world is that short");
    }

    /// A world with a part of its file overwritten is either refused or usable.
    #[test]
    fn no_damage_brings_it_down(
        place in 0.0..1.0f64, length in 0usize..40, instead in "[0-9a-z\",:{}\\[\\]\\-]{0,12}",
    ) {
        let whole = world().to_json();
        let from = (whole.len() as f64 * place) as usize;
        let to = (from + length).min(whole.len());
        let damaged = format!("{}{instead}{}", &whole[..from], &whole[to..]);
        if let Ok(world) = World::from_json(&damaged) {
            let sandbox = Sandbox::new(world);
            let _answer = copy(&sandbox, &the_snapshot(), "t");
            let _answer = copy(&sandbox, &the_image(), "t");
            wait(sandbox.pause(Duration::MAX));
            let _answer = snapshots(&sandbox, west(), &manual(&["mydb"]));
        }
    }
}
