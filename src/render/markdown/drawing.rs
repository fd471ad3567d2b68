//! What flows from which region to which, as Mermaid.

use super::escape::{fenced, label};
use crate::model::id::Region;
use crate::model::plan::JobPlan;
use crate::model::words::count;
use crate::render::text::{grouped, size_of_copies};

/// More arrows than this are no drawing.
const ARROWS: usize = 30;

/// The drawing, with a word on what it leaves out; empty if nothing is to be copied.
pub(super) fn drawing(jobs: &[JobPlan]) -> String {
    let copying = jobs.iter().filter_map(|job| {
        let (source, destination) = (job.source.as_ref()?, job.destination.as_ref()?);
        let copies = job.has_a_copy_to_make();
        copies.then_some(((&source.region, &destination.region), job))
    });
    let arrows = grouped(copying);
    if arrows.is_empty() {
        return String::new();
    }
    let mut regions: Vec<&Region> = Vec::new();
    let mut lines = String::from("flowchart LR\n");
    for ((source, destination), jobs) in arrows.iter().take(ARROWS) {
        let [source, destination] =
            [*source, *destination].map(|region| node(&mut regions, region));
        let size = size_of_copies(jobs.iter().copied())
            .map(|size| format!(", {size}"))
            .unwrap_or_default();
        let copies = count(jobs.len(), "copy", "copies");
        lines.push_str(&format!(
            "  {source} -->|\"{copies}{size}\"| {destination}\n"
        ));
    }
    let left_out = match arrows.len().saturating_sub(ARROWS) {
        0 => String::new(),
        more => format!(
            "\nAnd {} more.\n",
            count(more, "pair of regions", "pairs of regions")
        ),
    };
    format!("\n{}{left_out}", fenced("mermaid", &lines))
}

/// A region as a node. Nodes are known by number: names of regions are texts that others wrote.
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
