//! Copies, compared with Cloud Custodian.

use serde_json::{Value, json};

use crate::reach::{Goal, Unit};
use crate::site::{Fleet, Measured, median_of};
use crate::table::{self, percent, seconds};
use crate::tool::{Task, Tool};

/// The same work done by xrs and Cloud Custodian.
struct Duel {
    what: &'static str,
    fleet: Fleet,
    settings: Value,
    task: Task,
    /// How many times Cloud Custodian does it.
    repeats: usize,
    must: f64,
    aim: f64,
}

pub(crate) fn measure(quick: bool) -> Vec<Goal> {
    let fifty = Duel {
        what: "`run` of 50 database copies, 50 ms per call",
        fleet: Fleet::new(50, 0),
        settings: json!({"latency": 0.05}),
        task: Task::Run,
        repeats: 3,
        must: 5.0,
        aim: 10.0,
    };
    let six = Duel {
        what: "six 1-second copies with a limit of 5 concurrent copies, `--wait`",
        fleet: Fleet::new(6, 0),
        settings: json!({"copy_seconds": 1.0, "concurrent_copies": 5}),
        task: Task::RunAndWait,
        // When the sixth is refused, it sleeps for about two minutes.
        repeats: 1,
        must: 20.0,
        aim: 40.0,
    };
    let duels = if quick { vec![fifty] } else { vec![fifty, six] };
    duels.iter().map(Duel::goal).collect()
}

impl Duel {
    fn goal(&self) -> Goal {
        eprintln!("{}", self.what);
        let measured =
            |tool, repeats| median_of(repeats, self.fleet, &self.settings, tool, self.task);
        let xrs = measured(Tool::Xrs, 3);
        let custodian = measured(Tool::Custodian, self.repeats);
        let ratio = match (&xrs, &custodian) {
            (Ok(xrs), Ok(custodian)) => Ok(custodian.wall / xrs.wall),
            (Err(error), _) | (_, Err(error)) => Err(error.clone()),
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
                Ok(custodian) => format!("{} ({})", seconds(custodian.wall), Tool::Custodian),
                Err(error) => error.clone(),
            },
            xrs: ratio,
            unit: Unit::TimesFaster,
            must: self.must,
            aim: self.aim,
        }
    }
}

fn row(tool: Tool, measured: &Result<Measured, String>) -> [String; 4] {
    let [calls, time, share] = match measured {
        Ok(measured) => [
            measured.calls.to_string(),
            seconds(measured.wall),
            percent(measured.server / measured.wall),
        ],
        Err(error) => [error.clone(), String::new(), String::new()],
    };
    [tool.to_string(), calls, time, share]
}
