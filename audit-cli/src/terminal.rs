//! Prints to the terminal, and asks for confirmation.

use std::io::{self, BufRead, IsTerminal, Write};

/// Writes to the standard output, with colors if the terminal supports them.
///
/// A closed output is not a failure.
pub(crate) fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
    let mut out = anstream::stdout().lock();
    drop(write(&mut out).and_then(|()| out.flush()));
}

/// Replaces control characters, which a terminal would interpret, in text from another source.
pub(crate) fn sanitize(text: &str) -> String {
    let visible = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().map(visible).collect()
}

/// Returns `true` if the command runs on a terminal that can answer a question.
pub(crate) fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Prints a question and reads a line. Returns `true` if it is a yes.
pub(crate) fn confirm(question: &str) -> io::Result<bool> {
    print(|out| write!(out, "{question} [y/N] "));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(is_yes(&answer))
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_y_and_yes_confirm() {
        assert!(is_yes("y\n") && is_yes(" Yes \r\n"));
        for other in ["", "\n", "n\n", "yep\n", "j\n"] {
            assert!(!is_yes(other), "{other:?}");
        }
    }
}
