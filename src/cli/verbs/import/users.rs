//! `import users`: a list in the form of a 3CX's console becomes extensions of the inventory, PINs secrets.

use serde_json::{Map, Value as Json, json};

use super::list;
use super::writing::{Edits, Rows};
use crate::cli::arguments::ImportUsers;
use crate::cli::{Arguments, Exit, lock, say, surroundings};
use crate::intake::Mapping;
use crate::inventory::Extension;
use crate::model::Secret;
use crate::providers::threecx::user_list::{self, User};
use crate::run::Workspace;

pub(super) fn run(arguments: &Arguments, verb: &ImportUsers) -> anyhow::Result<Exit> {
    let workspace = surroundings::workspace(arguments)?;
    let Some(_lock) = lock::take(workspace.root())? else { return Ok(Exit::Locked) };
    let (name, pbx) = super::super::telephone_system(workspace.inventory(), &verb.pbx)?;
    let mapping = Mapping { delimiter: Some(",".to_owned()), ..Mapping::default() };
    let sheet = list::sheet(&verb.list, &mapping)?;
    let pins = sheet.header.iter().position(|cell| cell.text.eq_ignore_ascii_case("VMPIN"));
    let sources = sheet.sources(&pins.into_iter().collect::<Vec<_>>());
    let users = user_list::read(&sheet, pbx).map_err(|faults| list::refused(faults, sources.clone()))?;

    let mut edits = Edits::new(&workspace);
    let mut rows = Rows::new();
    let (mut new, mut changed, mut pins) = (Vec::new(), 0, Vec::new());
    for mut user in users {
        user.notes.iter().for_each(|note| say::word(&format!("note: {note}")));
        let own = pbx.extensions.get(&user.number);
        pin(&workspace, name, &mut user, own.map(|own| &own.value), &mut pins)?;
        let parent = ["pbx", name, "extensions"].map(str::to_owned).to_vec();
        rows.insert((parent, user.number.clone()), user.row.clone());
        match own {
            None => new.push((user.number.clone(), Json::Object(user.fields))),
            Some(own) => {
                let path = ["pbx", name, "extensions", user.number.as_str()];
                let fields = without_lists(&user, own);
                changed += usize::from(merge(&mut edits, &own.place.file, &path, &fields)?);
            }
        }
    }
    edits.insert(&pbx.place.file, &["pbx", name, "extensions"], &new)?;
    edits.check(&rows, Some(&sources))?;
    let lines = new.iter().map(|(number, fields)| {
        let names = ["first_name", "last_name"].map(|name| fields[name].as_str().unwrap_or_default());
        format!("{}+{:#} {number}  {}", say::GOOD, say::GOOD, names.join(" ").trim())
    });
    lines.for_each(|line| say::data(&line));
    let told = format!("{} new, {changed} changed", say::count(new.len(), "extension"));
    let files = edits.files().join(", ");
    if verb.dry_run {
        say::word(&format!("{told}; nothing was written"));
        return Ok(Exit::Done);
    }
    workspace.store().put_all(&pins)?;
    edits.write()?;
    say::word(&if files.is_empty() { told } else { format!("{told}; written to {files}") });
    Ok(Exit::Done)
}

/// Names a user's PIN, and keeps it when it is another than is kept.
fn pin(
    workspace: &Workspace,
    pbx: &str,
    user: &mut User,
    own: Option<&Extension>,
    pins: &mut Vec<(String, Secret)>,
) -> anyhow::Result<()> {
    let Some(pin) = user.pin.take() else { return Ok(()) };
    let named = own.and_then(|own| own.voicemail.as_ref()?.pin.as_ref()).map(|named| named.secret.clone());
    let path = named.unwrap_or_else(|| format!("pbx/{pbx}/{}/pin", user.number));
    let store = workspace.store();
    if !store.has(&path) || store.get(&path)?.reveal() != pin.reveal() {
        pins.push((path.clone(), pin));
    }
    let voicemail = user.fields.entry("voicemail").or_insert_with(|| json!({}));
    voicemail["pin"] = json!({ "secret": path });
    Ok(())
}

/// A row holds one phone and perhaps not all keys: those that the inventory has stay.
fn without_lists(user: &User, own: &Extension) -> Map<String, Json> {
    let mut fields = user.fields.clone();
    if own.blf.is_some() {
        fields.remove("blf");
    }
    if own.phones.as_ref().is_some_and(|phones| !phones.is_empty()) {
        let mac = fields.remove("phones").and_then(|phones| Some(phones[0]["mac"].as_str()?.to_owned()));
        let has = |mac: &String| own.phones.iter().flatten().any(|phone| phone.mac.0.to_string() == *mac);
        if let Some(mac) = mac.filter(|mac| !has(mac)) {
            say::word(&format!("note: extension {} has other phones than {mac}; they stay", user.number));
        }
    }
    fields
}

/// Sets what the inventory does not say yet; maps are gone into, so that what else they say stays.
fn merge(
    edits: &mut Edits<'_>,
    file: &str,
    path: &[&str],
    fields: &Map<String, Json>,
) -> anyhow::Result<bool> {
    let mut changed = false;
    for (name, value) in fields {
        let inner: Vec<&str> = path.iter().copied().chain([name.as_str()]).collect();
        if edits.says(file, &inner, value)? {
            continue;
        }
        changed = true;
        match value {
            Json::Object(inside) if name != "pin" => drop(merge(edits, file, &inner, inside)?),
            _ => edits.insert(file, path, &[(name.clone(), value.clone())])?,
        }
    }
    Ok(changed)
}
