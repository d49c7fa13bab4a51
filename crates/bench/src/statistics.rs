//! Medians, with their spread.

/// What many measurements of one thing come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    /// A quarter of all lie below.
    pub(crate) lower: f64,
    /// A quarter of all lie above.
    pub(crate) upper: f64,
    pub(crate) p95: f64,
    pub(crate) p99: f64,
}

impl Summary {
    /// Panics if there is nothing.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |percent: usize| values[(values.len() - 1) * percent / 100];
        Self {
            median: at(50),
            lower: at(25),
            upper: at(75),
            p95: at(95),
            p99: at(99),
        }
    }

    /// What is beyond `base`, round by round: what the machine did besides at the
    /// time met both.
    pub(crate) fn beyond(values: &[f64], base: &[f64]) -> Self {
        Self::of(values.iter().zip(base).map(|(value, base)| value - base))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_all_lie_below_the_median_and_a_quarter_below_the_lower_one() {
        let summary = Summary::of((0..=100).rev().map(f64::from));
        assert_eq!(
            (summary.lower, summary.median, summary.upper),
            (25.0, 50.0, 75.0)
        );
        assert_eq!((summary.p95, summary.p99), (95.0, 99.0));
    }

    #[test]
    fn a_share_is_taken_round_by_round() {
        let summary = Summary::beyond(&[5.0, 105.0, 9.0], &[1.0, 100.0, 3.0]);
        assert_eq!(summary.median, 5.0);
    }
}
