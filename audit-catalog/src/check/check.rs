//! Checks all declarations of a file and builds the catalog.

use std::collections::HashMap;

use super::names::{MetadataOwner, fields, name, target_types};
use super::references::{coalesced_or_durable, constants, denied, type_is_used};
use super::summary::summary;
use crate::declarations::{Declarations, Mistakes};
use crate::model::{Action, Catalog, Field, Target};

/// Checks the declarations, reports every mistake, and builds the catalog from the valid parts.
pub(crate) fn declarations(declarations: Declarations, mistakes: &mut Mistakes<'_>) -> Catalog {
    let Declarations {
        actions,
        targets,
        actor,
    } = declarations;
    let actor_metadata = fields(actor, MetadataOwner::Other, mistakes);
    let mut described: HashMap<String, Vec<Field>> = HashMap::new();
    for (name, metadata) in targets {
        type_is_used(&name, &actions, mistakes);
        let metadata = fields(metadata, MetadataOwner::Other, mistakes);
        described.insert(name.value, metadata);
    }
    constants(&actions, mistakes);
    for action in &actions {
        name(&action.name, "an action name", mistakes);
        summary(action, mistakes);
        target_types(action, mistakes);
        denied(action, &actions, mistakes);
        coalesced_or_durable(action, mistakes);
    }
    let mut actions: Vec<Action> = actions
        .into_iter()
        .map(|action| {
            let target = |name: String| {
                let metadata = described.get(&name).cloned().unwrap_or_default();
                Target { name, metadata }
            };
            Action {
                name: action.name.value,
                summary: action.summary.map(|text| text.value),
                targets: action
                    .targets
                    .into_iter()
                    .flat_map(|list| list.value)
                    .map(|name| target(name.value))
                    .collect(),
                denied: action.denied.map(|name| name.value),
                durable: action.durable,
                coalesce: action.coalesce.and_then(|found| found.value),
                deprecated: action.deprecated,
                metadata: fields(action.metadata, MetadataOwner::Event, mistakes),
                actor_metadata: actor_metadata.clone(),
            }
        })
        .collect();
    actions.sort_by(|a, b| a.name.cmp(&b.name));
    Catalog { actions }
}
