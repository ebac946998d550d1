//! `secrets`: make an identity, set, get, check.

use std::io::{IsTerminal, Read};

use anyhow::{Context, anyhow, bail};
use rand::Rng;
use rand::distr::Alphanumeric;
use zeroize::Zeroizing;

use crate::cli::arguments::{Generate, Secrets};
use crate::cli::{Arguments, Exit, say, surroundings};
use crate::compose;
use crate::inventory;
use crate::model::PLAN_FORMAT;
use crate::secrets::{self, Store};

pub fn run(arguments: &Arguments, verb: &Secrets) -> anyhow::Result<Exit> {
    match verb {
        Secrets::Keygen { output } => keygen(arguments, output.clone()),
        Secrets::Set { path, generate } => set(arguments, path, *generate),
        Secrets::Get { path } => {
            let store = Store::open(&arguments.directory, surroundings::identity(arguments))?;
            say::bytes(store.get(path)?.reveal());
            Ok(Exit::Done)
        }
        Secrets::Rekey => rekey(arguments),
        Secrets::Check => check(arguments),
    }
}

fn keygen(arguments: &Arguments, output: Option<std::path::PathBuf>) -> anyhow::Result<Exit> {
    let place = match output {
        Some(place) => place,
        None => surroundings::identity(arguments)
            .files(&arguments.directory)
            .pop()
            .ok_or_else(|| anyhow!("there is no configuration folder; say where with --output FILE"))?,
    };
    let repository = arguments.directory.join("inventory").is_dir().then_some(arguments.directory.as_path());
    let recipient = secrets::keygen(&place, repository, None)?;
    say::word(&format!("the identity is in {}; keep a copy where a fire does not reach", place.display()));
    say::data(&recipient);
    Ok(Exit::Done)
}

fn set(arguments: &Arguments, path: &str, generate: Option<Generate>) -> anyhow::Result<Exit> {
    let store = Store::open(&arguments.directory, surroundings::identity(arguments))?;
    let value = match generate {
        Some(kind) => random(kind),
        None => given(arguments)?,
    };
    if value.is_empty() {
        bail!("the secret `{path}` would be empty; nothing was set");
    }
    store.put(path, &value)?;
    say::word(&format!("set {path}"));
    Ok(Exit::Done)
}

fn random(kind: Generate) -> Zeroizing<Vec<u8>> {
    match kind {
        Generate::Hex16 => {
            let bytes: Zeroizing<[u8; 16]> = Zeroizing::new(rand::rng().random());
            Zeroizing::new(hex::encode(*bytes).into_bytes())
        }
        Generate::Text => Zeroizing::new(rand::rng().sample_iter(Alphanumeric).take(32).collect()),
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

fn rekey(arguments: &Arguments) -> anyhow::Result<Exit> {
    let store = Store::open(&arguments.directory, surroundings::identity(arguments))?;
    let mut renewed = store.rekey()?;
    renewed.extend(crate::pki::rekey(&arguments.directory, &store)?);
    renewed.iter().for_each(|name| say::data(name));
    say::word(&format!("{} encrypted anew", renewed.len()));
    Ok(Exit::Done)
}

fn check(arguments: &Arguments) -> anyhow::Result<Exit> {
    let store = Store::open(&arguments.directory, surroundings::identity(arguments))?;
    let loaded = inventory::load(&arguments.directory)
        .map_err(|report| crate::run::Refused::Inventory(Box::new(report)))?;
    let minted = crate::providers::pki::minted(&loaded.inventory);
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
        findings.iter().for_each(|finding| say::data(&finding.to_string()));
        let (secrets, found) = (store.paths().len(), findings.len());
        say::word(&format!("{}, {}", say::count(secrets, "secret"), say::count(found, "finding")));
    }
    Ok(if findings.is_empty() { Exit::Done } else { Exit::Failed })
}
