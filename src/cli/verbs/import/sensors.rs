//! `import sensors`: a list becomes sensors of the inventory, its keys secrets.

use serde_json::json;

use super::list;
use super::writing::{Edits, Rows};
use crate::cli::arguments::ImportSensors;
use crate::cli::{Arguments, Exit, lock, say, surroundings};
use crate::intake::sensors::{self, Deed, Given, Keys, Taken};
use crate::inventory::Sources;
use crate::model::PLAN_FORMAT;
use crate::run::Workspace;

pub(super) fn run(arguments: &Arguments, verb: &ImportSensors) -> anyhow::Result<Exit> {
    let workspace = surroundings::workspace(arguments)?;
    let Some(_lock) = lock::take(workspace.root())? else { return Ok(Exit::Locked) };
    if let Some(gateway) =
        verb.gateway.as_ref().filter(|name| !workspace.inventory().gateways.contains_key(*name))
    {
        anyhow::bail!("there is no gateway `{gateway}` in the inventory");
    }
    let mapping = list::mapping(verb.map.as_deref(), &sensors::FIELDS, &[])?;
    let sheet = list::sheet(&verb.list, &mapping)?;
    let given = Given { gateway: verb.gateway.clone(), model: verb.model.clone(), topic: verb.topic.clone() };
    let keys = keys(&workspace);
    let sources = sheet.sources(&sensors::secret_columns(&sheet, &mapping));
    let taken = sensors::read(&sheet, &mapping, &given, workspace.inventory(), &keys)
        .map_err(|faults| list::refused(faults, sources.clone()))?;
    write(arguments, &workspace, &taken, &sources, verb.into.as_deref(), verb.dry_run)
}

/// The keys that are kept already. Without an identity they cannot be compared, and that is said.
pub(super) fn keys(workspace: &Workspace) -> Keys {
    let mut keys = Keys::default();
    let store = workspace.store();
    let mut paths = sensors::paths(workspace.inventory());
    paths.extend(store.paths().into_iter().filter(|path| path.starts_with("sensors/")));
    for path in paths.into_iter().filter(|path| store.has(path)) {
        match store.get(&path) {
            Ok(secret) => {
                let digest = sensors::digest(secret.reveal_text().unwrap_or_default());
                keys.by_path.insert(path, digest);
            }
            Err(fault) => drop(keys.unopened.insert(path, format!("{fault:#}"))),
        }
    }
    if !keys.unopened.is_empty() {
        let count = say::count(keys.unopened.len(), "key");
        say::word(&format!("note: {count} of the secrets could not be opened, and so not be compared"));
    }
    keys
}

/// Shows what becomes of sensors, checks the inventory as it would be, and writes it with the keys.
pub(super) fn write(
    arguments: &Arguments,
    workspace: &Workspace,
    taken: &[Taken],
    sources: &Sources,
    into: Option<&str>,
    dry_run: bool,
) -> anyhow::Result<Exit> {
    let mut edits = Edits::new(workspace);
    edit(workspace, &mut edits, taken, into)?;
    let path = || vec!["sensors".to_owned()];
    let rows: Rows = taken.iter().map(|one| ((path(), one.name.clone()), one.row.clone())).collect();
    edits.check(&rows, Some(sources))?;
    show(arguments, taken)?;
    let count = |kind: fn(&Deed) -> bool| taken.iter().filter(|one| kind(&one.deed)).count();
    let (new, same) = (count(|deed| *deed == Deed::New), count(|deed| *deed == Deed::Same));
    let told = format!(
        "{} new, {} changed, {same} as they were",
        say::count(new, "sensor"),
        taken.len() - new - same
    );
    if dry_run {
        say::word(&format!("{told}; nothing was written"));
        return Ok(Exit::Done);
    }
    let files = edits.files().join(", ");
    // A key without a sensor does no harm; a sensor without its key stops every plan.
    let keys: Vec<_> = taken.iter().filter_map(|one| one.key.clone()).collect();
    workspace.store().put_all(&keys)?;
    edits.write()?;
    say::word(&if files.is_empty() { told } else { format!("{told}; written to {files}") });
    Ok(Exit::Done)
}

/// Puts new sensors into a file, and what changes where it stands.
pub(super) fn edit(
    workspace: &Workspace,
    edits: &mut Edits<'_>,
    taken: &[Taken],
    into: Option<&str>,
) -> anyhow::Result<()> {
    let inventory = workspace.inventory();
    let first = inventory.sensors.values().next().map(|one| one.place.file.to_string());
    let file = into.map(str::to_owned).or(first).unwrap_or_else(|| "inventory/sensors.yaml".to_owned());
    if !(file.starts_with("inventory/") && (file.ends_with(".yaml") || file.ends_with(".yml"))) {
        anyhow::bail!("`{file}` is no file of the inventory, such as inventory/sensors.yaml");
    }
    let new = taken.iter().filter(|one| one.deed == Deed::New);
    let new: Vec<_> = new.map(|one| (one.name.clone(), one.fields.clone().into())).collect();
    edits.insert(&file, &["sensors"], &new)?;
    for one in taken.iter().filter(|one| matches!(one.deed, Deed::Changed(_))) {
        let Some(own) = inventory.sensors.get(&one.name) else { continue };
        let fields: Vec<_> = one.fields.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        edits.insert(&own.place.file, &["sensors", &one.name], &fields)?;
    }
    Ok(())
}

/// Shows what becomes of sensors.
pub(super) fn show(arguments: &Arguments, taken: &[Taken]) -> anyhow::Result<()> {
    if arguments.json {
        let one = |one: &Taken| {
            let (deed, changed) = match &one.deed {
                Deed::New => ("new", Vec::new()),
                Deed::Changed(fields) => ("changed", fields.clone()),
                Deed::Same => ("same", Vec::new()),
            };
            json!({
                "name": one.name, "dev_eui": one.dev_eui.to_string(), "gateway": one.gateway,
                "row": one.row.to_string(), "deed": deed, "changed": changed,
            })
        };
        let sensors: Vec<_> = taken.iter().map(one).collect();
        let result = json!({ "format_version": PLAN_FORMAT, "sensors": sensors });
        say::data(&serde_json::to_string_pretty(&result)?);
        return Ok(());
    }
    for one in taken {
        let line = match &one.deed {
            Deed::New => format!("{}+{:#} {}", say::GOOD, say::GOOD, one.name),
            Deed::Changed(fields) => {
                format!("{}~{:#} {}: {}", say::CHANGED, say::CHANGED, one.name, fields.join(", "))
            }
            Deed::Same => continue,
        };
        say::data(&format!("{line}  DevEUI {}, {}", one.dev_eui, one.gateway));
    }
    Ok(())
}
