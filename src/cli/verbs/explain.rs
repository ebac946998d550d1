//! `explain`: where a value of the inventory comes from, and what a code of a finding means.

use std::path::Path;

use serde_json::json;

mod pages;

use crate::cli::arguments::Explain;
use crate::cli::{Arguments, Exit, say};
use crate::inventory::{self, Told, Unknown};
use crate::model::PLAN_FORMAT;
use crate::run::Refused;

pub fn run(arguments: &Arguments, verb: &Explain) -> anyhow::Result<Exit> {
    let Some(asked) = verb.what.as_deref() else {
        say::data(&pages::list(arguments.json));
        return Ok(Exit::Done);
    };
    if let Some(page) = pages::page(asked) {
        say::data(&page.drawn(arguments.json));
        return Ok(Exit::Done);
    }
    field(arguments, asked)
}

fn field(arguments: &Arguments, asked: &str) -> anyhow::Result<Exit> {
    let root: &Path = &arguments.directory;
    match inventory::explain(root, asked) {
        Ok(told) if arguments.json => {
            let result = json!({"format_version": PLAN_FORMAT, "fields": told.iter().map(as_json).collect::<Vec<_>>()});
            say::data(&serde_json::to_string_pretty(&result)?);
            Ok(Exit::Done)
        }
        Ok(told) => {
            say::data(&drawn(&told));
            Ok(Exit::Done)
        }
        Err(Unknown::Faulty(report)) => Err(Refused::Inventory(report).into()),
        Err(Unknown::Nothing { message, help }) => {
            say::word(&format!("{}error:{:#} {message}", say::BAD, say::BAD));
            let code = (!asked.contains('.')).then(|| pages::near(asked)).flatten();
            let help = help.or_else(|| code.map(|near| format!("did you mean the code `{near}`?")));
            help.iter().for_each(|help| say::hint(help));
            Ok(Exit::Usage)
        }
    }
}

fn as_json(told: &Told) -> serde_json::Value {
    let place = told
        .place
        .as_ref()
        .map(|place| json!({"file": &*place.file, "line": place.line, "column": place.column}));
    json!({"path": told.path, "value": told.value, "written": place, "words": told.words})
}

/// What is written first, then what is not. A single field is told with its words.
fn drawn(told: &[Told]) -> String {
    let (written, absent): (Vec<&Told>, Vec<&Told>) = told.iter().partition(|one| one.value.is_some());
    let mut lines = Vec::new();
    let width = |of: &[&Told], text: fn(&Told) -> &str| {
        of.iter().map(|one| text(one).chars().count()).max().unwrap_or(0)
    };
    let (paths, values) = (width(&written, |one| &one.path), width(&written, value).min(40));
    for one in &written {
        let place = one.place.as_ref().map(ToString::to_string).unwrap_or_default();
        lines.push(format!("{:paths$}  {:values$}  {}{place}{:#}", one.path, value(one), say::DIM, say::DIM));
        if let ([_], Some(words)) = (told, &one.words) {
            lines.push(format!("  {words}"));
        }
    }
    if !absent.is_empty() && !written.is_empty() {
        lines.push("not written (left alone, unless its words say what stands for it):".to_owned());
    }
    let paths = width(&absent, |one| &one.path);
    for one in &absent {
        let words = one.words.as_deref().unwrap_or("nothing");
        let lead = if written.is_empty() { "not written; " } else { "" };
        lines.push(format!("{:paths$}  {}{lead}{words}{:#}", one.path, say::DIM, say::DIM));
    }
    lines.join("\n")
}

fn value(told: &Told) -> &str {
    told.value.as_deref().unwrap_or("")
}
