//! `destinations`: the regions that a job copies to, each with the options that differ there.

use super::document::{Data, Entry};
use super::reference::{OptionGroup, REFERENCE};
use super::section::{Section, shown};
use super::shared_options::{
    DESTINATION_REGION, DESTINATIONS, DestinationOptions, MAX_DESTINATIONS,
};
use crate::model::ids::Region;
use crate::model::problem::{Problem, TextPlace};
use crate::sync_types::read_options;

/// The option that names the region of a destination.
const REGION: &str = "region";

/// An item of the list, as a mapping.
pub(super) struct Item {
    /// What messages call it, such as `destination 2 of sync_my_database`.
    owner: String,
    place: TextPlace,
    options: Vec<Entry>,
}

/// A destination, with its problems.
pub(super) struct Destination<'d> {
    pub(super) region: Region,
    /// The options that replace those of the job, under the names that they have in a job.
    pub(super) options: Vec<(&'d str, &'d Entry)>,
    pub(super) problems: Vec<Problem>,
}

/// Returns the items of the list. A bare region is short for a mapping with that `region`.
pub(super) fn items(owner: &str, list: &Entry, problems: &mut Vec<Problem>) -> Vec<Item> {
    let Data::List(nodes) = &list.node.data else {
        let shown = shown(&list.node);
        let message = format!("option `{DESTINATIONS}` of {owner} must be a list, not {shown}");
        let problem = Problem::new(message).at(list.node.place);
        problems.push(problem.help("write a list such as [us-west-1, eu-west-1]"));
        return Vec::new();
    };
    let fault = match nodes.len() {
        0 => Some(format!("`{DESTINATIONS}` of {owner} is empty")),
        1..=MAX_DESTINATIONS => None,
        n => Some(format!("{owner} has {n} destinations")),
    };
    if let Some(message) = fault {
        let help = format!("list 1 to {MAX_DESTINATIONS} regions, such as [us-west-1]");
        problems.push(Problem::new(message).at(list.node.place).help(help));
        return Vec::new();
    }
    let mut items = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        let (number, place) = (index + 1, node.place);
        let options = match &node.data {
            Data::Mapping(options) => options.clone(),
            Data::Scalar { .. } if !node.is_blank() => vec![Entry {
                key: REGION.to_owned(),
                place,
                node: node.clone(),
            }],
            _ => {
                let shown = shown(node);
                let message = format!(
                    "item {number} of option `{DESTINATIONS}` of {owner} must be a region or a mapping, not {shown}"
                );
                let help = "write us-west-1, or {region: us-west-1, kms_key_id: alias/copies}";
                problems.push(Problem::new(message).at(place).help(help));
                continue;
            }
        };
        items.push(Item {
            owner: format!("destination {number} of {owner}"),
            place,
            options,
        });
    }
    items
}

/// Returns a destination for each region in these items. Adds the problems of items without a valid region to `problems`.
pub(super) fn read<'d>(
    items: &'d [Item],
    groups: &[&'d OptionGroup],
    elsewhere: impl Fn(&str) -> Option<String>,
    problems: &mut Vec<Problem>,
) -> Vec<Destination<'d>> {
    let mut destinations: Vec<Destination<'d>> = Vec::new();
    for item in items {
        let Item {
            owner,
            place,
            options,
        } = item;
        let mut section = Section::new(owner, *place, options, groups, &elsewhere);
        let read = section.read(&REFERENCE.destination, read_options::<DestinationOptions>);
        let Some(DestinationOptions { region }) = read else {
            problems.append(&mut section.problems);
            continue;
        };
        let mut known = destinations.iter_mut();
        if let Some(first) = known.find(|destination| destination.region == region) {
            let problem = Problem::new(format!("{owner} is {region}, which is already listed"));
            let help = "keep only one of them: it must be clear which options apply";
            section.report(REGION, problem.help(help));
            first.problems.append(&mut section.problems);
            continue;
        }
        let options = section.given().map(|(name, option)| match name {
            REGION => (DESTINATION_REGION, option),
            _ => (name, option),
        });
        destinations.push(Destination {
            region,
            options: options.collect(),
            problems: section.problems,
        });
    }
    destinations
}
