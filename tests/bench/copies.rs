//! Copies against Cloud Custodian, which the "must" are stated for.

use serde_json::{Value, json};

use crate::reach::{Goal, Unit};
use crate::site::{Fleet, Measured, Site, Task, Tool};
use crate::table::{self, seconds};
use crate::timing::median_by;

pub(crate) fn measure(quick: bool) -> Vec<Goal> {
    let fifty = Race {
        what: "`run` of 50 database copies, 50 ms per call",
        databases: 50,
        settings: json!({"latency": 0.05}),
        task: Task::Run,
        repeats: [3, 3],
    };
    let mut goals = vec![fifty.goal(5.0, 10.0)];
    if !quick {
        let six = Race {
            what: "six 1-second copies under a limit of 5 in flight, with `--wait`",
            databases: 6,
            settings: json!({"copy_seconds": 1.0, "copies_in_flight": 5}),
            task: Task::RunAndWait,
            // Custodian waits two minutes for the sixth, give or take ten seconds.
            repeats: [3, 1],
        };
        goals.push(six.goal(20.0, 40.0));
    }
    goals
}

/// The same work for xrs and Cloud Custodian.
struct Race {
    what: &'static str,
    databases: usize,
    settings: Value,
    task: Task,
    /// How often it is done by each; the median counts.
    repeats: [usize; 2],
}

impl Race {
    fn goal(&self, must: f64, aim: f64) -> Goal {
        let [xrs, custodian] = [Tool::Xrs, Tool::Custodian].map(|tool| self.measured(tool));
        let row = |tool: Tool, measured: &Result<Measured, String>| {
            let cells = match measured {
                Ok(measured) => [
                    measured.calls.to_string(),
                    seconds(measured.wall),
                    table::percent(measured.server / measured.wall),
                ],
                Err(error) => [error.clone(), String::new(), String::new()],
            };
            let [calls, time, share] = cells;
            [tool.name().to_owned(), calls, time, share]
        };
        let rows = [row(Tool::Xrs, &xrs), row(Tool::Custodian, &custodian)];
        table::print(
            self.what,
            ["tool", "calls", "time", "server's share"],
            &rows,
        );
        Goal {
            what: self.what,
            today: match &custodian {
                Ok(custodian) => {
                    format!("{} ({})", seconds(custodian.wall), Tool::Custodian.name())
                }
                Err(error) => error.clone(),
            },
            xrs: xrs.and_then(|xrs| Ok(custodian?.wall / xrs.wall)),
            unit: Unit::TimesFaster,
            must,
            aim,
        }
    }

    fn measured(&self, tool: Tool) -> Result<Measured, String> {
        eprintln!("{}: {}", self.what, tool.name());
        let repeats = self.repeats[usize::from(tool == Tool::Custodian)];
        let fleet = Fleet::databases(self.databases);
        let measured: Result<Vec<_>, _> = (0..repeats)
            .map(|_| Site::new(fleet, self.settings.clone()).measure(tool, self.task))
            .collect();
        Ok(median_by(measured?, |measured| measured.wall))
    }
}
