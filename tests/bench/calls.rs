//! AWS calls and time of planning and running, compared with tools that make each call by itself.

use serde_json::json;

use crate::reach::{Goal, Unit};
use crate::site::{Fleet, Measured, median_of};
use crate::table::{self, percent, seconds, times};
use crate::tool::{Task, Tool};

/// Milliseconds added to each call.
const ADDED: [u32; 2] = [0, 50];
/// The size up to which a fleet is measured several times.
const SMALL: usize = 10;

/// The same work done by several tools.
struct Race {
    added: u32,
    task: Task,
    /// The first is xrs.
    tools: Vec<(Tool, Result<Measured, String>)>,
}

pub(crate) fn measure(quick: bool) -> Vec<Goal> {
    let one = show(Fleet::new(1, 0));
    let both = show(Fleet::new(1, 1));
    show(Fleet::new(10, 0));
    show(Fleet::new(100, 0));
    let mixed = show(Fleet::new(200, 100));
    if !quick {
        show(Fleet::new(1000, 0));
    }
    let goal = |what, races: &[Race], number: fn(&Measured) -> usize, must, aim| {
        let is_plan = |race: &&Race| race.task == Task::Plan && race.added > 0;
        let race = races.iter().find(is_plan).expect("it was measured");
        race.goal(what, number, must, aim)
    };
    vec![
        // Two reads, the account, and the quota of the destination.
        goal("calls to plan 1 database", &one, |m| m.calls, 4.0, 4.0),
        goal(
            "calls to plan 200 databases and 100 AMIs",
            &mixed,
            |m| m.calls,
            45.0,
            30.0,
        ),
        goal(
            "calls in a row for a plan of both types",
            &both,
            |m| m.in_a_row,
            2.0,
            2.0,
        ),
    ]
}

/// Measures planning and running a fleet with all tools, and prints the table.
fn show(fleet: Fleet) -> Vec<Race> {
    let race = |added| [Task::Plan, Task::Run].map(|task| Race::of(fleet, added, task));
    let races: Vec<Race> = ADDED.into_iter().flat_map(race).collect();
    let rows: Vec<_> = races.iter().flat_map(Race::rows).collect();
    let head = [
        "task",
        "added",
        "tool",
        "calls",
        "in a row",
        "floor",
        "time",
        "server's share",
        "calls vs. xrs",
        "time vs. xrs",
    ];
    table::print(&fleet.to_string(), head, &rows);
    races
}

impl Race {
    fn of(fleet: Fleet, added: u32, task: Task) -> Self {
        let repeats = if fleet.jobs() <= SMALL { 3 } else { 1 };
        let settings = json!({"latency": f64::from(added) / 1000.0});
        let measured = |tool: Tool| {
            eprintln!("{fleet}, {added} ms added: {task} with {tool}");
            (tool, median_of(repeats, fleet, &settings, tool, task))
        };
        // Cloud Custodian copies no images.
        let tools: &[Tool] = match fleet.images {
            0 => &[Tool::Xrs, Tool::Boto3, Tool::Custodian],
            _ => &[Tool::Xrs, Tool::Boto3],
        };
        Self {
            added,
            task,
            tools: tools.iter().copied().map(measured).collect(),
        }
    }

    fn rows(&self) -> Vec<[String; 10]> {
        let xrs = self.tools[0].1.as_ref().ok();
        let row = |(tool, measured): &(Tool, Result<Measured, String>)| {
            let cells = measured
                .as_ref()
                .map_or_else(failed, |measured| self.cells(measured, xrs));
            let [calls, in_a_row, floor, time, server, of_calls, of_time] = cells;
            let added = format!("{} ms", self.added);
            let (task, tool) = (self.task.to_string(), tool.to_string());
            [
                task, added, tool, calls, in_a_row, floor, time, server, of_calls, of_time,
            ]
        };
        self.tools.iter().map(row).collect()
    }

    fn cells(&self, measured: &Measured, xrs: Option<&Measured>) -> [String; 7] {
        let to_xrs = |number: fn(&Measured) -> f64| {
            let ratio = xrs.map(|xrs| number(measured) / number(xrs));
            ratio.map_or_else(String::new, times)
        };
        [
            measured.calls.to_string(),
            measured.in_a_row.to_string(),
            // No tool that makes this number of calls in a row can be faster.
            seconds(measured.in_a_row as f64 * f64::from(self.added) / 1000.0),
            seconds(measured.wall),
            percent(measured.server / measured.wall),
            to_xrs(|measured| measured.calls as f64),
            to_xrs(|measured| measured.wall),
        ]
    }

    fn goal(
        &self,
        what: &'static str,
        number: fn(&Measured) -> usize,
        must: f64,
        aim: f64,
    ) -> Goal {
        let format = |(tool, measured): &(Tool, Result<Measured, String>)| match measured {
            Ok(measured) => format!("{} ({tool})", number(measured)),
            Err(error) => format!("{error} ({tool})"),
        };
        let today: Vec<String> = self.tools[1..].iter().map(format).collect();
        Goal {
            what,
            today: today.join(", "),
            xrs: self.tools[0]
                .1
                .as_ref()
                .map(|measured| number(measured) as f64)
                .map_err(Clone::clone),
            unit: Unit::Calls,
            must,
            aim,
        }
    }
}

/// The cells of a tool that failed.
fn failed(error: &String) -> [String; 7] {
    let mut cells = [const { String::new() }; 7];
    cells[0].clone_from(error);
    cells
}
