//! `init`: a new repository that `validate`, `plan` and git's hook accept as it is.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::{runtime, secrets::git};
use crate::cli::arguments::Init;
use crate::cli::programs::git::Git;
use crate::cli::{Arguments, Exit, say, surroundings};
use crate::inventory;
use crate::lab;
use crate::repository;
use crate::secrets::keygen;

const SITE: &str = include_str!("init/site.yaml");

/// What git leaves alone: locks, journals and a lab's identity.
const IGNORED: &str = ".rocade/\n";
const IGNORED_OF_LAB: &str = ".rocade/\nlab.json\n";

const README: &str = "\
Gateways, sensors and brokers as code, for rocade: `inventory/` says what is to be, `playbooks/` in which steps.
`rocade validate` checks, `rocade plan` shows what would change, `rocade apply` does it, `rocade explain NAME` says why.
New machine: `rocade secrets keygen`, a colleague's `rocade secrets rekey --add`, `rocade secrets git-setup --hook`.
";

/// The shipped playbooks, to be used and changed.
const PLAYBOOKS: [(&str, &str); 9] = [
    ("README.md", include_str!("../../../playbooks/README.md")),
    ("engineer-leaves.yaml", include_str!("../../../playbooks/engineer-leaves.yaml")),
    ("firmware-round.yaml", include_str!("../../../playbooks/firmware-round.yaml")),
    ("new-site.yaml", include_str!("../../../playbooks/new-site.yaml")),
    ("redeploy-gateway.yaml", include_str!("../../../playbooks/redeploy-gateway.yaml")),
    ("replace-gateway.yaml", include_str!("../../../playbooks/replace-gateway.yaml")),
    ("rotate-ca.yaml", include_str!("../../../playbooks/rotate-ca.yaml")),
    ("rotate-certificates.yaml", include_str!("../../../playbooks/rotate-certificates.yaml")),
    ("rotate-keys.yaml", include_str!("../../../playbooks/rotate-keys.yaml")),
];

pub fn run(arguments: &Arguments, verb: &Init) -> anyhow::Result<Exit> {
    let root = verb.dir.as_path();
    refuse_taken(root)?;
    if verb.lab {
        begin_lab(root)?;
    } else {
        begin_site(arguments, root, verb.name.as_deref())?;
    }
    write(root, "inventory/schema.json", &pretty(&inventory::schema())?)?;
    write(root, "playbooks/schema.json", &pretty(&inventory::playbook_schema())?)?;
    for (name, text) in PLAYBOOKS {
        write(root, &format!("playbooks/{name}"), text)?;
    }
    write(root, ".gitignore", if verb.lab { IGNORED_OF_LAB } else { IGNORED })?;
    write(root, "README.md", README)?;
    write(root, ".gitattributes", &git::attributes())?;
    under_git(arguments, root)?;
    next(verb);
    Ok(Exit::Done)
}

/// Somebody's work is never mixed with ours; a fresh clone of an empty repository is nobody's yet.
fn refuse_taken(root: &Path) -> anyhow::Result<()> {
    let entries = match root.read_dir() {
        Ok(entries) => entries,
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(fault) => return Err(fault).with_context(|| format!("reading {}", root.display())),
    };
    for entry in entries {
        let name = entry.with_context(|| format!("reading {}", root.display()))?.file_name();
        if name != ".git" {
            bail!("{} is not empty: `{}` is there; nothing was written", root.display(), name.display());
        }
    }
    Ok(())
}

/// The devices are started once, for the ports and passwords that the inventory tells from then on.
fn begin_lab(root: &Path) -> anyhow::Result<()> {
    let runtime = runtime()?;
    let lab = runtime.block_on(lab::up(root))?;
    runtime.block_on(lab.stop());
    Ok(())
}

fn begin_site(arguments: &Arguments, root: &Path, name: Option<&str>) -> anyhow::Result<()> {
    let place = surroundings::identity(arguments).files(root).pop();
    let place: PathBuf = place.unwrap_or_else(|| root.join(".rocade").join("identity.txt"));
    let was_there = place.exists();
    keygen(&place, Some(root), name)?;
    say::word(&if was_there {
        format!("your identity {} is the first recipient", place.display())
    } else {
        format!("your identity is in {}; keep a copy where a fire does not reach", place.display())
    });
    write(root, "inventory/site.yaml", SITE)
}

fn write(root: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    repository::replace(&root.join(name), text.as_bytes())
}

fn pretty(schema: &serde_json::Value) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(schema)? + "\n")
}

/// A git repository of its own with the hook, where git is there; one that stands around it is left to its owner.
fn under_git(arguments: &Arguments, root: &Path) -> anyhow::Result<()> {
    let own = root.join(".git").exists();
    if !own && Git::around(root).is_some() {
        say::hint(&format!(
            "it lies in a git repository that is there: `rocade -C {} secrets git-setup --hook` puts the hook into it",
            root.display()
        ));
        return Ok(());
    }
    if !own && !Git::begin(root) {
        say::word("git is not there: the repository is without history and hook");
        return Ok(());
    }
    git::set_up(root, arguments.identity.as_deref(), true)
}

fn next(verb: &Init) {
    let dir = verb.dir.display();
    let steps = if verb.lab {
        format!(
            "{dir} is ready. Next:\n  rocade lab up {dir} &             its devices, until Ctrl-C\n  \
             rocade -C {dir} plan              what they lack\n  rocade -C {dir} apply"
        )
    } else {
        format!(
            "{dir} is ready. Next:\n  rocade -C {dir} validate          it is good as it is\n  \
             rocade -C {dir} secrets check     what the inventory names and is not there\n  \
             rocade init --lab DIR             the same with simulated devices, to plan and apply on"
        )
    };
    say::word(&steps);
}
