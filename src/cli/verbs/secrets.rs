//! `secrets`: make an identity, set, get, check; its longer verbs have files of their own.

mod edit;
pub(super) mod git;
pub(super) mod history;
mod rekey;
mod remove;
mod rotate;
mod scan;

use std::io::{IsTerminal, Read};

use anyhow::{Context, anyhow, bail};
use zeroize::Zeroizing;

use crate::cli::arguments::{Generate, Secrets};
use crate::cli::{Arguments, Exit, lock, say, surroundings};
use crate::compose;
use crate::inventory;
use crate::model::PLAN_FORMAT;
use crate::run::Form;
use crate::secrets::{self, Listed, Store};

pub fn run(arguments: &Arguments, verb: &Secrets) -> anyhow::Result<Exit> {
    match verb {
        Secrets::Keygen { output, name } => keygen(arguments, output.clone(), name.as_deref()),
        Secrets::Set { path, generate, encrypted } => set(arguments, path, *generate, *encrypted),
        Secrets::Get { path } => {
            say::bytes(open(arguments)?.get(path)?.reveal());
            Ok(Exit::Done)
        }
        Secrets::Remove { path, yes } => locked(arguments, || remove::run(arguments, path, *yes)),
        Secrets::Edit { what } => locked(arguments, || edit::run(arguments, what)),
        Secrets::Rekey(verb) => rekey::run(arguments, verb),
        Secrets::Rotate(verb) if verb.path.is_none() || verb.dry_run => rotate::run(arguments, verb),
        Secrets::Rotate(verb) => locked(arguments, || rotate::run(arguments, verb)),
        Secrets::Check => check(arguments),
        Secrets::Scan(verb) => scan::run(arguments, verb),
        Secrets::GitSetup { hook } => {
            git::set_up(&arguments.directory, arguments.identity.as_deref(), *hook)?;
            Ok(Exit::Done)
        }
        Secrets::Textconv { file, clear } => git::textconv(arguments, file, *clear),
        Secrets::Merge { base, ours, theirs, name } => {
            git::merge(arguments, [base, ours, theirs], name.as_deref())
        }
    }
}

/// What writes secrets has the repository to itself: a rekey or an apply beside it would undo half of it.
fn locked(arguments: &Arguments, work: impl FnOnce() -> anyhow::Result<Exit>) -> anyhow::Result<Exit> {
    let Some(_lock) = lock::take(&arguments.directory)? else { return Ok(Exit::Locked) };
    work()
}

fn open(arguments: &Arguments) -> anyhow::Result<Store> {
    Store::open(&arguments.directory, surroundings::identity(arguments))
}

fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}

fn keygen(
    arguments: &Arguments,
    output: Option<std::path::PathBuf>,
    name: Option<&str>,
) -> anyhow::Result<Exit> {
    let place = match output {
        Some(place) => place,
        None => surroundings::identity(arguments)
            .files(&arguments.directory)
            .pop()
            .ok_or_else(|| anyhow!("there is no configuration folder; say where with --output FILE"))?,
    };
    let repository = arguments.directory.join("inventory").is_dir().then_some(arguments.directory.as_path());
    // It adds itself to the recipients.
    let _lock = match repository {
        None => None,
        Some(root) => match lock::take(root)? {
            None => return Ok(Exit::Locked),
            lock => lock,
        },
    };
    let recipient = secrets::keygen(&place, repository, name)?;
    say::word(&format!("the identity is in {}; keep a copy where a fire does not reach", place.display()));
    say::data(&recipient);
    Ok(Exit::Done)
}

fn set(
    arguments: &Arguments,
    path: &str,
    generate: Option<Generate>,
    encrypted: bool,
) -> anyhow::Result<Exit> {
    let store = open(arguments)?;
    let value = match generate {
        Some(kind) => form(kind).value(),
        None if encrypted => {
            let mut sealed = Vec::new();
            std::io::stdin().read_to_end(&mut sealed).context("reading the encrypted secret")?;
            Zeroizing::new(store.open_bare(&sealed)?.reveal().to_vec())
        }
        None => given(arguments)?,
    };
    // Not while somebody types: the files are read again under the lock.
    locked(arguments, || {
        put(arguments, &open(arguments)?, path, &value)?;
        say::word(&format!("set {path}"));
        Ok(Exit::Done)
    })
}

/// Writes a value; a new one ticks its line in the list of what is to be changed.
fn put(arguments: &Arguments, store: &Store, path: &str, value: &[u8]) -> anyhow::Result<()> {
    told(path, secrets::put_listed(&arguments.directory, store, path, value, &today())?);
    Ok(())
}

fn tick(arguments: &Arguments, path: &str) -> anyhow::Result<()> {
    told(path, secrets::tick_listed(&arguments.directory, path, &today())?);
    Ok(())
}

fn told(path: &str, listed: Listed) {
    match listed {
        Listed::Not => {}
        Listed::Ticked(left) => {
            say::word(&format!("{path} is ticked in the list of what people who left know; {left} left"));
        }
        Listed::Same => say::word(&format!("{path} has the value it had; it is still to be changed")),
        Listed::Unclear => say::word(&format!(
            "whether that is another value cannot be told; `rocade secrets rotate {path} --done`"
        )),
    }
}

fn form(told: Generate) -> Form {
    match told {
        Generate::Hex16 => Form::Hex16,
        Generate::Text => Form::Text,
    }
}

/// From the terminal, asked for twice and not shown; else all of standard input less one line's end.
fn given(arguments: &Arguments) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    if std::io::stdin().is_terminal() {
        if !say::can_ask(arguments.no_input) {
            bail!("the secret is read from standard input, or made with --generate");
        }
        let value = dialoguer::Password::new()
            .with_prompt("Secret")
            .with_confirmation("Again", "they differ")
            .interact()
            .context("asking for the secret")?;
        return Ok(Zeroizing::new(value.into_bytes()));
    }
    let mut value = Zeroizing::new(Vec::new());
    std::io::stdin().read_to_end(&mut value).context("reading the secret from standard input")?;
    if value.ends_with(b"\n") {
        value.pop();
        if value.ends_with(b"\r") {
            value.pop();
        }
    }
    Ok(value)
}

fn check(arguments: &Arguments) -> anyhow::Result<Exit> {
    let store = open(arguments)?;
    let loaded = inventory::load(&arguments.directory)
        .map_err(|report| crate::run::Refused::Inventory(Box::new(report)))?;
    let minted = crate::providers::mosquitto::minted(&loaded.inventory);
    let named = compose::named_secrets(&loaded.inventory);
    // What the first apply makes need not be there before it.
    let expected = named.iter().filter(|name| !minted.contains(name) || store.has(name));
    let findings = store.check(expected.map(String::as_str))?;
    if arguments.json {
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        let result = serde_json::json!({
            "format_version": PLAN_FORMAT, "secrets": store.paths().len(), "findings": lines,
        });
        say::data(&serde_json::to_string_pretty(&result)?);
    } else {
        for finding in &findings {
            say::data(&finding.to_string());
            finding.hint().into_iter().for_each(say::hint);
        }
        let (secrets, found) = (store.paths().len(), findings.len());
        say::word(&format!("{}, {}", say::count(secrets, "secret"), say::count(found, "finding")));
    }
    let wrong = findings.iter().any(|finding| !finding.is_warning());
    Ok(if wrong { Exit::Failed } else { Exit::Done })
}
