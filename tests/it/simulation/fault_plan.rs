//! The faults that one run meets, determined by its seed.

use super::random::Random;

/// The maximum number of seconds that a listing lags behind.
pub const MOST_LAG: i64 = 120;

/// The faults that one run meets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultPlan {
    /// The run ends at its nth call, before or after the effect.
    pub kill: Option<(Nth, When)>,
    /// The nth call happens, and its answer is lost.
    pub lose: Option<Nth>,
    /// The percentage of calls that take effect but whose answer is lost.
    pub losses: usize,
    /// The percentage of calls that are throttled, denied, or time out without effect.
    pub throttles: usize,
    pub denials: usize,
    pub time_outs: usize,
    /// From this call on, the credentials have expired.
    pub expires: Option<usize>,
    /// The percentage of reads that show an earlier world, and how much earlier it is.
    pub stale: usize,
    pub lag: Lag,
    /// The run is asked to stop after this number of events.
    pub interrupt: Option<usize>,
    /// The maximum number of turns that other runs get before and after a call.
    pub yields: usize,
    /// The destination has none of the requested databases, and refuses to list their snapshots. That is not a fault.
    pub refuses_absent_databases: bool,
    /// The run waits for copies for at most this number of seconds. That is not a fault.
    pub waits: Option<i64>,
}

/// The number of seconds that listings are behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lag {
    #[default]
    None,
    /// Each by a different number, up to this one.
    UpTo(i64),
    /// All by this number, as in a region that lags behind.
    Steady(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nth {
    Call(usize),
    Write(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    BeforeItsEffect,
    AfterItsEffect,
}

impl FaultPlan {
    /// Returns a plan with nothing but turns for other runs, and perhaps a wait.
    pub fn none(random: &mut Random) -> Self {
        Self {
            yields: random.below(4),
            refuses_absent_databases: random.chance(20),
            waits: random.chance(30).then(|| random.within(1, 5000)),
            ..Self::default()
        }
    }

    pub fn random(random: &mut Random) -> Self {
        let mut plan = Self::none(random);
        let times = if random.chance(25) { 2 } else { 1 };
        for _ in 0..times {
            let nth = if random.chance(65) {
                Nth::Write(random.below(7))
            } else {
                Nth::Call(random.below(30))
            };
            match random.weighted(&[20, 12, 6, 10, 8, 8, 3, 10, 10, 3]) {
                0 => {
                    let after = random.chance(60);
                    let when = if after {
                        When::AfterItsEffect
                    } else {
                        When::BeforeItsEffect
                    };
                    plan.kill = Some((nth, when));
                }
                1 => plan.lose = Some(nth),
                2 => plan.losses = 15,
                3 => plan.throttles = [4, 12, 40][random.below(3)],
                4 => plan.denials = [4, 12, 40][random.below(3)],
                5 => plan.time_outs = [4, 12, 40][random.below(3)],
                6 => plan.expires = Some(random.below(20)),
                7 => (plan.stale, plan.lag) = (40, Lag::UpTo(random.within(5, MOST_LAG))),
                8 => {
                    let lag = [30, 90, 110, MOST_LAG][random.below(4)].min(MOST_LAG);
                    (plan.stale, plan.lag) = (100, Lag::Steady(lag));
                }
                _ => plan.interrupt = Some(random.below(6)),
            }
        }
        plan
    }

    /// Returns a random plan in this percentage of cases, and otherwise one without faults.
    pub fn maybe(random: &mut Random, percent: usize) -> Self {
        if random.chance(percent) {
            Self::random(random)
        } else {
            Self::none(random)
        }
    }

    /// Returns true if every call gets a true answer.
    pub fn is_none(&self) -> bool {
        let without_harmless = Self {
            lag: Lag::None,
            yields: 0,
            refuses_absent_databases: false,
            waits: None,
            ..self.clone()
        };
        without_harmless == Self::default()
    }

    /// Returns true if listings may be outdated.
    pub fn is_stale(&self) -> bool {
        self.stale > 0
    }
}
