//! Support for editors and shells: the schema, completions, the manual pages.

use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;

use crate::cli::{Arguments, Exit, say};
use crate::inventory;

pub fn schema(of_playbooks: bool) -> anyhow::Result<Exit> {
    let schema = if of_playbooks { inventory::playbook_schema() } else { inventory::schema() };
    say::data(&serde_json::to_string_pretty(&schema)?);
    Ok(Exit::Done)
}

pub fn completions(shell: clap_complete::Shell) -> anyhow::Result<Exit> {
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
