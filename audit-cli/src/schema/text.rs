//! A plan as text.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use audit_catalog::{ChangeKind, Plan, PlanState, PlannedAction, RESERVED_METADATA, SchemaChange};

use crate::terminal::sanitize;

const GREEN: Style = color(AnsiColor::Green);
const RED: Style = color(AnsiColor::Red);
const YELLOW: Style = color(AnsiColor::Yellow);
const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();

const fn color(color: AnsiColor) -> Style {
    Style::new().fg_color(Some(anstyle::Color::Ansi(color)))
}

/// Prints the actions with their changes, and the totals. `all` includes actions that are in sync.
pub(super) fn plan(out: &mut dyn Write, plan: &Plan, all: bool) -> io::Result<()> {
    let shown = |action: &&PlannedAction| all || action.state() != PlanState::InSync;
    let actions: Vec<_> = plan.actions().iter().filter(shown).collect();
    let width = actions.iter().map(|action| action.name().len()).max();
    for action in actions {
        line(out, action, width.unwrap_or_default())?;
    }
    for name in plan.stale() {
        writeln!(
            out,
            "{RED}-{RED:#} {}  {DIM}not in the catalog, will be removed from audit.lock{DIM:#}",
            sanitize(name)
        )?;
    }
    totals(out, plan)
}

fn line(out: &mut dyn Write, action: &PlannedAction, width: usize) -> io::Result<()> {
    let (style, sign, word) = match action.state() {
        PlanState::InSync => (DIM, ' ', "in sync"),
        PlanState::New => (GREEN, '+', "new"),
        PlanState::Changed => (YELLOW, '~', "changed"),
        _ => (YELLOW, '=', "registered, missing in audit.lock"),
    };
    let name = action.name();
    write!(
        out,
        "{style}{sign}{style:#} {BOLD}{name:width$}{BOLD:#}  {style}{word}{style:#}"
    )?;
    match (action.locked(), action.registered()) {
        (Some(locked), Some(registered)) if locked != registered => {
            write!(out, "  {DIM}v{registered}, audit.lock has v{locked}{DIM:#}")?;
        }
        (_, Some(version)) => write!(out, "  {DIM}v{version}{DIM:#}")?,
        (Some(locked), None) => write!(out, "  {DIM}audit.lock has v{locked}{DIM:#}")?,
        (None, None) => {}
    }
    writeln!(out)?;
    let (framework, own): (Vec<_>, Vec<_>) = action.changes().iter().partition(|c| is_reserved(c));
    for change in own {
        let style = match change.kind() {
            ChangeKind::Added => GREEN,
            ChangeKind::Removed => RED,
            _ => YELLOW,
        };
        let text = sanitize(&change.to_string());
        let breaks = if change.is_breaking() {
            "  (breaks)"
        } else {
            ""
        };
        writeln!(out, "    {style}{text}{style:#}{RED}{breaks}{RED:#}")?;
    }
    if !framework.is_empty() {
        let count = framework.len();
        writeln!(
            out,
            "    {GREEN}+ {count} metadata keys that the framework sets{GREEN:#}"
        )?;
    }
    Ok(())
}

/// Returns `true` if a change only adds a metadata key that every schema of the framework has.
fn is_reserved(change: &SchemaChange) -> bool {
    let key = change.place().strip_prefix("metadata.");
    change.kind() == ChangeKind::Added
        && RESERVED_METADATA
            .iter()
            .any(|(reserved, _)| key == Some(reserved))
}

fn totals(out: &mut dyn Write, plan: &Plan) -> io::Result<()> {
    let count = |state| {
        plan.actions()
            .iter()
            .filter(|action| action.state() == state)
            .count()
    };
    let totals = [
        (count(PlanState::New), "new"),
        (count(PlanState::Changed), "changed"),
        (count(PlanState::Unlocked), "missing in audit.lock"),
        (plan.stale().len(), "to be removed from audit.lock"),
        (count(PlanState::InSync), "in sync"),
    ];
    let totals: Vec<_> = totals
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let totals = if totals.is_empty() {
        "the catalog has no actions".to_owned()
    } else {
        totals.join(", ")
    };
    write!(out, "{totals}")?;
    match plan.unmanaged().len() {
        0 => writeln!(out),
        1 => writeln!(out, "; 1 action of the service is not in this catalog"),
        more => writeln!(
            out,
            "; {more} actions of the service are not in this catalog"
        ),
    }
}

/// Prints the effect of changed schemas on running programs and events in flight.
pub(super) fn consequences(out: &mut dyn Write, plan: &Plan) -> io::Result<()> {
    let changed = |action: &&PlannedAction| action.state() == PlanState::Changed;
    if plan.actions().iter().filter(changed).count() == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "Running programs and events in flight keep the version that they were built with. It stays valid."
    )?;
    writeln!(
        out,
        "A program built with the new audit.lock sends the new version, if its recorder has the catalog and the environment."
    )?;
    let breaks = plan
        .actions()
        .iter()
        .flat_map(PlannedAction::changes)
        .any(SchemaChange::is_breaking);
    if breaks {
        writeln!(
            out,
            "A change marked {RED}(breaks){RED:#} rejects events of the old form under the new version: change the code together with the lock."
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use audit_catalog::{Catalog, Lock, Remote, RemoteSchema};

    use super::*;

    #[test]
    fn control_characters_of_the_service_are_replaced() {
        let catalog = Catalog::parse("[action.a]\ntargets = [\"t\"]", "audit.toml").unwrap();
        let mut remote = Remote::new();
        let schema = serde_json::json!({ "targets": [{ "type": "\u{1b}[2J" }] });
        remote.insert("a", [RemoteSchema::new(NonZeroU32::MIN, schema)]);
        let compared = Plan::new(&catalog, &Lock::default(), "production", &remote);
        let mut out = anstream::StripStream::new(Vec::new());
        let mut raw = Vec::new();
        plan(&mut out, &compared, true).unwrap();
        plan(&mut raw, &compared, true).unwrap();
        let raw = String::from_utf8(raw).unwrap();
        assert!(
            raw.contains("target \u{fffd}[2J") && !raw.contains("\u{1b}[2J"),
            "{raw}"
        );
    }
}
