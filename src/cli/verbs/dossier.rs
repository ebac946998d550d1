//! `dossier`: the hand-over file of a site. Offline.

use std::path::PathBuf;

use crate::cli::arguments::{Dossier, Tongue};
use crate::cli::{Arguments, Exit, say, surroundings};
use crate::dossier::{self, Imprint, Language};

pub fn run(arguments: &Arguments, verb: &Dossier) -> anyhow::Result<Exit> {
    let workspace = surroundings::workspace(arguments)?;
    let commit = workspace.commit().map_or(String::new(), |commit| {
        let short = commit.id.get(..12).unwrap_or(&commit.id);
        if commit.dirty { format!("{short}+") } else { short.to_owned() }
    });
    let language = match verb.lang {
        Tongue::En => Language::English,
        Tongue::Fr => Language::French,
    };
    let imprint = Imprint { now: jiff::Timestamp::now(), commit: &commit, language };
    let page = dossier::page(workspace.inventory(), &verb.site, workspace.root(), &imprint)?;
    let file = verb.out.clone().unwrap_or_else(|| PathBuf::from(format!("{}.html", verb.site)));
    super::drift::tell(&page, Some(&file))?;
    say::word(&format!("{} is written; a browser prints it or makes a PDF of it.", file.display()));
    Ok(Exit::Done)
}
