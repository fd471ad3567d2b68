//! The commands of the AWS CLI that the pages name.

use serde_json::Value;

/// A command of the AWS CLI.
struct Known {
    words: &'static str,
    /// Options that it must have.
    needs: &'static str,
    /// Others that the pages use.
    takes: &'static str,
}

/// By AWS's own reference, <https://docs.aws.amazon.com/cli/latest/reference/>, each on a page of its name.
const KNOWN: [Known; 25] = [
    Known {
        words: "ec2 describe-image-attribute",
        needs: "--attribute --image-id",
        takes: "",
    },
    Known {
        words: "ec2 describe-images",
        needs: "",
        takes: "--filters --owners",
    },
    Known {
        words: "ec2 describe-instance-type-offerings",
        needs: "",
        takes: "--filters --location-type",
    },
    Known {
        words: "ec2 describe-key-pairs",
        needs: "",
        takes: "",
    },
    Known {
        words: "ec2 describe-security-groups",
        needs: "",
        takes: "",
    },
    Known {
        words: "ec2 describe-subnets",
        needs: "",
        takes: "",
    },
    Known {
        words: "ec2 import-key-pair",
        needs: "--key-name --public-key-material",
        takes: "",
    },
    Known {
        words: "ec2 modify-image-attribute",
        needs: "--image-id",
        takes: "--launch-permission",
    },
    Known {
        words: "ec2 run-instances",
        needs: "",
        takes: "--count --dry-run --iam-instance-profile --image-id --instance-type --key-name --security-group-ids --subnet-id",
    },
    Known {
        words: "iam create-policy",
        needs: "--policy-name --policy-document",
        takes: "",
    },
    Known {
        words: "kms describe-key",
        needs: "--key-id",
        takes: "",
    },
    Known {
        words: "rds add-tags-to-resource",
        needs: "--resource-name --tags",
        takes: "",
    },
    Known {
        words: "rds copy-db-snapshot",
        needs: "--source-db-snapshot-identifier --target-db-snapshot-identifier",
        takes: "--kms-key-id --source-region",
    },
    Known {
        words: "rds create-db-snapshot",
        needs: "--db-snapshot-identifier --db-instance-identifier",
        takes: "",
    },
    Known {
        words: "rds describe-db-parameter-groups",
        needs: "",
        takes: "",
    },
    Known {
        words: "rds describe-db-snapshots",
        needs: "",
        takes: "--db-instance-identifier --snapshot-type",
    },
    Known {
        words: "rds describe-db-subnet-groups",
        needs: "",
        takes: "",
    },
    Known {
        words: "rds describe-option-groups",
        needs: "",
        takes: "",
    },
    Known {
        words: "rds describe-orderable-db-instance-options",
        needs: "--engine",
        takes: "--db-instance-class",
    },
    Known {
        words: "rds modify-db-instance",
        needs: "--db-instance-identifier",
        takes: "--apply-immediately --manage-master-user-password --new-db-instance-identifier",
    },
    Known {
        words: "rds modify-db-snapshot",
        needs: "--db-snapshot-identifier",
        takes: "--engine-version",
    },
    Known {
        words: "rds restore-db-instance-from-db-snapshot",
        needs: "--db-instance-identifier",
        takes: "--backup-retention-period --copy-tags-to-snapshot --db-instance-class --db-parameter-group-name --db-snapshot-identifier --db-subnet-group-name --deletion-protection --multi-az --no-publicly-accessible --option-group-name --vpc-security-group-ids",
    },
    Known {
        words: "rds wait db-instance-available",
        needs: "",
        takes: "--db-instance-identifier",
    },
    Known {
        words: "rds wait db-snapshot-available",
        needs: "",
        takes: "--db-snapshot-identifier",
    },
    Known {
        words: "service-quotas get-service-quota",
        needs: "--service-code --quota-code",
        takes: "",
    },
];

/// What all of them take.
const GLOBAL: [&str; 4] = ["--region", "--query", "--output", "--profile"];

/// Whether one of the commands has this option.
pub fn is_option(option: &str) -> bool {
    let mut options = KNOWN
        .iter()
        .flat_map(|known| known.needs.split(' ').chain(known.takes.split(' ')));
    GLOBAL.contains(&option) || options.any(|known| known == option)
}

/// The page of AWS's reference that a call is on. Fails unless it is a command that is known, with options that it has.
pub fn reference_of(call: &[String]) -> String {
    let words = call.iter().take_while(|word| !word.starts_with("--"));
    let words = words.cloned().collect::<Vec<_>>().join(" ");
    let known = KNOWN.iter().find(|known| known.words == words);
    let known =
        known.unwrap_or_else(|| panic!("aws {words}: not among the commands that are known"));
    let given: Vec<&str> = call
        .iter()
        .filter(|word| word.starts_with("--"))
        .map(String::as_str)
        .collect();
    for option in &given {
        let mut options = known.needs.split(' ').chain(known.takes.split(' '));
        let taken = GLOBAL.contains(option) || options.any(|known| known == *option);
        assert!(taken, "aws {words} has no {option} that is known");
    }
    for option in known.needs.split_whitespace() {
        assert!(given.contains(&option), "aws {words} needs {option}");
    }
    if words == "iam create-policy" {
        let at = call.iter().position(|word| word == "--policy-document");
        let document: Value = serde_json::from_str(&call[at.expect("given") + 1]).expect("JSON");
        assert!(document["Statement"].is_array(), "{document}");
    }
    let page = known.words.replace(' ', "/");
    format!("https://docs.aws.amazon.com/cli/latest/reference/{page}.html")
}

fn call(words: &str) -> Vec<String> {
    words.split(' ').map(str::to_owned).collect()
}

#[test]
fn a_call_is_known_by_its_words_and_its_options() {
    assert_eq!(
        reference_of(&call("rds wait db-instance-available --region us-west-1")),
        "https://docs.aws.amazon.com/cli/latest/reference/rds/wait/db-instance-available.html"
    );
    for wrong in [
        "rds restore --region us-west-1",
        "rds add-tags-to-resource --resource-name x",
        "rds add-tags-to-resource --resource-name x --tags y --force",
        "iam create-policy --policy-name x --policy-document {}",
    ] {
        let checked = std::panic::catch_unwind(|| reference_of(&call(wrong)));
        assert!(checked.is_err(), "{wrong}");
    }
}
