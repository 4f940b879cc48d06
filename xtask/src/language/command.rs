//! Prints the figures of each package beside the goals and the baseline.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::baseline::{BASELINE_COMMIT, baseline, baseline_total};
use super::exceptions::{EXCEPTIONS, Exceptions};
use super::measure::{Figures, Finding, MAX_COLUMNS, Rule, measure};
use crate::error::Error;
use crate::process::root;
use crate::sources::packages;

/// The goal for the interrogative share of the summary lines, in percent.
const MAX_INTERROGATIVE_PERCENT: f64 = 3.0;

/// The goal for listed words in 1,000 words of comments.
const MAX_LISTED_PER_THOUSAND: f64 = 1.5;

#[derive(Debug, Args)]
pub(crate) struct CheckLanguage {
    /// Lists each finding with its file and line
    #[arg(long)]
    list: bool,
    /// Measures the sources in this folder instead of the repository's
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Only these packages, by their folders; all unless named
    #[arg(value_name = "PACKAGE")]
    packages: Vec<String>,
}

/// Measures the comments of all packages.
///
/// # Errors
///
/// A package or the total misses a goal, an exception fits nothing, or a file cannot be read.
pub(crate) fn check_language(options: &CheckLanguage) -> Result<(), Error> {
    let root = options.folder.as_deref().unwrap_or_else(|| root());
    let mut exceptions = Exceptions::new(EXCEPTIONS);
    let mut rows = Vec::new();
    for (package, files) in packages(root)? {
        if !options.packages.is_empty() && !options.packages.contains(&package) {
            continue;
        }
        let mut figures = Figures::default();
        for file in &files {
            let (measured, findings) = measure_file(root, file, &mut exceptions)?;
            figures.add(measured);
            if options.list {
                findings.iter().for_each(|finding| print(file, finding));
            }
        }
        rows.push(Row {
            before: baseline(&package),
            package,
            figures,
        });
    }
    // The total of a part would be shown beside the whole of the baseline.
    if options.packages.is_empty() {
        rows.push(total(&rows));
    }
    println!("{}", table(&rows));
    let mut problems: Vec<_> = rows.iter().flat_map(missed_goals).collect();
    if options.packages.is_empty() && options.folder.is_none() {
        problems.extend(exceptions.unused());
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(Error::Finding(format!(
        "the language misses its goals\n  {}",
        problems.join("\n  ")
    )))
}

fn measure_file(
    root: &Path,
    file: &str,
    exceptions: &mut Exceptions,
) -> Result<(Figures, Vec<Finding>), Error> {
    let path = root.join(file);
    let source = fs::read_to_string(&path).map_err(|source| Error::file("read", &path, source))?;
    Ok(measure(&source, |finding| exceptions.covers(file, finding)))
}

fn print(file: &str, finding: &Finding) {
    let rule = match finding.rule {
        Rule::Interrogative => "interrogative summary".to_owned(),
        Rule::ListedWord(word) => format!("listed word `{word}`"),
        Rule::Wide(columns) => format!("{columns} columns"),
    };
    println!("{file}:{}: {rule}: {}", finding.line, finding.text);
}

/// One row of the table.
#[derive(Debug)]
struct Row {
    package: String,
    figures: Figures,
    before: Option<Figures>,
}

fn total(rows: &[Row]) -> Row {
    let mut figures = Figures::default();
    rows.iter().for_each(|row| figures.add(row.figures));
    Row {
        package: "total".to_owned(),
        figures,
        before: Some(baseline_total()),
    }
}

fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<28} {:>9} {:>15} {:>8} {:>8} {:>15} {:>8} {:>11} {:>8}\n",
        "package",
        "summaries",
        "interrogative %",
        "before",
        "words",
        "listed / 1,000",
        "before",
        format!("> {MAX_COLUMNS} cols"),
        "before"
    );
    for row in rows {
        let Row {
            package,
            figures,
            before,
        } = row;
        let before = |shown: fn(&Figures) -> String| before.as_ref().map_or("–".to_owned(), shown);
        text += &format!(
            "{package:<28} {:>9} {:>15.1} {:>8} {:>8} {:>15.2} {:>8} {:>11} {:>8}\n",
            figures.summaries,
            figures.interrogative_percent(),
            before(|figures| format!("{:.1}", figures.interrogative_percent())),
            figures.words,
            figures.listed_per_thousand(),
            before(|figures| format!("{:.2}", figures.listed_per_thousand())),
            figures.wide,
            before(|figures| figures.wide.to_string()),
        );
    }
    text + &format!(
        "{:<28} {:>25} {:>33} {:>20}\n(before: commit {BASELINE_COMMIT})",
        "goal",
        format!("≤ {MAX_INTERROGATIVE_PERCENT:.1}"),
        format!("≤ {MAX_LISTED_PER_THOUSAND:.2}"),
        0
    )
}

/// Returns a sentence for each goal that a row misses.
fn missed_goals(row: &Row) -> Vec<String> {
    let Row {
        package, figures, ..
    } = row;
    let mut missed = Vec::new();
    if figures.interrogative_percent() > MAX_INTERROGATIVE_PERCENT {
        missed.push(format!(
            "{package}: {} of {} summary lines begin with an interrogative",
            figures.interrogative, figures.summaries
        ));
    }
    if figures.listed_per_thousand() > MAX_LISTED_PER_THOUSAND {
        missed.push(format!(
            "{package}: {} listed words in {} words",
            figures.listed, figures.words
        ));
    }
    if figures.wide > 0 {
        missed.push(format!(
            "{package}: lines with a comment wider than {MAX_COLUMNS} columns: {}",
            figures.wide
        ));
    }
    missed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(figures: Figures) -> Row {
        Row {
            package: "kit".to_owned(),
            figures,
            before: None,
        }
    }

    #[test]
    fn each_missed_goal_is_a_sentence() {
        let met = Figures {
            summaries: 100,
            interrogative: 3,
            words: 2_000,
            listed: 3,
            wide: 0,
        };
        assert_eq!(missed_goals(&row(met)), [] as [&str; 0]);
        let missed = Figures {
            interrogative: 4,
            listed: 4,
            wide: 1,
            ..met
        };
        let expected = [
            "kit: 4 of 100 summary lines begin with an interrogative",
            "kit: 4 listed words in 2000 words",
            "kit: lines with a comment wider than 100 columns: 1",
        ];
        assert_eq!(missed_goals(&row(missed)), expected);
    }

    #[test]
    fn packages_without_a_baseline_are_shown_without_one() {
        let table = table(&[row(Figures::default()), total(&[])]);
        let cells: Vec<_> = table.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(cells, ["kit", "0", "0.0", "–", "0", "0.00", "–", "0", "–"]);
    }
}
