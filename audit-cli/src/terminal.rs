//! What is printed for people, and what they are asked.

use std::io::{self, BufRead, IsTerminal, Write};

/// Writes to the standard output, with colours where they are wanted. That nobody reads is no
/// failure.
pub(crate) fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
    let mut out = anstream::stdout().lock();
    drop(write(&mut out).and_then(|()| out.flush()));
}

/// Without what a terminal would act on: what others wrote may hold anything.
pub(crate) fn plain(text: &str) -> String {
    let visible = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().map(visible).collect()
}

/// Whether there is a person to ask.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Prints the question, and waits for a line; whether it is a yes.
pub(crate) fn agrees_to(question: &str) -> io::Result<bool> {
    print(|out| write!(out, "{question} [y/N] "));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(agrees(&answer))
}

fn agrees(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_agrees() {
        assert!(agrees("y\n") && agrees(" Yes \r\n"));
        for other in ["", "\n", "n\n", "yep\n", "j\n"] {
            assert!(!agrees(other), "{other:?}");
        }
    }
}
