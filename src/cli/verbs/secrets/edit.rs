//! `secrets edit`: one value, or a file of them as `name: value` lines, in a person's editor.

use std::collections::BTreeMap;

use anyhow::{Context, anyhow, bail};
use zeroize::Zeroizing;

use crate::cli::programs::editor::{self, Edited};
use crate::cli::{Arguments, Exit, say};
use crate::model::Secret;
use crate::secrets::{self, FOLDER, Ledger, Store};

const HEAD: &str = "\
# One `name: value` a line. A value in \"quotes\" is read as JSON: \\n is the end of a line.
# A line that goes takes its secret out; one that stays as it is keeps its ciphertext.
";

type Values = BTreeMap<String, Option<Secret>>;

pub fn run(arguments: &Arguments, what: &str) -> anyhow::Result<Exit> {
    let store = super::open(arguments)?;
    let (file, had) = (file_of(arguments, what), store.paths());
    let changed = match &file {
        Some(file) => edit_file(arguments, &store, file)?,
        None => edit_value(&store, what)?,
    };
    // A value that is new, or gone from here, is not known to be another than the one that is known.
    for name in &changed {
        say::data(name);
        if had.contains(name) && store.has(name) {
            super::tick(arguments, name)?;
        } else if Ledger::read(&arguments.directory)?.open().any(|item| item.name == *name) {
            say::word(&format!(
                "{name} is still to be changed; once no device takes it: `rocade secrets rotate {name} --done`"
            ));
        }
    }
    say::word(&format!("{} changed", changed.len()));
    Ok(Exit::Done)
}

/// The file of secrets that is meant, relative to the repository; `None` when it is a secret's path.
fn file_of(arguments: &Arguments, what: &str) -> Option<String> {
    if !what.ends_with(".yaml") && !what.ends_with(".yml") {
        return None;
    }
    let plain = what.strip_prefix("./").unwrap_or(what);
    let root = arguments.directory.to_string_lossy();
    let plain = plain.strip_prefix(&*root).map_or(plain, |rest| rest.trim_start_matches('/'));
    let inside = plain.starts_with(&format!("{FOLDER}/"));
    Some(if inside { plain.to_owned() } else { format!("{FOLDER}/{plain}") })
}

fn edit_value(store: &Store, path: &str) -> anyhow::Result<Vec<String>> {
    let before = if store.has(path) { Some(store.get(path)?) } else { None };
    if !secrets::is_path(path) {
        return Err(secrets::Fault::BadPath.into());
    }
    let mut text = Zeroizing::new(before.as_ref().map_or_else(Vec::new, |value| value.reveal().to_vec()));
    // Editors end a file with a line's end: one is put there and taken off.
    text.push(b'\n');
    let edited = Edited::new("secret.txt", &text)?;
    let mut after = edited.edit(&editor::chosen())?;
    if after.ends_with(b"\n") {
        after.pop();
    }
    if after.is_empty() {
        bail!("the secret `{path}` would be empty; nothing was changed");
    }
    if before.is_some_and(|before| before.reveal() == after.as_slice()) {
        return Ok(Vec::new());
    }
    store.put(path, &after)?;
    Ok(vec![path.to_owned()])
}

fn edit_file(arguments: &Arguments, store: &Store, file: &str) -> anyhow::Result<Vec<String>> {
    let names = store.paths_in(file);
    if names.is_empty() && !arguments.directory.join(file).is_file() {
        bail!("there is no file {file}; a secret is edited by its path, such as `gateways/pool-gw/admin`");
    }
    let mut text = Zeroizing::new(HEAD.as_bytes().to_vec());
    for name in &names {
        text.extend_from_slice(&line(name, &store.get(name)?));
    }
    let edited = Edited::new("secrets.yaml", &text)?;
    let editor = editor::chosen();
    loop {
        let left = edited.edit(&editor)?;
        match read(store, &names, &left) {
            Ok(values) => return store.change(file, &values),
            Err(fault) if say::can_ask(arguments.no_input) => {
                say::error(&fault);
                if !say::confirm("Edit again?") {
                    return Err(fault).context("nothing was changed");
                }
            }
            Err(fault) => return Err(fault).context("nothing was changed"),
        }
    }
}

/// A value's line: plain where that is read back as it is, else quoted; other bytes than text are not edited here.
fn line(name: &str, value: &Secret) -> Zeroizing<Vec<u8>> {
    let text = match value.reveal_text() {
        None => format!("# {name}: no text; edit it by its own path\n"),
        Some(text) if is_plain(text) => format!("{name}: {text}\n"),
        Some(text) => format!("{name}: {}\n", serde_json::Value::from(text)),
    };
    Zeroizing::new(text.into_bytes())
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && !text.starts_with('"') && !text.contains(char::is_control)
}

/// What the lines say. Faults name lines, never what stands there.
fn read(store: &Store, before: &[String], text: &[u8]) -> anyhow::Result<Values> {
    let text = std::str::from_utf8(text).map_err(|_| anyhow!("the edited text is not UTF-8"))?;
    let mut values = Values::new();
    // Nobody takes a head out to take all secrets out: an editor failed.
    if text.trim().is_empty() {
        bail!("the edited text is empty");
    }
    for (index, line) in text.lines().enumerate() {
        let fault = |words: &str| anyhow!("line {}: {words}", index + 1);
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line.split_once(':').ok_or_else(|| fault("expected `name: value`"))?;
        let name = name.trim();
        if !secrets::is_path(name) {
            return Err(fault("this cannot name a secret"));
        }
        let value = value.trim();
        let value = if value.starts_with('"') {
            serde_json::from_str::<String>(value).map_err(|_| fault("the value in quotes is not whole"))?
        } else {
            value.to_owned()
        };
        if value.is_empty() {
            return Err(fault("the value is empty; take the line out to take the secret out"));
        }
        let secret = Secret::new(value.into_bytes(), name);
        if values.insert(name.to_owned(), Some(secret)).is_some() {
            return Err(fault("this name stands here twice"));
        }
    }
    for name in before {
        let is_text = store.get(name)?.reveal_text().is_some();
        if is_text && !values.contains_key(name) {
            values.insert(name.clone(), None);
        }
    }
    Ok(values)
}
