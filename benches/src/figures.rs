//! Figures, and tables that show them beside their goals.

/// The measured values of one contender, one per round or per event.
#[derive(Clone, Debug)]
pub struct Series {
    pub label: &'static str,
    pub values: Vec<f64>,
    /// The text of one more column.
    pub note: String,
}

impl Series {
    #[must_use]
    pub fn new(label: &'static str) -> Self {
        Self {
            label,
            values: Vec::new(),
            note: String::new(),
        }
    }

    /// Returns the difference of the two series, round by round.
    #[must_use]
    pub fn less(&self, that: &Self) -> Self {
        Self {
            values: pairs(&self.values, &that.values, |this, that| this - that),
            ..self.clone()
        }
    }

    #[must_use]
    pub fn median(&self) -> f64 {
        quartiles(&self.values)[1]
    }
}

/// A bound on our figure, in multiples of another contender's.
#[derive(Clone, Copy, Debug)]
pub struct Goal {
    pub beside: &'static str,
    pub bound: Bound,
}

#[derive(Clone, Copy, Debug)]
pub enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Bound {
    #[must_use]
    pub fn is_met(self, ratio: f64) -> bool {
        match self {
            Self::AtMost(most) => ratio <= most,
            Self::AtLeast(least) => ratio >= least,
        }
    }

    fn shown(self) -> String {
        match self {
            Self::AtMost(most) => format!("≤ {most}"),
            Self::AtLeast(least) => format!("≥ {least}"),
        }
    }
}

/// The way to divide two series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ratio {
    /// The median of the ratios of each round: what disturbs a round disturbs both.
    OfRounds,
    /// The ratio of the medians: for values that may be near zero or do not come in rounds.
    OfMedians,
}

/// One table: the first series is ours, the others are those of its peers.
#[derive(Clone, Debug)]
pub struct Table<'a> {
    pub title: &'a str,
    /// The heading of the figures.
    pub unit: &'a str,
    /// The heading of the notes; empty without any.
    pub notes: &'a str,
    pub ratio: Ratio,
    pub goals: &'a [Goal],
    /// Shows the 99th percentile as well.
    pub tail: bool,
}

impl Table<'_> {
    /// Prints the table, with each goal and its result.
    #[expect(
        clippy::print_stdout,
        reason = "the table is the output of the program"
    )]
    pub fn print(&self, series: &[Series]) {
        let tail = if self.tail { "p99" } else { "" };
        println!("\n{}\n", self.title);
        println!(
            "{:44} {:>9} {:>19} {tail:>9} {:>11} {:>17} {:>7}",
            "", self.unit, "(quartiles)", self.notes, "ours, times this", "goal"
        );
        let Some(ours) = series.first() else { return };
        for (index, this) in series.iter().enumerate() {
            let [low, median, high] = quartiles(&this.values);
            let tail = if self.tail {
                shown(percentile(&this.values, 99))
            } else {
                String::new()
            };
            print!(
                "{:44} {:>9} {:>19} {tail:>9} {:>11}",
                this.label,
                shown(median),
                format!("({}–{})", shown(low), shown(high)),
                this.note
            );
            if index > 0 {
                let ratio = self.divide(ours, this);
                print!(" {ratio:>17.3}");
                for goal in self.goals.iter().filter(|goal| goal.beside == this.label) {
                    let met = if goal.bound.is_met(ratio) {
                        "met"
                    } else {
                        "MISSED"
                    };
                    print!(" {:>7}  {met}", goal.bound.shown());
                }
            }
            println!();
        }
    }

    fn divide(&self, this: &Series, that: &Series) -> f64 {
        match self.ratio {
            Ratio::OfRounds => {
                quartiles(&pairs(&this.values, &that.values, |this, that| this / that))[1]
            }
            Ratio::OfMedians => this.median() / that.median(),
        }
    }
}

fn shown(value: f64) -> String {
    if value.abs() < 100.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

/// Combines the values of the same round.
fn pairs(these: &[f64], those: &[f64], of: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let pairs = these.iter().zip(those);
    pairs.map(|(this, that)| of(*this, *that)).collect()
}

/// Returns the quartiles of the values.
fn quartiles(values: &[f64]) -> [f64; 3] {
    [25, 50, 75].map(|percent| percentile(values, percent))
}

/// Returns the smallest value that at least `percent` of all values do not exceed (nearest rank).
fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted
        .get(rank.saturating_sub(1))
        .copied()
        .unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_of_the_sorted_values() {
        let values: Vec<_> = (1..=100).rev().map(f64::from).collect();
        assert!(quartiles(&values) == [25.0, 50.0, 75.0]);
        assert!(percentile(&values, 99) == 99.0);
        assert!(percentile(&[7.0], 50) == 7.0);
    }

    #[test]
    fn ratio_of_rounds_differs_from_that_of_the_medians() {
        let series = |values: &[f64]| Series {
            values: values.to_vec(),
            ..Series::new("x")
        };
        let (this, that) = (series(&[1.0, 2.0, 9.0]), series(&[1.0, 1.0, 3.0]));
        let table = |ratio| Table {
            title: "",
            unit: "",
            notes: "",
            ratio,
            goals: &[],
            tail: false,
        };
        assert!(table(Ratio::OfRounds).divide(&this, &that) == 2.0);
        assert!(table(Ratio::OfMedians).divide(&this, &that) == 2.0);
        let that = series(&[2.0, 1.0, 1.0]);
        assert!(table(Ratio::OfRounds).divide(&this, &that) == 2.0);
        assert!(this.less(&that).values == [-1.0, 1.0, 8.0]);
    }

    #[test]
    fn goal_is_met_on_its_own_side_of_the_bound() {
        assert!(Bound::AtMost(2.0).is_met(2.0) && !Bound::AtMost(2.0).is_met(2.1));
        assert!(Bound::AtLeast(2.0).is_met(2.0) && !Bound::AtLeast(2.0).is_met(1.9));
        assert!(!Bound::AtMost(2.0).is_met(f64::NAN), "nothing measured");
    }
}
