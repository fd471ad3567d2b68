//! Goals, and whether they are reached.

use crate::table;

/// What was measured, and how good it must be.
pub(crate) struct Goal {
    pub(crate) what: &'static str,
    /// What other tools take, measured in the same run.
    pub(crate) today: String,
    /// What xrs takes, or why it could not be measured.
    pub(crate) xrs: Result<f64, String>,
    pub(crate) unit: Unit,
    pub(crate) must: f64,
    pub(crate) aim: f64,
}

/// How a number is written, and whether more is better.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    Calls,
    Seconds,
    Mb,
    TimesAsLong,
    TimesFaster,
}

impl Unit {
    fn format(self, number: f64) -> String {
        match self {
            Self::Calls => format!("{number}"),
            Self::Seconds => table::seconds(number),
            Self::Mb => format!("{number:.0} MB"),
            Self::TimesAsLong => table::times(number),
            Self::TimesFaster => format!("{} faster", table::times(number)),
        }
    }

    fn reaches(self, number: f64, goal: f64) -> bool {
        match self {
            Self::TimesFaster => number >= goal,
            _ => number <= goal,
        }
    }
}

impl Goal {
    fn reaches(&self, goal: f64) -> bool {
        self.xrs
            .as_ref()
            .is_ok_and(|number| self.unit.reaches(*number, goal))
    }

    fn row(&self) -> [String; 6] {
        let met = if self.reaches(self.aim) {
            "yes, the aim"
        } else if self.reaches(self.must) {
            "yes"
        } else {
            "NO"
        };
        [
            self.what.to_owned(),
            self.today.clone(),
            self.xrs
                .as_ref()
                .map_or_else(Clone::clone, |number| self.unit.format(*number)),
            self.unit.format(self.must),
            self.unit.format(self.aim),
            met.to_owned(),
        ]
    }
}

/// Prints all goals, and returns those that are not reached.
pub(crate) fn report(goals: &[Goal]) -> Vec<&'static str> {
    let rows: Vec<_> = goals.iter().map(Goal::row).collect();
    let head = ["what", "today's tools", "xrs", "must", "aim", "met?"];
    table::print("Must reach", head, &rows);
    goals
        .iter()
        .filter(|goal| !goal.reaches(goal.must))
        .map(|goal| goal.what)
        .collect()
}
