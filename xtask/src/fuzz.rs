//! `cargo xtask fuzz`: fuzzes every reader of untrusted input, for a while.
//!
//! The targets are those of `fuzz/fuzz_targets`. libFuzzer chooses its inputs by code coverage,
//! which a stable compiler can count as well, through LLVM's own flags. A nightly compiler would
//! add the address sanitizer, which finds mistakes in `unsafe` code, and there is none here.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use clap::Args;

use crate::error::Error;
use crate::process::{cargo, heading, output, root, run, shown};
use crate::programs::{C_COMPILER, CXX_COMPILER};

/// The flags for libFuzzer's coverage counters, and the `cfg` that crates are fuzzed under.
const FLAGS: [&str; 7] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Ccodegen-units=1",
    "--cfg",
    "fuzzing",
];

/// The memory limit of a target, in MB. The largest needs a tenth of it, so a target that grows
/// with its inputs is found.
const MEMORY_MB: u32 = 512;

/// The time limit of one input, in seconds. The slowest valid one takes milliseconds.
const INPUT_SECONDS: u32 = 10;

/// Lines of a target's output that are shown after a crash.
const SHOWN_LINES: usize = 40;

#[derive(Debug, Args)]
pub(crate) struct Fuzz {
    /// The total time, without that to build; each target gets the same share
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
    /// Runs one target on this input only, as after a crash
    #[arg(long, value_name = "FILE", conflicts_with = "minutes")]
    input: Option<PathBuf>,
    /// Runs only these; all unless named
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
}

/// Runs the targets one after the other, and fails if one of them crashed.
pub(crate) fn fuzz(options: &Fuzz) -> Result<(), Error> {
    let targets = choose(&targets()?, &options.targets)?;
    C_COMPILER.ensure()?;
    CXX_COMPILER.ensure()?;
    let folder = BuildFolder::new()?;
    if let Some(input) = &options.input {
        let [target] = &targets[..] else {
            return Err(Error::Finding(format!(
                "`--input` is for one target; name one of {}",
                targets.join(", ")
            )));
        };
        run(&mut build(&folder, &targets))?;
        return run(folder.target(target).arg(input));
    }
    run(&mut build(&folder, &targets))?;
    let share = (options.minutes * 60 / targets.len() as u64).max(1);
    let mut results = Vec::new();
    for target in &targets {
        heading(&format!("{target}, for {share} s"));
        results.push((target.as_str(), fuzz_one(&folder, target, share)?));
    }
    report(&results)
}

/// Returns the names of all targets, sorted.
fn targets() -> Result<BTreeSet<String>, Error> {
    let dir = root().join("fuzz").join("fuzz_targets");
    let unreadable = |source| Error::file("read", &dir, source);
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(&dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(
                path.file_stem()
                    .map(|name| name.to_string_lossy().into_owned()),
            );
        }
    }
    Ok(names)
}

fn choose(all: &BTreeSet<String>, wanted: &[String]) -> Result<Vec<String>, Error> {
    if let Some(unknown) = wanted.iter().find(|name| !all.contains(*name)) {
        let all: Vec<_> = all.iter().map(String::as_str).collect();
        return Err(Error::Finding(format!(
            "there is no fuzz target `{unknown}`; there are {}",
            all.join(", ")
        )));
    }
    let chosen = |name: &&String| wanted.is_empty() || wanted.contains(name);
    Ok(all.iter().filter(chosen).cloned().collect())
}

/// The folder `target/fuzz`, which has everything but the seeds.
struct BuildFolder {
    dir: PathBuf,
    /// The host. Naming a platform, even that of the host, keeps the flags from build scripts and
    /// macros.
    platform: String,
}

impl BuildFolder {
    fn new() -> Result<Self, Error> {
        let about = output(cargo().arg("-vV"))?;
        let about = String::from_utf8_lossy(&about);
        let platform = about.lines().find_map(|line| line.strip_prefix("host: "));
        let Some(platform) = platform else {
            return Err(Error::Finding(
                "`cargo -vV` does not name the platform as `host`".to_owned(),
            ));
        };
        Ok(Self {
            dir: root().join("target").join("fuzz"),
            platform: platform.to_owned(),
        })
    }

    /// Returns a command that runs a target within the limits.
    fn target(&self, name: &str) -> Command {
        let program = self.dir.join(&self.platform).join("release").join(name);
        let mut command = Command::new(program);
        command.current_dir(root());
        command.arg(format!("-rss_limit_mb={MEMORY_MB}"));
        command.arg(format!("-timeout={INPUT_SECONDS}"));
        command
    }

    /// Returns a folder of a target, and creates it if it is missing.
    fn of(&self, kind: &str, target: &str) -> Result<PathBuf, Error> {
        let dir = self.dir.join(kind).join(target);
        fs::create_dir_all(&dir).map_err(|source| Error::file("create", &dir, source))?;
        Ok(dir)
    }
}

fn build(folder: &BuildFolder, targets: &[String]) -> Command {
    let mut command = cargo();
    // Not `--locked`: the lock names our own crates, and what those need changes with them.
    command.args(["build", "--release", "--manifest-path", "fuzz/Cargo.toml"]);
    command.args(["--target", &folder.platform, "--target-dir", "target/fuzz"]);
    for target in targets {
        command.args(["--bin", target]);
    }
    // This variable overrides all other sources of flags.
    command.env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"));
    command
}

/// The result of one target.
#[derive(Debug, Default, PartialEq, Eq)]
struct TargetResult {
    executions: u64,
    /// Edges between basic blocks that were covered.
    coverage: u64,
    peak_mb: u64,
    /// The input that crashed it.
    crash: Option<PathBuf>,
}

fn fuzz_one(folder: &BuildFolder, target: &str, seconds: u64) -> Result<TargetResult, Error> {
    let corpus = folder.of("corpus", target)?;
    let crashes = folder.of("crashes", target)?;
    let log = folder.of("logs", target)?.join("last");
    let seeds = root().join("fuzz").join("seeds").join(target);
    let create = |source| Error::file("write", &log, source);
    let file = File::create(&log).map_err(create)?;
    let mut command = folder.target(target);
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-artifact_prefix={}/", crashes.display()));
    command.arg("-print_final_stats=1").args([&corpus, &seeds]);
    command
        .stdout(file.try_clone().map_err(create)?)
        .stderr(file);
    let status = command.status().map_err(|source| Error::Start {
        command: shown(&command),
        source,
    })?;
    // The output of a target may be invalid UTF-8.
    let text = fs::read(&log).map_err(|source| Error::file("read", &log, source))?;
    let text = String::from_utf8_lossy(&text);
    let result = read(&text);
    if !status.success() {
        show_end(&text);
    }
    verdict(result, status, &command, &log)
}

/// Returns an error for a target that did not fuzz: it failed without a crashing input, so it did
/// not start or was killed, or it ran nothing.
fn verdict(
    result: TargetResult,
    status: ExitStatus,
    command: &Command,
    log: &Path,
) -> Result<TargetResult, Error> {
    match (status.success(), &result.crash) {
        (true, None) if result.executions > 0 && result.coverage > 0 => Ok(result),
        (true, _) => Err(Error::Finding(format!(
            "`{}` ran nothing, or was built without counters; see {}",
            shown(command),
            log.display()
        ))),
        (false, Some(_)) => Ok(result),
        (false, None) => Err(Error::Failed {
            command: shown(command),
            status,
        }),
    }
}

/// Parses the output of libFuzzer.
fn read(text: &str) -> TargetResult {
    let mut result = TargetResult::default();
    for line in text.lines() {
        let number = |name: &str| line.strip_prefix(name)?.trim().parse().ok();
        if let Some(count) = number("stat::number_of_executed_units:") {
            result.executions = count;
        } else if let Some(mb) = number("stat::peak_rss_mb:") {
            result.peak_mb = mb;
        } else if let Some((_, path)) = line.split_once("Test unit written to ") {
            result.crash = Some(path.trim().into());
        } else if let Some((_, after)) = line.split_once(" cov: ") {
            let count = after.split_whitespace().next();
            let count = count.and_then(|count| count.parse().ok());
            result.coverage = count.unwrap_or(result.coverage);
        }
    }
    result
}

/// Prints the message of a target's panic and the lines after it, or else the last lines.
fn show_end(text: &str) {
    let lines: Vec<_> = text.lines().collect();
    let panic = lines.iter().rposition(|line| line.contains("panicked at"));
    let start = panic.unwrap_or(lines.len().saturating_sub(SHOWN_LINES));
    for line in lines.iter().skip(start).take(SHOWN_LINES) {
        eprintln!("{line}");
    }
}

fn report(results: &[(&str, TargetResult)]) -> Result<(), Error> {
    println!(
        "{:<16} {:>12} {:>10} {:>8} {:>8}",
        "target", "executions", "coverage", "peak MB", "crashes"
    );
    for (target, result) in results {
        let crashes = u8::from(result.crash.is_some());
        let TargetResult {
            executions,
            coverage,
            peak_mb,
            ..
        } = result;
        println!("{target:<16} {executions:>12} {coverage:>10} {peak_mb:>8} {crashes:>8}");
    }
    let crashes: Vec<_> = results
        .iter()
        .filter_map(|(target, result)| {
            let input = result.crash.as_ref()?.display();
            Some(format!(
                "{target} on {input}; run it again with `cargo xtask fuzz {target} --input {input}`"
            ))
        })
        .collect();
    if crashes.is_empty() {
        return Ok(());
    }
    Err(Error::Finding(format!(
        "crashed: {}",
        crashes.join(", and ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "INFO: seed corpus: files: 2\n#2\tINITED cov: 73 ft: 74 corp: 1/1b exec/s: 0 rss: 28Mb\n\
        #4096\tpulse  cov: 81 ft: 99 corp: 9/80b lim: 43 exec/s: 2048 rss: 30Mb\n";

    #[test]
    fn executions_coverage_and_memory_are_read() {
        let text = format!(
            "{OUTPUT}Done 4100 runs in 2 second(s)\nstat::number_of_executed_units: 4100\nstat::peak_rss_mb:              31\n"
        );
        let expected = TargetResult {
            executions: 4_100,
            coverage: 81,
            peak_mb: 31,
            crash: None,
        };
        assert_eq!(read(&text), expected);
    }

    #[test]
    fn crash_report_has_the_input_and_the_command_to_repeat_it() {
        let text = format!(
            "{OUTPUT}thread '<unnamed>' panicked at x.rs:1:1:\n\
             artifact_prefix='/r/'; Test unit written to /r/crash-da39\nstat::number_of_executed_units: 7\n"
        );
        let result = read(&text);
        assert_eq!(
            (result.executions, result.crash.as_deref()),
            (7, Some(Path::new("/r/crash-da39")))
        );
        let error = report(&[("lock", TargetResult::default()), ("catalog", result)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "crashed: catalog on /r/crash-da39; run it again with `cargo xtask fuzz catalog --input /r/crash-da39`"
        );
        assert!(report(&[("lock", TargetResult::default())]).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn target_that_ran_nothing_fails() {
        use std::os::unix::process::ExitStatusExt;
        let verdict = |result, raw| {
            let command = Command::new("lock");
            verdict(
                result,
                ExitStatus::from_raw(raw),
                &command,
                Path::new("log"),
            )
        };
        let ran = || TargetResult {
            executions: 1,
            coverage: 1,
            ..TargetResult::default()
        };
        assert!(verdict(ran(), 0).is_ok());
        assert!(
            verdict(
                TargetResult {
                    coverage: 0,
                    ..ran()
                },
                0
            )
            .is_err(),
            "not instrumented"
        );
        assert!(verdict(TargetResult::default(), 0).is_err());
        assert!(verdict(ran(), 9).is_err(), "killed");
        assert!(
            verdict(
                TargetResult {
                    crash: Some("x".into()),
                    ..ran()
                },
                77 << 8
            )
            .is_ok(),
            "reported"
        );
    }

    #[test]
    fn every_target_has_seeds_and_is_built() {
        let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
        for target in targets().unwrap() {
            let seeds = root().join("fuzz/seeds").join(&target);
            assert!(
                fs::read_dir(&seeds).is_ok_and(|mut files| files.next().is_some()),
                "{target}"
            );
            assert!(
                manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")),
                "{target}"
            );
        }
    }

    #[test]
    fn unknown_target_is_reported_with_the_known() {
        let all = BTreeSet::from(["lock".to_owned(), "catalog".to_owned()]);
        assert_eq!(choose(&all, &[]).unwrap(), ["catalog", "lock"]);
        assert_eq!(choose(&all, &["lock".to_owned()]).unwrap(), ["lock"]);
        let error = choose(&all, &["lok".to_owned()]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no fuzz target `lok`; there are catalog, lock"
        );
    }
}
