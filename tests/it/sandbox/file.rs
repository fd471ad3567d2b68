//! World files.

use aws_xregion_sync::provider::sandbox::{FORMAT_VERSION, FailNextCopy, Fault};
use proptest::prelude::*;

use super::*;

#[test]
fn a_world_in_full_use_comes_back_from_its_file_as_it_was() {
    let mut busy = world();
    busy.add_account(&AccountId::from("432143214321"));
    busy.expired_credentials
        .push(AccountId::from("432143214321"));
    busy.fail_next_copies.push(FailNextCopy {
        region: west(),
        reason: "Internal error".to_owned(),
    });
    busy.faults
        .push(Fault::new("CopyImage", "InternalError", "sorry", None));
    busy.add_region(&Region::from("me-south-1")).enabled = false;
    let sandbox = Sandbox::new(busy);
    wait(sandbox.copy_snapshot(&at(west()), &the_snapshot())).expect("a copy");
    sandbox.edit(|world| world.faults.clear());
    wait(sandbox.copy_image(&at(west()), &the_image(), "t")).expect("a copy");
    let world = sandbox.world();
    let text = world.to_json();
    assert!(text.ends_with("}\n"), "{text}");
    assert_eq!(World::from_json(&text), Ok(world.clone()));
    assert_eq!(World::from_json(&text).expect("readable").to_json(), text);

    // The copies under way go on where they were.
    let sandbox = Sandbox::new(world);
    wait(sandbox.pause(10 * MINUTE));
    let copies = wait(sandbox.image_copies(&at(west()), &east(), &[the_image().source_image_id]))
        .expect("images");
    assert!(
        copies.iter().all(|image| image.state.is_available()),
        "{copies:?}"
    );
}

#[test]
fn a_file_written_by_hand_can_be_short() {
    let text = include_str!("../../../testdata/worlds/short.json");
    let world = World::from_json(text).expect("readable");
    assert_eq!(world.quotas.manual_snapshots, 100);
    let sandbox = Sandbox::new(world);
    let found = wait(sandbox.automated_snapshots(&at(east()), &[DbInstance::from("mydb")]))
        .expect("snapshots");
    assert_eq!(found.len(), 1);
}

#[test]
fn a_file_that_is_no_json_or_not_a_world_says_where() {
    let place = |text: &str| {
        let problem = World::from_json(text).expect_err("damaged");
        assert!(problem.help.is_some(), "{problem}");
        let at = problem.at.expect("a place");
        (at.line, at.column, problem.message)
    };
    assert_eq!(place(""), (1, 1, "EOF while parsing a value".to_owned()));
    assert_eq!(place("{\n  \"now\": oops\n}").0, 2);
    let whole = world().to_json();
    let half = &whole[..whole.len() / 2];
    assert_eq!(place(half).0, half.lines().count());
    let misspelt = whole.replace("\"copy_seconds\"", "\"copy_second\"");
    let (line, _, message) = place(&misspelt);
    let expected = misspelt
        .lines()
        .position(|line| line.contains("copy_second"))
        .expect("it is there")
        + 1;
    assert_eq!(line, expected);
    assert!(
        message.starts_with("unknown field `copy_second`, expected one of"),
        "{message}"
    );
    let (line, ..) = place(&whole.replace("2026-01-15T06:00:00Z", "yesterday"));
    assert_eq!(line, 3);
}

#[test]
fn another_format_version_is_said_to_be_one() {
    let text = world()
        .to_json()
        .replace(&format!("\"{FORMAT_VERSION}\""), "\"2.0\"")
        .replace("accounts", "tenants");
    let problem = World::from_json(&text).expect_err("another version");
    assert_eq!(
        problem.to_string(),
        "its format version is \"2.0\", and this xrs reads \"1.0\"",
        "and not that a field is unknown"
    );
    assert!(
        problem
            .help
            .is_some_and(|help| help.contains("the version of xrs that wrote it"))
    );
}

#[test]
fn what_is_well_formed_and_makes_no_sense_is_said_by_name() {
    type Change = fn(&mut World);
    let cases: [(&str, Change); 18] = [
        ("accounts is empty", |world| world.accounts.clear()),
        ("accounts: \"123456789012\" stands twice", |world| {
            world.accounts.push(account())
        }),
        ("accounts: \"me\" is no account id", |world| {
            world.accounts.push(AccountId::from("me"))
        }),
        ("outside the years 2000 to 2999", |world| {
            world.now = Timestamp::MAX
        }),
        ("copy_seconds is more than a year", |world| {
            world.copy_seconds = u64::MAX
        }),
        (
            "expired_credentials: \"1\" is not one of the accounts",
            |world| {
                world.expired_credentials.push(AccountId::from("1"));
            },
        ),
        (
            "fail_next_copies: the world has no region \"us-east-9\"",
            |world| {
                world.fail_next_copies.push(FailNextCopy {
                    region: Region::from("us-east-9"),
                    reason: String::new(),
                });
            },
        ),
        (
            "faults: \"DescribeImage\" is not one of the calls",
            |world| {
                world
                    .faults
                    .push(Fault::new("DescribeImage", "Throttling", "", None));
            },
        ),
        ("faults: one of CopyImage has no code", |world| {
            world.faults.push(Fault::new("CopyImage", "", "", None))
        }),
        ("faults: the world has no region \"us-east-9\"", |world| {
            let fault = Fault::new("CopyImage", "Throttling", "", None);
            world.faults.push(Fault {
                region: Some(Region::from("us-east-9")),
                ..fault
            });
        }),
        ("regions: \"the moon\" is no region code", |world| {
            world.add_region(&Region::from("the moon"));
        }),
        (
            "images of us-east-1: \"ami-0123456789abcdef0\" stands twice",
            |world| {
                let images = &mut world.add_region(&east()).images;
                images.extend_from_within(..1);
            },
        ),
        (
            "image ami-0123456789abcdef0 of us-east-1: attributes: \"colour\"",
            |world| {
                let image = world
                    .image_mut(&east(), &ImageId::from("ami-0123456789abcdef0"))
                    .expect("the image");
                image
                    .attributes
                    .insert("colour".to_owned(), "red".to_owned());
            },
        ),
        ("snapshots of us-east-1", |world| {
            let snapshots = &mut world.add_region(&east()).snapshots;
            snapshots.extend_from_within(..1);
        }),
        (
            "snapshots of us-east-1: id: \"RDS:X\" is not in lower case",
            |world| {
                world.add_region(&east()).snapshots[0].id = SnapshotId::from("RDS:X");
            },
        ),
        ("\"9\" is not one of the accounts", |world| {
            world.add_region(&east()).snapshots[0].account = AccountId::from("9");
        }),
        ("copied_from is no ARN of a snapshot", |world| {
            world.add_region(&east()).snapshots[0].copied_from =
                Some(SnapshotArn::from("rds:mydb"));
        }),
        (
            "databases of us-east-1: \"MyDB\" is not in lower case",
            |world| {
                world.add_region(&east()).databases[0].id = DbInstance::from("MyDB");
            },
        ),
    ];
    for (said, change) in cases {
        let mut world = world();
        change(&mut world);
        let problem = World::from_json(&world.to_json()).expect_err(said);
        assert!(problem.message.contains(said), "{said}: {problem}");
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

    /// A world with one place of its file overwritten is refused, or it is a world that can be used.
    #[test]
    fn no_damage_brings_it_down(place in 0.0..1.0f64, length in 0usize..40, instead in "[0-9a-z\",:{}\\[\\]\\-]{0,12}") {
        let whole = world().to_json();
        let from = (whole.len() as f64 * place) as usize;
        let to = (from + length).min(whole.len());
        let damaged = format!("{}{instead}{}", &whole[..from], &whole[to..]);
        if let Ok(world) = World::from_json(&damaged) {
            let sandbox = Sandbox::new(world);
            let _answer = wait(sandbox.copy_snapshot(&at(west()), &the_snapshot()));
            let _answer = wait(sandbox.copy_image(&at(west()), &the_image(), "t"));
            wait(sandbox.pause(Duration::MAX));
            let _answer = wait(sandbox.manual_snapshots(&at(west()), &[DbInstance::from("mydb")]));
        }
    }
}
