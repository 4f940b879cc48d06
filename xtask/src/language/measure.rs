//! Measures the comments of one file.

use super::comments::{Comment, Kind, comments};

/// The first words that make a summary line a question instead of "Verb object." or "The noun that
/// …".
const INTERROGATIVES: [&str; 9] = [
    "what", "whether", "how", "who", "whom", "whose", "where", "when", "why",
];

/// Words to replace: persons where a role is meant, and everyday verbs where the field has a
/// technical one.
const LISTED_WORDS: [&str; 22] = [
    "tell",
    "tells",
    "told",
    "say",
    "says",
    "said",
    "hear",
    "hears",
    "heard",
    "nobody",
    "whoever",
    "somebody",
    "anybody",
    "everybody",
    "mend",
    "mends",
    "mended",
    "stand",
    "stands",
    "stood",
    "bury",
    "buried",
];

/// The widest that a line with a comment may be, in columns.
pub(super) const MAX_COLUMNS: usize = 100;

/// A rule whose breaches are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// A summary line begins with an interrogative.
    Interrogative,
    /// A word of [`LISTED_WORDS`] is used.
    ListedWord(&'static str),
    /// A line with a comment is wider than [`MAX_COLUMNS`].
    Wide(usize),
}

/// One place where a rule is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) line: usize,
    pub(super) rule: Rule,
    pub(super) text: String,
}

/// The counts of a file, a crate or the workspace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    /// First lines of doc comments.
    pub(super) summaries: u32,
    pub(super) interrogative: u32,
    /// Words of all comments, without the code blocks of docs.
    pub(super) words: u32,
    pub(super) listed: u32,
    /// Lines with a comment wider than [`MAX_COLUMNS`].
    pub(super) wide: u32,
}

impl Figures {
    pub(super) fn add(&mut self, other: Self) {
        self.summaries += other.summaries;
        self.interrogative += other.interrogative;
        self.words += other.words;
        self.listed += other.listed;
        self.wide += other.wide;
    }

    /// Returns the interrogative share of the summary lines, in percent.
    pub(super) fn interrogative_percent(&self) -> f64 {
        100.0 * f64::from(self.interrogative) / f64::from(self.summaries.max(1))
    }

    /// Returns the listed words in 1,000 words.
    pub(super) fn listed_per_thousand(&self) -> f64 {
        1_000.0 * f64::from(self.listed) / f64::from(self.words.max(1))
    }
}

/// Measures one file. Findings for which `is_excepted` returns `true` are not counted.
pub(super) fn measure(
    source: &str,
    mut is_excepted: impl FnMut(&Finding) -> bool,
) -> (Figures, Vec<Finding>) {
    let mut figures = Figures::default();
    let mut findings = Vec::new();
    let mut previous: Option<Comment<'_>> = None;
    let (mut is_summary, mut in_code) = (false, false);
    for comment in comments(source) {
        let continues = previous
            .as_ref()
            .is_some_and(|before| before.kind == comment.kind && before.line + 1 == comment.line);
        if !continues {
            (is_summary, in_code) = (comment.kind != Kind::Plain, false);
        }
        let is_fence = comment.kind != Kind::Plain && comment.text.trim_start().starts_with("```");
        if is_fence {
            in_code = !in_code;
        } else if !in_code {
            if is_summary && !comment.text.is_empty() {
                figures.summaries += 1;
                is_summary = false;
                if is_interrogative(comment.text) {
                    findings.push(finding(&comment, Rule::Interrogative));
                }
            }
            figures.words += words(comment.text);
            let listed = listed_words(comment.text);
            findings.extend(listed.map(|word| finding(&comment, Rule::ListedWord(word))));
            let columns = comment.indent + comment.text.chars().count();
            if columns > MAX_COLUMNS && can_be_broken(&comment) {
                findings.push(finding(&comment, Rule::Wide(columns)));
            }
        }
        previous = Some(comment);
    }
    findings.retain(|finding| !is_excepted(finding));
    for finding in &findings {
        match finding.rule {
            Rule::Interrogative => figures.interrogative += 1,
            Rule::ListedWord(_) => figures.listed += 1,
            Rule::Wide(_) => figures.wide += 1,
        }
    }
    (figures, findings)
}

fn finding(comment: &Comment<'_>, rule: Rule) -> Finding {
    Finding {
        line: comment.line,
        rule,
        text: comment.text.trim().to_owned(),
    }
}

fn is_interrogative(summary: &str) -> bool {
    // What only decorates the word does not hide it.
    let text = summary.trim_start_matches(|first: char| !first.is_alphanumeric());
    let end = text.find(|character: char| !character.is_alphanumeric());
    let word = text[..end.unwrap_or(text.len())].to_lowercase();
    INTERROGATIVES.contains(&word.as_str())
}

/// Counts what spaces separate and has a letter in it.
fn words(text: &str) -> u32 {
    let words = text
        .split_whitespace()
        .filter(|word| word.chars().any(char::is_alphabetic));
    u32::try_from(words.count()).unwrap_or(u32::MAX)
}

/// Returns each use of a listed word. A compound such as `stand-in` is a word of its own.
fn listed_words(text: &str) -> impl Iterator<Item = &'static str> {
    let is_part = |character: char| character.is_alphanumeric() || "_-".contains(character);
    text.split(move |character| !is_part(character))
        .filter_map(|word| {
            let word = word.to_lowercase();
            LISTED_WORDS.into_iter().find(|listed| *listed == word)
        })
}

/// Returns `false` for the row of a table, the target of a link, and a line whose first word alone
/// is too wide.
fn can_be_broken(comment: &Comment<'_>) -> bool {
    let text = comment.text.trim_start();
    let is_table = text.starts_with('|');
    let is_link_target = text.starts_with('[') && text.contains("]: ");
    let list_marks = ["- ", "* "];
    let item = list_marks.iter().find_map(|mark| text.strip_prefix(mark));
    let text = item.unwrap_or(text);
    let first_word = text.split_whitespace().next().unwrap_or(text);
    let before = comment.text.len() - text.len();
    let columns = comment.indent + before + first_word.chars().count();
    !is_table && !is_link_target && columns <= MAX_COLUMNS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(source: &str) -> Figures {
        measure(source, |_| false).0
    }

    #[test]
    fn summary_lines_that_ask_are_counted() {
        let asking = "/// Whether it is open.\nfn a() {}\n//! What it is.\n/// `How` it is done.\n";
        assert_eq!(
            (figures(asking).summaries, figures(asking).interrogative),
            (3, 3)
        );
        let plain = "/// Returns `true` if open.\n/// What follows is no summary.\nfn a() {}\n\
                     // What a comment begins with is free.\n/// Whatever it is.\n";
        assert_eq!(
            (figures(plain).summaries, figures(plain).interrogative),
            (2, 0)
        );
    }

    #[test]
    fn listed_words_are_counted_as_whole_words() {
        let source = "// Tell `say`, said; a stand-in understands what is_told and retells.\n";
        let (figures, findings) = measure(source, |_| false);
        let words: Vec<_> = findings.iter().map(|finding| finding.rule).collect();
        let expected = ["tell", "say", "said"].map(Rule::ListedWord);
        assert_eq!(words, expected);
        assert_eq!((figures.words, figures.listed), (10, 3));
    }

    #[test]
    fn code_blocks_of_docs_are_not_counted() {
        let code = format!("/// ```\n/// say({});\n/// ```\n", "a, ".repeat(40));
        let source = format!("/// Verb object.\n///\n{code}/// Said.\n");
        let figures = figures(&source);
        assert_eq!((figures.words, figures.listed, figures.wide), (3, 1, 0));
    }

    #[test]
    fn lines_that_cannot_be_broken_may_be_wide() {
        let long = "x".repeat(MAX_COLUMNS);
        for text in [
            format!("| a | {long} |"),
            format!("[a]: https://{long}"),
            format!("<https://{long}>"),
            format!("- [a](https://{long}) b"),
        ] {
            assert_eq!(figures(&format!("/// {text}\n")).wide, 0, "{text}");
        }
        let words = "word ".repeat(20);
        assert_eq!(figures(&format!("// {words}\n")).wide, 1);
        assert_eq!(figures(&format!("let a = 1; // {words}\n")).wide, 1);
        assert_eq!(figures(&format!("// {}\n", &words[..96])).wide, 0);
    }

    #[test]
    fn excepted_findings_are_not_counted() {
        let (figures, findings) = measure("// Say it.\n", |finding| finding.text == "Say it.");
        assert_eq!((figures.words, figures.listed), (2, 0));
        assert!(findings.is_empty());
    }

    #[test]
    fn rates_of_nothing_are_zero() {
        let none = Figures::default();
        assert!(none.interrogative_percent() == 0.0 && none.listed_per_thousand() == 0.0);
    }
}
