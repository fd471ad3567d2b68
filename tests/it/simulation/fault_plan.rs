//! What goes wrong for one run, as its seed decides.

use super::random::Random;

/// The most that a listing lags behind.
pub const MOST_LAG: i64 = 120;

/// What goes wrong for one run.
#[derive(Clone, Debug, Default)]
pub struct FaultPlan {
    /// The run ends at its nth call, before or after the effect.
    pub kill: Option<(Nth, When)>,
    /// The nth call happens, and its answer is lost.
    pub lose: Option<Nth>,
    /// Percent of calls that happen and whose answer is lost.
    pub losses: usize,
    /// Percent of calls that are throttled, denied, or time out without effect.
    pub throttles: usize,
    pub denials: usize,
    pub time_outs: usize,
    /// From this call on the credentials have expired.
    pub expires: Option<usize>,
    /// Percent of reads that show an earlier world, and how much earlier.
    pub stale: usize,
    pub lag: Lag,
    /// The run is read to stop when so many things have happened in it.
    pub interrupt: Option<usize>,
    /// The most turns that others get at each end of a call.
    pub yields: usize,
    /// The destination knows no database of the names it is read for, and refuses to read for their snapshots. That is
    /// no fault.
    pub refuses_absent_databases: bool,
    /// The run stays until copies are available, for so many seconds at most. That is no fault.
    pub waits: Option<i64>,
}

/// How many seconds listings are behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lag {
    #[default]
    None,
    /// Each by another time, up to this.
    UpTo(i64),
    /// All of them by this, as of a region whose listings are behind.
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
    /// Nothing but other runs' turns, and perhaps a wait.
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
            match random.weighed(&[20, 12, 6, 10, 8, 8, 3, 10, 10, 3]) {
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

    /// Whether every call is answered, and truly.
    pub fn is_none(&self) -> bool {
        let Self {
            kill,
            lose,
            losses,
            throttles,
            denials,
            time_outs,
            expires,
            stale,
            interrupt,
            ..
        } = self;
        kill.is_none()
            && lose.is_none()
            && expires.is_none()
            && interrupt.is_none()
            && losses + throttles + denials + time_outs + stale == 0
    }

    /// Whether what is listed may be of earlier.
    pub fn is_stale(&self) -> bool {
        self.stale > 0
    }
}
