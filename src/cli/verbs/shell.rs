//! Support for editors and shells: the schema, completions, the manual pages.

use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;

use crate::cli::arguments::Complete;
use crate::cli::{Arguments, Exit, complete, say};
use crate::inventory;

pub fn schema(of_playbooks: bool) -> anyhow::Result<Exit> {
    let schema = if of_playbooks { inventory::playbook_schema() } else { inventory::schema() };
    say::data(&serde_json::to_string_pretty(&schema)?);
    Ok(Exit::Done)
}

pub fn completions(shell: clap_complete::Shell) -> anyhow::Result<Exit> {
    let own = match shell {
        clap_complete::Shell::Bash => complete::BASH,
        clap_complete::Shell::Zsh => complete::ZSH,
        clap_complete::Shell::Fish => complete::FISH,
        clap_complete::Shell::PowerShell => complete::POWERSHELL,
        _ => return generated(shell),
    };
    say::data(own);
    Ok(Exit::Done)
}

/// What may stand next, a line each, with what it is after a tab.
pub fn complete(verb: &Complete) -> anyhow::Result<Exit> {
    let mut words = verb.words.clone();
    if verb.after || words.is_empty() {
        words.push(String::new());
    }
    let found = complete::candidates(&words);
    let lines: String = found.iter().map(|one| format!("{}\t{}\n", one.text, one.about)).collect();
    say::bytes(lines.as_bytes());
    Ok(Exit::Done)
}

/// For the shells without a script of ours: verbs and flags.
fn generated(shell: clap_complete::Shell) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "rocade", &mut script);
    say::bytes(&script);
    Ok(Exit::Done)
}

pub fn man(out: Option<&Path>) -> anyhow::Result<Exit> {
    if let Some(folder) = out {
        std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        clap_mangen::generate_to(Arguments::command(), folder)
            .with_context(|| format!("writing into {}", folder.display()))?;
        return Ok(Exit::Done);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(Arguments::command()).render(&mut page)?;
    say::bytes(&page);
    Ok(Exit::Done)
}
