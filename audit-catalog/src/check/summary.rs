//! The placeholders of a summary.

use std::ops::Range;

use crate::declarations::{ActionDeclaration, At, Mistakes};
use crate::nearest::nearest;

pub(super) fn summary(action: &ActionDeclaration, mistakes: &mut Mistakes<'_>) {
    let Some(At { value: text, span }) = &action.summary else {
        return;
    };
    let mut rest = text.as_str();
    while let Some(brace) = rest.find(['{', '}']) {
        let tail = &rest[brace..];
        if tail.starts_with("{{") || tail.starts_with("}}") {
            rest = &tail[2..];
        } else if let Some((name, after)) =
            tail.strip_prefix('{').and_then(|tail| tail.split_once('}'))
        {
            placeholder(name, action, span, mistakes);
            rest = after;
        } else {
            let brace = &tail[..1];
            mistakes.add(span.start, format!("the summary has a single `{brace}`; write `{brace}{brace}` for the character itself"));
            return;
        }
    }
}

fn placeholder(
    name: &str,
    action: &ActionDeclaration,
    span: &Range<usize>,
    mistakes: &mut Mistakes<'_>,
) {
    const KNOWN: [&str; 5] = ["actor", "action", "target", "targets", "organization"];
    let keys = || action.metadata.iter().map(|field| field.value.key());
    if KNOWN.contains(&name)
        || name
            .strip_prefix("metadata.")
            .is_some_and(|key| keys().any(|known| known == key))
    {
        return;
    }
    let message = match name.strip_prefix("metadata.") {
        Some(key) => {
            let hint = nearest(key, keys()).map_or_else(
                || "declare it, or remove the placeholder".to_owned(),
                |meant| format!("did you mean `{{metadata.{meant}}}`?"),
            );
            format!("the summary names metadata `{key}`, which the action does not declare; {hint}")
        }
        None => {
            let hint = nearest(name, KNOWN).map_or_else(
                || "one of `{actor}`, `{action}`, `{target}`, `{targets}`, `{organization}`, `{metadata.KEY}`".to_owned(),
                |meant| format!("did you mean `{{{meant}}}`?"),
            );
            format!("unknown placeholder `{{{name}}}`; {hint}")
        }
    };
    // If the string contains escapes, the placeholder may not appear verbatim; the position of the
    // string is used then.
    let written = mistakes
        .text()
        .get(span.clone())
        .and_then(|text| text.find(&format!("{{{name}}}")));
    mistakes.add(span.start + written.unwrap_or(0), message);
}
