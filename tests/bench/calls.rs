//! AWS calls and time of planning and running, against tools that do the same call by call.

use serde_json::json;

use crate::reach::{Goal, Unit};
use crate::site::{Fleet, Measured, Site, Task, Tool};
use crate::table::{self, percent, seconds, times};
use crate::timing::median_by;

/// Seconds that each call takes longer.
const ADDED: [f64; 2] = [0.0, 0.05];
const MIXED: Fleet = Fleet {
    databases: 200,
    images: 100,
};
const ONE_OF_EACH: Fleet = Fleet {
    databases: 1,
    images: 1,
};

/// A line of the tables.
struct Line {
    added: f64,
    task: Task,
    tool: Tool,
    measured: Result<Measured, String>,
}

pub(crate) fn measure(quick: bool) -> Vec<Goal> {
    let sizes: &[usize] = if quick {
        &[1, 10, 100]
    } else {
        &[1, 10, 100, 1000]
    };
    let one: Vec<Line> = sizes
        .iter()
        .map(|size| show(&format!("{size} databases"), Fleet::databases(*size)))
        .collect::<Vec<_>>()
        .swap_remove(0);
    let both = show("1 database and 1 AMI", ONE_OF_EACH);
    let mixed = show("200 databases and 100 AMIs", MIXED);
    let calls = |measured: &Measured| measured.calls;
    let in_a_row = |measured: &Measured| measured.in_a_row;
    vec![
        goal("calls to plan 1 database", &one, calls, 3.0, 3.0),
        goal(
            "calls to plan 200 databases and 100 AMIs",
            &mixed,
            calls,
            45.0,
            30.0,
        ),
        goal(
            "calls in a row for a plan of both types",
            &both,
            in_a_row,
            2.0,
            2.0,
        ),
    ]
}

/// A goal for planning, where calls take time.
fn goal(
    what: &'static str,
    lines: &[Line],
    number: impl Fn(&Measured) -> usize,
    must: f64,
    aim: f64,
) -> Goal {
    let planned = || {
        lines
            .iter()
            .filter(|line| line.task == Task::Plan && line.added > 0.0)
    };
    let today = planned()
        .filter(|line| line.tool != Tool::Xrs)
        .map(|line| match &line.measured {
            Ok(measured) => format!("{} ({})", number(measured), line.tool.name()),
            Err(error) => error.clone(),
        });
    let xrs = planned()
        .find(|line| line.tool == Tool::Xrs)
        .map(|line| &line.measured);
    Goal {
        what,
        today: today.collect::<Vec<_>>().join(", "),
        xrs: match xrs {
            Some(Ok(measured)) => Ok(number(measured) as f64),
            Some(Err(error)) => Err(error.clone()),
            None => Err("not measured".to_owned()),
        },
        unit: Unit::Calls,
        must,
        aim,
    }
}

/// Measures a fleet and prints its table.
fn show(heading: &str, fleet: Fleet) -> Vec<Line> {
    let mut lines = Vec::new();
    for added in ADDED {
        for task in [Task::Plan, Task::Run] {
            for tool in [Tool::Xrs, Tool::Boto3, Tool::Custodian] {
                // Custodian copies no images.
                if tool != Tool::Custodian || fleet.images == 0 {
                    eprintln!(
                        "{heading}, {} added: {} by {}",
                        seconds(added),
                        name(task),
                        tool.name()
                    );
                    lines.push(Line {
                        added,
                        task,
                        tool,
                        measured: repeated(fleet, added, task, tool),
                    });
                }
            }
        }
    }
    let rows: Vec<_> = lines
        .chunk_by(|a, b| a.added == b.added && a.task == b.task)
        .flat_map(|lines| {
            lines
                .iter()
                .map(|line| row(line, lines[0].measured.as_ref().ok()))
        })
        .collect();
    let head = [
        "task",
        "added",
        "tool",
        "calls",
        "in a row",
        "floor",
        "time",
        "server's share",
        "calls, to xrs",
        "time, to xrs",
    ];
    table::print(heading, head, &rows);
    lines
}

/// Several times where that is cheap; the median.
fn repeated(fleet: Fleet, added: f64, task: Task, tool: Tool) -> Result<Measured, String> {
    let times = if fleet.databases + fleet.images <= 10 {
        3
    } else {
        1
    };
    let measured: Result<Vec<_>, _> = (0..times)
        .map(|_| Site::new(fleet, json!({"latency": added})).measure(tool, task))
        .collect();
    Ok(median_by(measured?, |measured| measured.wall))
}

fn name(task: Task) -> &'static str {
    match task {
        Task::Plan => "plan",
        Task::Run => "run",
        Task::RunAndWait => "run --wait",
    }
}

fn row(line: &Line, xrs: Option<&Measured>) -> [String; 10] {
    let first = [
        name(line.task).to_owned(),
        seconds(line.added),
        line.tool.name().to_owned(),
    ];
    let others = match &line.measured {
        Ok(measured) => {
            let to_xrs = |number: f64, of: fn(&Measured) -> f64| {
                xrs.map_or_else(|| "-".to_owned(), |xrs| times(number / of(xrs)))
            };
            [
                measured.calls.to_string(),
                measured.in_a_row.to_string(),
                seconds(measured.in_a_row as f64 * line.added),
                seconds(measured.wall),
                percent(measured.server / measured.wall),
                to_xrs(measured.calls as f64, |xrs| xrs.calls as f64),
                to_xrs(measured.wall, |xrs| xrs.wall),
            ]
        }
        Err(error) => [
            error.clone(),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
        ],
    };
    let mut cells = first.into_iter().chain(others);
    std::array::from_fn(|_| cells.next().unwrap_or_default())
}
