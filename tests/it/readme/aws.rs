//! The AWS CLI commands that the pages name.

use serde_json::Value;

/// The commands: their words, their required options, and others that the pages use. They are from AWS's own reference,
/// <https://docs.aws.amazon.com/cli/latest/reference/>, which has a page of the same name for each.
const KNOWN: &str = "\
ec2 create-tags|--resources --tags|
ec2 describe-image-attribute|--attribute --image-id|
ec2 describe-images||--filters --owners
ec2 describe-instance-type-offerings||--filters --location-type
ec2 describe-key-pairs||
ec2 describe-security-groups||
ec2 describe-subnets||
ec2 import-key-pair|--key-name --public-key-material|
ec2 modify-image-attribute|--image-id|--launch-permission
ec2 run-instances||--count --dry-run --iam-instance-profile --image-id --instance-type --key-name --security-group-ids --subnet-id
iam create-policy|--policy-name --policy-document|
kms describe-key|--key-id|
login||
rds add-tags-to-resource|--resource-name --tags|
rds copy-db-snapshot|--source-db-snapshot-identifier --target-db-snapshot-identifier|--kms-key-id --source-region
rds create-db-snapshot|--db-snapshot-identifier --db-instance-identifier|
rds create-db-instance|--db-instance-identifier --db-instance-class --engine|--db-cluster-identifier
rds describe-db-cluster-snapshots||--db-cluster-identifier --snapshot-type
rds describe-db-clusters||
rds describe-db-instances||
rds describe-db-parameter-groups||
rds describe-db-snapshots||--db-instance-identifier --snapshot-type
rds describe-db-subnet-groups||
rds describe-option-groups||
rds describe-orderable-db-instance-options|--engine|--db-instance-class
rds modify-db-instance|--db-instance-identifier|--apply-immediately --manage-master-user-password --new-db-instance-identifier
rds modify-db-snapshot|--db-snapshot-identifier|--engine-version
rds restore-db-cluster-from-snapshot|--db-cluster-identifier --engine --snapshot-identifier|--db-cluster-instance-class --db-cluster-parameter-group-name --db-subnet-group-name --deletion-protection --iops --storage-type --vpc-security-group-ids
rds restore-db-instance-from-db-snapshot|--db-instance-identifier|--backup-retention-period --copy-tags-to-snapshot --db-instance-class --db-parameter-group-name --db-snapshot-identifier --db-subnet-group-name --deletion-protection --multi-az --no-publicly-accessible --option-group-name --vpc-security-group-ids
rds wait db-cluster-available||--db-cluster-identifier
rds wait db-instance-available||--db-instance-identifier
rds wait db-snapshot-available||--db-snapshot-identifier
service-quotas get-service-quota|--service-code --quota-code|";

struct Known {
    words: &'static str,
    needs: Vec<&'static str>,
    takes: Vec<&'static str>,
}

impl Known {
    fn all() -> impl Iterator<Item = Self> {
        KNOWN.lines().map(|line| {
            let mut cells = line.split('|');
            let mut cell = || cells.next().expect("three cells");
            Self {
                words: cell(),
                needs: cell().split_whitespace().collect(),
                takes: cell().split_whitespace().collect(),
            }
        })
    }

    fn has(&self, option: &str) -> bool {
        self.needs.contains(&option) || self.takes.contains(&option)
    }
}

/// The options that all of them accept.
const GLOBAL: [&str; 4] = ["--region", "--query", "--output", "--profile"];

/// Returns true if one of the commands has this option.
pub fn is_option(option: &str) -> bool {
    GLOBAL.contains(&option) || Known::all().any(|known| known.has(option))
}

/// Returns the page of AWS's reference that a call is on. Fails unless the command is known, with options that it has.
pub fn reference_of(call: &[String]) -> String {
    let words = call.iter().take_while(|word| !word.starts_with("--"));
    let words = words.cloned().collect::<Vec<_>>().join(" ");
    let known = Known::all().find(|known| known.words == words);
    let known = known.unwrap_or_else(|| panic!("aws {words} is not a known command"));
    let given = call.iter().filter(|word| word.starts_with("--"));
    for option in given {
        let is_known = GLOBAL.contains(&option.as_str()) || known.has(option);
        assert!(is_known, "aws {words} has no known option {option}");
    }
    for option in known.needs {
        let is_given = call.iter().any(|word| word == option);
        assert!(is_given, "aws {words} needs {option}");
    }
    if words == "iam create-policy" {
        let at = call.iter().position(|word| word == "--policy-document");
        let document: Value = serde_json::from_str(&call[at.expect("given") + 1]).expect("JSON");
        assert!(document["Statement"].is_array(), "{document}");
    }
    let page = words.replace(' ', "/");
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
