//! `secrets rekey`: who can open the secrets changes, and what those who leave know is listed.

use std::collections::BTreeMap;

use super::history;
use crate::cli::arguments::Rekey;
use crate::cli::{Arguments, Exit, lock, say};
use crate::model::PLAN_FORMAT;
use crate::run::{self, Rekeyed};
use crate::secrets::{Leaver, Standing, Turnover};

pub fn run(arguments: &Arguments, verb: &Rekey) -> anyhow::Result<Exit> {
    let Some(_lock) = lock::take(&arguments.directory)? else { return Ok(Exit::Locked) };
    let store = super::open(arguments)?;
    let add = verb.add.as_deref().map(|key| (key, verb.name.as_deref()));
    let turnover = Turnover { add, remove: verb.remove.as_deref() };
    let past = || history::past(arguments);
    let Rekeyed { rekeying, seen } = run::rekey(&store, turnover, &super::today(), &past, verb.dry_run)?;
    if arguments.json {
        draw_json(verb, &rekeying, &seen)?;
    } else {
        draw(verb, &rekeying, &seen);
    }
    Ok(Exit::Done)
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Known => "known",
        Standing::Unknown => "unknown",
        Standing::Changed => "changed",
        Standing::Gone => "gone",
    }
}

fn draw(verb: &Rekey, rekeying: &crate::secrets::Rekeying, seen: &[(Leaver, BTreeMap<String, Standing>)]) {
    if let Some(added) = &rekeying.added {
        say::data(&format!("+ {}", added.shown()));
    }
    for (leaver, _) in seen {
        say::data(&format!("- {}", leaver.shown));
    }
    rekeying.renewed.iter().for_each(|name| say::data(name));
    for (leaver, names) in seen {
        let of = |standing| {
            let names = names.iter().filter(|(_, found)| **found == standing);
            names.map(|(name, _)| format!("  {name}")).collect::<Vec<_>>()
        };
        let lists = [
            (Standing::Known, "could open these, and must not know them any longer: change them"),
            (
                Standing::Unknown,
                "may have opened these (past versions that do not open for you): change them",
            ),
            (Standing::Changed, "knew these before they were changed"),
            (Standing::Gone, "knew these, which are in no file any more; no device should still take them"),
        ];
        for (standing, words) in lists {
            let names = of(standing);
            if !names.is_empty() {
                say::data(&format!("{} {words}:\n{}", leaver.shown, names.join("\n")));
            }
        }
    }
    let number = rekeying.renewed.len();
    if verb.dry_run {
        say::word(&format!("{number} would be encrypted anew; nothing was written"));
        return;
    }
    say::word(&format!("{number} encrypted anew"));
    if seen.iter().any(|(_, names)| names.values().any(|standing| standing.is_known())) {
        say::hint(
            "what is to be changed is in inventory/secrets/rotate.txt; commit it, and work through it with \
             `rocade secrets rotate`. What they could read they may have kept",
        );
    }
}

fn draw_json(
    verb: &Rekey,
    rekeying: &crate::secrets::Rekeying,
    seen: &[(Leaver, BTreeMap<String, Standing>)],
) -> anyhow::Result<()> {
    let person = |leaver: &Leaver, names: &BTreeMap<String, Standing>| {
        let names = names.iter().map(|(name, standing)| {
            serde_json::json!({ "name": name, "standing": word(*standing), "rotate": standing.is_known() })
        });
        serde_json::json!({ "recipient": leaver.key, "who": leaver.shown, "seen": names.collect::<Vec<_>>() })
    };
    let added = rekeying.added.as_ref();
    let result = serde_json::json!({
        "format_version": PLAN_FORMAT,
        "dry_run": verb.dry_run,
        "added": added.map(|one| serde_json::json!({ "recipient": one.key(), "name": one.name })),
        "removed": seen.iter().map(|(leaver, names)| person(leaver, names)).collect::<Vec<_>>(),
        "renewed": rekeying.renewed,
        "files": rekeying.files().collect::<Vec<_>>(),
    });
    say::data(&serde_json::to_string_pretty(&result)?);
    Ok(())
}
