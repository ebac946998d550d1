//! What differs as findings at their lines of the inventory, for the forms that `validate` has too.

use super::Matter;
use crate::cli::audit::word;
use crate::cli::show;
use crate::inventory::{Diagnostic, Place};
use crate::model::{Address, Change, Target};
use crate::plan::Cause;

/// The targets that could be read and have no difference.
pub fn clean(matter: &Matter<'_>) -> Vec<String> {
    let plan = &matter.survey.plan;
    let is_clean = |target: &Target| {
        !plan.changes.iter().any(|change| change.address.target == *target)
            && !plan.unread.iter().any(|entry| entry.target == *target)
            && !plan.objections.iter().any(|objection| objection.target == *target)
    };
    let targets = plan.targets.iter().map(|head| &head.target);
    targets.filter(|target| is_clean(target)).map(ToString::to_string).collect()
}

/// Each change, what could not be read, what stands against it.
pub fn all(matter: &Matter<'_>) -> Vec<Diagnostic> {
    let plan = &matter.survey.plan;
    let mut findings: Vec<Diagnostic> = plan.changes.iter().map(|change| finding(matter, change)).collect();
    findings.extend(plan.unread.iter().map(|entry| {
        let message = format!("{}: {}", entry.target, show::left_alone(entry));
        anywhere(matter, &entry.target, Diagnostic::error("unread", message))
    }));
    findings.extend(plan.objections.iter().map(|objection| {
        let finding = Diagnostic::error("objection", format!("{}: {}", objection.target, objection.reason));
        let finding = match read_place(&objection.place) {
            Some(place) => finding.at(&place, ""),
            None => anywhere(matter, &objection.target, finding),
        };
        if objection.hint.is_empty() { finding } else { finding.help(objection.hint.clone()) }
    }));
    findings
}

fn finding(matter: &Matter<'_>, change: &Change) -> Diagnostic {
    let cause = matter.drift.cause(change);
    let code = match cause {
        Cause::Hand => "changed-by-hand",
        Cause::Git => "changed-in-git",
        Cause::Both => "changed-by-hand-and-in-git",
        Cause::Due => "due",
        Cause::Unknown => "differs",
    };
    let Address { target, key } = &change.address;
    let detail = show::detail(change);
    let detail = if detail.is_empty() { detail } else { format!(": {detail}") };
    let message = format!("{target}: {} {key}{detail}", word(change.action));
    // A plan's changes are what somebody wants; drift is what nobody wanted.
    let finding = match matter.verb {
        "drift" => Diagnostic::error(code, message),
        _ => Diagnostic::warning(code, message),
    };
    let wish = matter.survey.composed.iter().find(|one| one.wish.target == *target).map(|one| &one.wish);
    let field = change.after.as_ref().and_then(|after| after.keys().next()).map_or("", String::as_str);
    let place = wish.and_then(|wish| read_place(wish.resources.get(key)?.origin.of(field)));
    let finding = match place {
        Some(place) => finding.at(&place, ""),
        None => anywhere(matter, target, finding),
    };
    finding.help(show::cause_words(cause))
}

/// At some line of the target: those who show findings beside lines leave out what has none.
fn anywhere(matter: &Matter<'_>, target: &Target, finding: Diagnostic) -> Diagnostic {
    let wish = matter.survey.composed.iter().find(|one| one.wish.target == *target).map(|one| &one.wish);
    let of_wish = || wish?.resources.values().find_map(|resource| read_place(&resource.origin.whole));
    let of_name = || {
        let name = format!("{}:", target.name);
        matter.sources.files().find_map(|file| {
            let lines = matter.sources.text(file)?.lines();
            let line = lines.zip(1_u32..).find(|(line, _)| line.trim_start().starts_with(&name))?.1;
            Some(Place { file: file.into(), line, column: 1 })
        })
    };
    match of_wish().or_else(of_name) {
        Some(place) => finding.at(&place, ""),
        None => finding,
    }
}

/// Reads `file:line:column`.
fn read_place(text: &str) -> Option<Place> {
    let (rest, column) = text.rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    Some(Place { file: file.into(), line: line.parse().ok()?, column: column.parse().ok()? })
}
