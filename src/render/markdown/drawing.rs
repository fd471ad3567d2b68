//! What is copied from which region to which, as Mermaid.

use super::escape::{fenced, label};
use crate::model::action::ActionName;
use crate::model::groups::grouped;
use crate::model::ids::Region;
use crate::model::plan::{JobPlan, regions};
use crate::model::words::count;
use crate::render::vocabulary::{count_of, size_of_copies};

/// A drawing with more arrows could not be read.
const MAX_ARROWS: usize = 30;

/// Returns the drawing, and how many arrows it omits; empty if nothing is copied.
pub(super) fn drawing(jobs: &[JobPlan]) -> String {
    let copying = jobs.iter().filter(|job| job.has_copy());
    let arrows = copying.filter_map(|job| Some((regions(&job.source, &job.destination)?, job)));
    let arrows = grouped(arrows);
    if arrows.is_empty() {
        return String::new();
    }
    let mut regions: Vec<&Region> = Vec::new();
    let mut lines = String::from("flowchart LR\n");
    for ((source, destination), jobs) in arrows.iter().take(MAX_ARROWS) {
        let [source, destination] =
            [*source, *destination].map(|region| node(&mut regions, region));
        let size = size_of_copies(jobs.iter().copied());
        let size = size.map_or_else(String::new, |size| format!(", {size}"));
        let copies = count_of(ActionName::Copy, jobs.len());
        lines.push_str(&format!(
            "  {source} -->|\"{copies}{size}\"| {destination}\n"
        ));
    }
    let omitted = match arrows.len().saturating_sub(MAX_ARROWS) {
        0 => String::new(),
        more => format!(
            "\nAnd {} more.\n",
            count(more, "pair of regions", "pairs of regions")
        ),
    };
    format!("\n{}{omitted}", fenced("mermaid", &lines))
}

/// Returns a region as a node. Nodes are known by number: names of regions are texts from elsewhere.
fn node<'a>(regions: &mut Vec<&'a Region>, region: &'a Region) -> String {
    let number = regions
        .iter()
        .position(|known| *known == region)
        .unwrap_or_else(|| {
            regions.push(region);
            regions.len() - 1
        });
    format!("r{number}[\"{}\"]", label(region.as_str()))
}
