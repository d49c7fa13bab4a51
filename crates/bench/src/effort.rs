//! How much is measured.

/// How often, and on how much.
#[derive(Clone, PartialEq)]
pub(crate) struct Effort {
    /// Rounds of all modules and cases.
    pub(crate) rounds: usize,
    /// How many users are enrolled.
    pub(crate) users: &'static [usize],
    /// Rounds at each such number.
    pub(crate) size_rounds: usize,
    /// How many log in at once.
    pub(crate) crowds: &'static [usize],
    /// Rounds of each such crowd.
    pub(crate) crowd_rounds: usize,
}

impl Effort {
    /// Figures to be shown.
    const FULL: Self = Self {
        rounds: 100,
        users: &[1, 1_000, 100_000],
        size_rounds: 20,
        crowds: &[1, 4, 16, 64],
        crowd_rounds: 10,
    };

    /// Whether it works at all, in a minute.
    pub(crate) const QUICK: Self = Self {
        rounds: 5,
        users: &[1, 100],
        size_rounds: 3,
        crowds: &[1, 8],
        crowd_rounds: 2,
    };

    /// [`Self::QUICK`] if `BENCH_QUICK` is set, else [`Self::FULL`].
    pub(crate) fn of_environment() -> Self {
        match std::env::var_os("BENCH_QUICK") {
            Some(value) if !value.is_empty() => Self::QUICK,
            _ => Self::FULL,
        }
    }
}
