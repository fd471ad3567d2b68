//! The options of `ec2_ami` jobs.

use super::job::Type;
use super::options::{Given, Options};
use super::text::quoted;
use super::yaml::{Data, Node};
use crate::model::job::{AmiJob, ImageFilter, ImageSelector, JobKind, SyncType};
use crate::model::problem::{Problem, TextPlace};

pub(super) const TYPE: Type = Type {
    sync_type: SyncType::Ec2Ami,
    options: &[
        "ami_owner",
        "owner_id",
        "sync_identifier",
        "filters",
        "most_recent",
    ],
    read,
};

/// The owner that stands for the account whose credentials are used.
const OWN_ACCOUNT: &str = "self";

fn read(options: &mut Options<'_>) -> Option<JobKind> {
    let owner = match options.given(&["ami_owner", "owner_id"]) {
        // Left blank, as the older tool put it, it is the account of the credentials.
        Some(given) if is_blank(given.value) => Some(OWN_ACCOUNT.to_owned()),
        Some(given) => options.text(given).map(str::to_owned),
        None => Some(OWN_ACCOUNT.to_owned()),
    };
    let sync_identifier = options
        .given(&["sync_identifier"])
        .map(|given| options.text(given).map(str::to_owned));
    let filters = options
        .given(&["filters"])
        .map_or(Some(Vec::new()), |given| filters(options, given));
    let most_recent = options
        .given(&["most_recent"])
        .map_or(Some(false), |given| options.flag(given));

    let sync_identifiers = match sync_identifier {
        Some(given) => vec![given?],
        None => Vec::new(),
    };
    let selector = ImageSelector {
        owner: owner?,
        sync_identifiers,
        filters: filters?,
    };
    Some(JobKind::Ami(AmiJob {
        selector,
        most_recent: most_recent?,
    }))
}

fn is_blank(value: &Node) -> bool {
    value.is_null() || matches!(&value.data, Data::Scalar { text, .. } if text.trim().is_empty())
}

fn filters(options: &mut Options<'_>, given: Given<'_>) -> Option<Vec<ImageFilter>> {
    let Data::List(items) = &given.value.data else {
        let help = "such as [\"tag:Environment=Production\", \"architecture=x86_64\"]";
        options.must(
            given,
            "a list of filters",
            Some(given.value.kind().to_owned()),
            Some(help),
        );
        return None;
    };
    let read: Vec<Option<ImageFilter>> = items.iter().map(|item| filter(options, item)).collect();
    read.into_iter().collect()
}

/// `name=value`, or `{name: …, values: […]}`.
fn filter(options: &mut Options<'_>, item: &Node) -> Option<ImageFilter> {
    let whose = format!("a filter of {}", options.whose());
    match &item.data {
        Data::Scalar { text, .. } if !item.is_null() => {
            match text.split('=').collect::<Vec<_>>().as_slice() {
                [name, value]
                    if !name.trim().is_empty()
                        && !value.is_empty()
                        && !super::text::holds_control(text) =>
                {
                    Some(ImageFilter {
                        name: (*name).to_owned(),
                        values: vec![(*value).to_owned()],
                    })
                }
                _ => {
                    let message = format!(
                        "{whose} must be `name=value` with one `=`, not {}",
                        quoted(text)
                    );
                    let help = "where a value holds a `=` or is empty, write {name: \"tag:Role\", values: [\"a=b\"]}";
                    options.say(Problem::new(message).at(item.place).help(help));
                    None
                }
            }
        }
        Data::Mapping(entries) => {
            let mut parts = Options::new(
                whose,
                TextPlace {
                    length: 1,
                    ..item.place
                },
                entries,
            );
            let name = parts
                .required("name", "such as `tag:Role`")
                .and_then(|given| parts.text(given));
            let values = parts
                .required(
                    "values",
                    "the values of which any may match, such as [\"web\", \"api\"]",
                )
                .and_then(|given| values(&mut parts, given));
            let filter = name.zip(values).map(|(name, values)| ImageFilter {
                name: name.to_owned(),
                values,
            });
            let problems = parts.finish(|_| None);
            let is_sound = problems.is_empty();
            options.say_all(problems);
            filter.filter(|_| is_sound)
        }
        _ => {
            let message = format!(
                "{whose} must be `name=value` or a mapping of name and values, not {}",
                item.kind()
            );
            options.say(Problem::new(message).at(item.place));
            None
        }
    }
}

/// A list of texts, or a single one. AWS takes an empty value: it matches tags without one.
fn values(parts: &mut Options<'_>, given: Given<'_>) -> Option<Vec<String>> {
    let items: Vec<&Node> = match &given.value.data {
        Data::List(items) => items.iter().map(AsRef::as_ref).collect(),
        _ => vec![given.value],
    };
    if items.is_empty() {
        parts.must(
            given,
            "one value or more",
            Some("an empty list".to_owned()),
            None,
        );
        return None;
    }
    let read: Vec<Option<String>> = items
        .into_iter()
        .map(|value| match &value.data {
            Data::Scalar { text, plain: false } if text.is_empty() => Some(String::new()),
            // `true` is the text of a tag here, for a filter knows nothing else.
            Data::Scalar { text, plain: true } if matches!(text.as_str(), "true" | "false") => {
                Some(text.clone())
            }
            _ => parts.text(Given { value, ..given }).map(str::to_owned),
        })
        .collect();
    read.into_iter().collect()
}
