//! Law 6: unknown is not absent. A throttle, a denial or a timeout never leads to a copy or a deletion; the job fails with an error
//! that names the call and the region, and quotes AWS's code and message.
//!
//! More tests are in `batches.rs` (reads that jobs share), `waiting/reads.rs` (reads while waiting for copies) and
//! `moto/batches.rs` (pages), and next to the code in `provider/aws`.

use std::sync::Arc;

use crate::support::*;

const READS: [&str; 3] = ["DescribeImages", "DescribeDBSnapshots", "GetCallerIdentity"];

/// Errors that do not reveal what exists.
const UNKNOWN: [(&str, &str); 5] = [
    ("RequestLimitExceeded", "Request limit exceeded."),
    ("Throttling", "Rate exceeded"),
    (
        "UnauthorizedOperation",
        "You are not authorized to perform this operation.",
    ),
    (
        "InternalFailure",
        "The request processing has failed because of an unknown error.",
    ),
    (
        "ExpiredToken",
        "The security token included in the request is expired",
    ),
];

/// Returns true if a job needs the answer to this read.
fn needs(job: &str, read: &str) -> bool {
    match read {
        "DescribeImages" => job == "sync_my_web_app",
        "DescribeDBSnapshots" => job == "sync_my_database",
        _ => true,
    }
}

#[test]
fn law_6_a_read_that_fails_never_leads_to_a_copy_or_a_deletion() {
    for call in READS {
        for region in [east(), west()] {
            for (code, message) in UNKNOWN {
                let (sandbox, jobs) = both_types();
                let fault = in_region(&region, Fault::new(call, code, message, None));
                sandbox.edit(|world| world.faults.push(fault));
                for job in &plan(&sandbox, &jobs).jobs {
                    // The identity is requested only in the destination.
                    let is_asked = call != "GetCallerIdentity" || region == west();
                    let is_concerned = is_asked && needs(job.name.as_str(), call);
                    let context = format!("{call} in {region} answers {code}: {job:?}");
                    assert_eq!(job.outcome == Outcome::Failed, is_concerned, "{context}");
                    assert_eq!(job.actions.is_empty(), is_concerned, "{context}");
                    if is_concerned {
                        let aws = job.errors[0].aws.as_ref().expect("AWS's error");
                        let asked = (aws.call.as_str(), &aws.region);
                        assert_eq!(asked, (call, &region), "{context}");
                        let answer = (aws.code.as_str(), aws.message.as_str());
                        assert_eq!(answer, (code, message), "{context}");
                    }
                }
            }
        }
    }
}

#[test]
fn law_6_a_read_that_fails_before_an_action_stops_that_action() {
    for call in READS {
        // Expired credentials stop more than one job; there is a separate test for that.
        let others = |(code, _): &(&str, &str)| *code != "ExpiredToken";
        for (code, message) in UNKNOWN.into_iter().filter(others) {
            let (sandbox, jobs) = both_types();
            let planned = plan(&sandbox, &jobs);
            sandbox.edit(|world| world.faults.push(Fault::new(call, code, message, None)));
            for result in apply(&sandbox, &planned, &jobs) {
                let is_concerned = needs(result.name.as_str(), call);
                let context = format!("{call} answers {code}: {result:?}");
                assert_eq!(result.failed(), is_concerned, "{context}");
                if is_concerned {
                    let mut outcomes = outcomes(&result).into_iter();
                    let is_skipped = |outcome| outcome == ActionOutcome::Skipped;
                    assert!(outcomes.all(is_skipped), "{context}");
                    let aws = result.errors[0].aws.as_ref().expect("AWS's error");
                    assert_eq!(aws.code, code);
                }
            }
            let is_forbidden = |write: &str| match call {
                "DescribeImages" => write == "CopyImage",
                "DescribeDBSnapshots" => write.contains("DBSnapshot"),
                _ => true,
            };
            for write in writes(&sandbox) {
                assert!(!is_forbidden(&write), "{write}");
            }
        }
    }
}

/// The call that returns the resources that use an image.
const REFERENCES: &str = "DescribeImageReferences";

#[test]
fn law_6_no_image_is_deleted_while_it_is_unknown_whether_it_is_in_use() {
    for (code, message) in UNKNOWN {
        let mut world = copied_images(0..5);
        world
            .faults
            .push(Fault::new(REFERENCES, code, message, None));
        let planned = Planned::new(world, [retaining_job(2)]);
        let job = &planned.plan.jobs[0];
        assert_eq!((job.outcome, job.errors.len()), (Outcome::UpToDate, 0));
        let kept = job.kept.iter().map(|kept| kept.id.as_str());
        assert_eq!(kept.collect::<Vec<_>>(), ["ami-c04", "ami-c03"]);
        let warnings: Vec<&String> = job.warnings.iter().collect();
        assert_eq!(warnings.len(), 1, "one for all: {warnings:?}");
        assert_says(
            warnings[0],
            &format!("{REFERENCES} in us-west-1: {code}: {message}"),
        );
        let help = "allow ec2:DescribeImageReferences";
        assert_eq!(warnings[0].contains(help), code == "UnauthorizedOperation");
    }
}

#[test]
fn law_6_an_image_is_not_deleted_if_its_users_can_not_be_read_again() {
    for (code, message) in UNKNOWN {
        let planned = Planned::new(copied_images(1..6), [retaining_job(2)]);
        assert_eq!(planned.plan.summary.delete, 3);
        let fault = Fault::new(REFERENCES, code, message, None);
        planned.sandbox.edit(|world| world.faults.push(fault));
        let result = &planned.apply()[0];
        assert!(result.failed(), "{code}");
        assert!(
            created(result).is_some(),
            "{code}: the copy does not depend on it"
        );
        let outcomes = outcomes(result);
        assert_eq!(outcomes[2..], [ActionOutcome::Skipped; 3], "{code}");
        let aws = result.errors[0].aws.as_ref().expect("AWS's error");
        assert_eq!((aws.call.as_str(), aws.code.as_str()), (REFERENCES, code));
        assert!(!writes(&planned.sandbox).contains(&"DeregisterImage".to_owned()));
    }
}

#[test]
fn law_6_with_wait_the_users_of_images_are_read_until_they_are_known() {
    let planned = Planned::new(copied_images(0..5), [retaining_job(2)]);
    let fault = Fault::new(REFERENCES, "RequestLimitExceeded", "slow down", Some(3));
    planned.sandbox.edit(|world| world.faults.push(fault));
    let results = planned.wait(Wait::ToTheEnd);
    no_failures(&results);
    assert_eq!(results[0].deleted_resources.len(), 2);
}

#[test]
fn law_6_users_of_more_images_than_one_call_takes_are_read() {
    let mut world = copied_images(0..15);
    copied_image_mut(&mut world, "ami-c14").references = vec!["instance i-1".to_owned()];
    let planned = Planned::new(world, [retaining_job(0)]);
    assert_eq!(planned.calls(REFERENCES).len(), 2);
    assert_eq!(planned.plan.summary.delete, 13);
    // An image that is gone when its users are read does not affect the others.
    planned.sandbox.edit(|world| {
        destination(world)
            .images
            .retain(|image| image.id.as_str() != "ami-c13");
    });
    let outcomes = outcomes(&planned.succeeds()[0]);
    assert_eq!(outcomes[0], ActionOutcome::AlreadyDone);
    assert_eq!(outcomes[1..], [ActionOutcome::Done; 12]);
}

#[test]
fn law_6_a_failed_read_of_earlier_copies_fails_the_job() {
    for times in [1, 2, 3] {
        let mut world = copied_images(0..5);
        let fault = Fault::new("DescribeImages", "Throttling", "Rate exceeded", Some(times));
        world.faults.push(in_region(&west(), fault));
        let planned = Planned::new(world, [retaining_job(2)]);
        assert_eq!(planned.plan.jobs[0].outcome, Outcome::Failed, "{times}");
    }
}

#[test]
fn law_6_deletions_are_preceded_by_reads_of_their_own() {
    let (sandbox, jobs) = both_types();
    let planned = Planned::new(sandbox.world(), jobs);
    let before = planned.calls("DescribeDBSnapshots").len();
    let refused = Fault::new("AddTagsToResource", "AccessDenied", "no", Some(1));
    let refused = in_region(&east(), refused);
    planned.sandbox.edit(|world| world.faults.push(refused));
    let results = planned.succeeds();
    assert_says(&results[1].warnings.join("\n"), "AccessDenied");
    let deleted = results[1].deleted_resources.len();
    assert_eq!(deleted, 2, "a refused tag of the source stops nothing");
    // Two reads before the copy, two before the deletions.
    let reads = planned.calls("DescribeDBSnapshots").len();
    assert_eq!(reads - before, 4);
}

#[test]
fn law_6_a_throttle_on_one_of_two_jobs_for_a_database_lets_the_other_delete_nothing() {
    let sandbox = Sandbox::new(copied("db", 0..6));
    let mut second = snapshot_job("sync_second", "db", 0);
    second.client_config = Arc::new(ClientConfig {
        max_attempts: Some(2),
        ..ClientConfig::default()
    });
    let jobs = [snapshot_job("sync_first", "db", 10), second];
    let undisturbed = plan(&sandbox, &jobs);
    assert_eq!(job(&undisturbed, "sync_second").outcome, Outcome::Failed);
    let (code, message) = ("Throttling", "Rate exceeded");
    let throttle = Fault::new("DescribeDBSnapshots", code, message, Some(1));
    sandbox.edit(|world| world.faults.push(throttle));
    assert_eq!(deletions(&plan(&sandbox, &jobs)), NONE);
}

#[test]
fn law_6_copies_that_a_job_may_need_stay_while_it_can_not_be_read() {
    let other_settings = || {
        Arc::new(ClientConfig {
            max_attempts: Some(2),
            ..ClientConfig::default()
        })
    };
    let mut images = [ami_job("sync_old", "Web"), retaining_job(2)];
    change_ami(&mut images[0], |ami| {
        ami.sync_identifier = None;
        ami.filters = vec![ImageFilter {
            name: "name".to_owned(),
            values: vec!["old*".to_owned()],
        }];
    });
    images[0].client_config = other_settings();
    let mut databases = [
        snapshot_job("sync_first", "db", 10),
        snapshot_job("sync_second", "db", 0),
    ];
    databases[0].client_config = other_settings();
    let mut world = copied("db", 0..6);
    world.region_mut(&west()).expect("it").images = copied_images(0..5)
        .region(&west())
        .expect("it")
        .images
        .clone();
    add_image(&mut world, "ami-00", "web", "Web");
    image_mut(&mut world, "ami-00").created = Some(days_ago(0));
    for (jobs, call, at) in [
        (&images, "GetCallerIdentity", west()),
        (&images, "DescribeImages", east()),
        (&databases, "GetCallerIdentity", west()),
    ] {
        let sandbox = Sandbox::new(world.clone());
        let throttle = Fault::new(call, "Throttling", "Rate exceeded", Some(1));
        sandbox.edit(|world| world.faults.push(in_region(&at, throttle)));
        let planned = plan(&sandbox, jobs);
        let [first, second] = &*planned.jobs else {
            panic!("{planned:?}");
        };
        assert_eq!(first.outcome, Outcome::Failed, "{call}");
        assert_ne!(
            second.outcome,
            Outcome::Failed,
            "{call}: {:?}",
            second.errors
        );
        assert_eq!(deletions(&planned), NONE, "{call}");
        assert_says(
            &second.warnings.join("\n"),
            &format!(
                "because the reads for {}, which may need them, failed",
                first.name
            ),
        );
    }
}

#[test]
fn law_6_an_image_that_is_listed_and_absent_at_once_stays() {
    for when_applied in [false, true] {
        let planned = |faults| {
            let mut world = copied_images(0..5);
            world.faults = faults;
            Planned::new(world, [retaining_job(2)])
        };
        let absent = || vec![Fault::new(REFERENCES, "InvalidAMIID.NotFound", "no", None)];
        let planned = planned(if when_applied { Vec::new() } else { absent() });
        planned.sandbox.edit(|world| world.faults = absent());
        planned.apply();
        assert_eq!(copied_image_ids(&planned.sandbox).len(), 5);
    }
}

#[test]
fn law_6_the_account_of_the_config_stands_in_only_where_sts_leaves_nothing_else_open() {
    for (code, stands_in) in [
        ("AccessDenied", true),
        ("InternalFailure", true),
        ("Throttling", false),
        ("ExpiredToken", false),
    ] {
        let (sandbox, mut jobs) = both_types();
        let fault = Fault::new("GetCallerIdentity", code, "no", None);
        sandbox.edit(|world| world.faults.push(fault));
        for job in &plan(&sandbox, &jobs).jobs {
            let problem = &job.errors[0];
            let help = problem.help.as_deref().unwrap_or_default();
            assert_eq!(
                help.contains("set aws_account_id"),
                stands_in,
                "{problem:?}"
            );
        }
        for job in &mut jobs {
            job.client_config = Arc::new(ClientConfig {
                account_id: Some(AccountId::from("123456789012")),
                ..ClientConfig::default()
            });
        }
        let planned = plan(&sandbox, &jobs);
        for job in &planned.jobs {
            assert_eq!(job.outcome == Outcome::Changes, stands_in, "{job:?}");
            let warning =
                "aws_account_id says so; STS did not confirm it: GetCallerIdentity in us-west-1: ";
            let is_warned = job.warnings.iter().any(|text| text.contains(warning));
            assert_eq!(is_warned, stands_in, "{:?}", job.warnings);
        }
        if stands_in {
            let results = apply(&sandbox, &planned, &jobs);
            assert!(results.iter().all(|result| !result.failed()), "{results:?}");
        }
    }
}
