//! The proof: the tests pass without the mistake, the mistake compiles, and then a test fails.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::copy::Copy;
use super::mutants::{MUTANTS, Mutant};
use crate::error::Error;
use crate::process::{cargo, heading, root, run as run_to_end, shown};

/// The result of one mutant.
#[derive(Debug)]
struct Proof {
    mutant: &'static Mutant,
    caught: Caught,
    took: Duration,
}

#[derive(Debug, PartialEq)]
enum Caught {
    /// These tests failed.
    By(Vec<String>),
    /// The tests passed with the mistake in.
    Not,
    /// The run failed without a failed test; its exit status.
    Unclear(String),
}

/// Plants the named mutants, or all, and prints the tests that detected each.
///
/// # Errors
///
/// A mutant was not detected by a failing test, no longer applies, or does not compile; or the
/// tests fail without it.
pub(crate) fn run(only: &[String]) -> Result<(), Error> {
    let wanted = |mutant: &&Mutant| only.is_empty() || only.iter().any(|name| name == mutant.name);
    let mutants: Vec<_> = MUTANTS.iter().filter(wanted).collect();
    let copy = Copy::of(root());
    copy.refresh()?;
    for mutant in &mutants {
        heading(&format!("without `{}`", mutant.name));
        run_to_end(&mut test_command(&copy, mutant))?;
    }
    let mut proofs = Vec::new();
    for mutant in mutants {
        copy.refresh()?;
        proofs.push(prove(&copy, mutant)?);
    }
    // The copy is left without a mistake in it.
    copy.refresh()?;
    println!("{}", table(&proofs));
    verdict(&proofs)
}

fn prove(copy: &Copy, mutant: &'static Mutant) -> Result<Proof, Error> {
    let started = Instant::now();
    heading(&format!("with `{}`: {}", mutant.name, mutant.breaks));
    copy.edit(mutant.file, |text| mutant.plant(text))?;
    // A mutant that does not compile proves nothing about the tests.
    let mut build = test_command(copy, mutant);
    run_to_end(build.arg("--no-run"))?;

    let mut tests = test_command(copy, mutant);
    // Colours, which the user may have set, would hide the names in the output.
    tests.args(["--", "--color", "never"]);
    heading(&shown(&tests));
    let output = tests
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| Error::Start {
            command: shown(&tests),
            source,
        })?;
    let text = String::from_utf8_lossy(&output.stdout);
    let caught = match failed_tests(&text) {
        _ if output.status.success() => Caught::Not,
        failed if failed.is_empty() => {
            eprintln!("{text}");
            Caught::Unclear(output.status.to_string())
        }
        failed => Caught::By(failed),
    };
    Ok(Proof {
        mutant,
        caught,
        took: started.elapsed(),
    })
}

/// Returns the command for the tests that must detect a mutant, in the copy.
fn test_command(copy: &Copy, mutant: &Mutant) -> Command {
    let mut command = cargo();
    command
        .current_dir(copy.sources())
        .env("CARGO_TARGET_DIR", copy.target())
        .args(["test", "--package", mutant.package, "--lib", mutant.filter]);
    command
}

/// Finds the names of the failed tests in the output of the test harness.
fn failed_tests(output: &str) -> Vec<String> {
    let name = |line: &str| {
        let name = line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?;
        Some(name.trim_end_matches(" - should panic").to_owned())
    };
    output.lines().filter_map(name).collect()
}

fn table(proofs: &[Proof]) -> String {
    let caught = |proof: &Proof| match &proof.caught {
        Caught::By(tests) => match &tests[..] {
            [only] => only.clone(),
            [first, rest @ ..] => format!("{first} and {} more", rest.len()),
            [] => "nothing".to_owned(),
        },
        Caught::Not => "NOTHING".to_owned(),
        Caught::Unclear(status) => format!("UNCLEAR: {status}"),
    };
    let row = |mutant: &str, caught: &str, seconds: &str| {
        format!("\n{mutant:<20}  {caught:<80}  {seconds:>7}")
    };
    let mut text = row("mutant", "caught by", "seconds");
    for proof in proofs {
        let seconds = format!("{:.1}", proof.took.as_secs_f64());
        text += &row(proof.mutant.name, &caught(proof), &seconds);
    }
    text
}

fn verdict(proofs: &[Proof]) -> Result<(), Error> {
    let escaped: Vec<_> = proofs
        .iter()
        .filter(|proof| !matches!(&proof.caught, Caught::By(tests) if !tests.is_empty()))
        .map(|proof| proof.mutant.name)
        .collect();
    if escaped.is_empty() {
        return Ok(());
    }
    Err(Error::Finding(format!(
        "no test failed because of {}",
        escaped.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(caught: Caught) -> Proof {
        Proof {
            mutant: &MUTANTS[0],
            caught,
            took: Duration::from_millis(1_500),
        }
    }

    #[test]
    fn failed_tests_are_found_in_the_output() {
        let output = "\nrunning 3 tests\ntest a::works ... ok\ntest a::breaks ... FAILED\n\
                      test a::panics - should panic ... FAILED\n\nfailures:\n    a::breaks\n";
        assert_eq!(failed_tests(output), ["a::breaks", "a::panics"]);
        assert_eq!(
            failed_tests("error: could not compile `a`"),
            [] as [&str; 0]
        );
    }

    #[test]
    fn only_a_failed_test_counts_as_caught() {
        assert!(verdict(&[proof(Caught::By(vec!["a".to_owned()]))]).is_ok());
        for caught in [
            Caught::Not,
            Caught::Unclear("exit status: 101".to_owned()),
            Caught::By(Vec::new()),
        ] {
            let error = verdict(&[proof(caught)]).unwrap_err();
            assert_eq!(error.to_string(), "no test failed because of no-recording");
        }
    }

    #[test]
    fn table_shows_the_detecting_tests_and_the_time() {
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        let table = table(&[proof(Caught::By(names)), proof(Caught::Not)]);
        let rows: Vec<Vec<_>> = table
            .lines()
            .skip(2)
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(rows[0], ["no-recording", "a", "and", "2", "more", "1.5"]);
        assert_eq!(rows[1], ["no-recording", "NOTHING", "1.5"]);
    }
}
