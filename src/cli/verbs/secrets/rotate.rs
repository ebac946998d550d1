//! `secrets rotate`: a new value, what it touches, and the list of what people who left still know.

use anyhow::bail;

use super::{given, tick, told};
use crate::cli::arguments::Rotate;
use crate::cli::{Arguments, Exit, say};
use crate::compose::{self, Role, Use};
use crate::inventory::{self, Inventory};
use crate::model::PLAN_FORMAT;
use crate::run::{Fresh, may_change, renew_value};
use crate::secrets::{Item, Ledger, Store};

pub fn run(arguments: &Arguments, verb: &Rotate) -> anyhow::Result<Exit> {
    let Some(path) = verb.path.as_deref() else { return list(arguments) };
    if verb.done {
        if !Ledger::read(&arguments.directory)?.open().any(|item| item.name == path) {
            bail!("`{path}` is not in the list of what is to be changed; `rocade secrets rotate` shows it");
        }
        tick(arguments, path)?;
        return Ok(Exit::Done);
    }
    let store = super::open(arguments)?;
    may_change(&store, path)?;
    let loaded = inventory::load(&arguments.directory)
        .map_err(|report| crate::run::Refused::Inventory(Box::new(report)))?;
    let uses = compose::uses(&loaded.inventory, path);
    // With an overlap the present value stays where it is, and a second one comes beside it.
    let target = if verb.overlap { beside(&store, path, &uses)? } else { path.to_owned() };
    if !verb.dry_run {
        let fresh = match verb.generate {
            Some(told) => Fresh::Made(super::form(told)),
            None => Fresh::Given(given(arguments)?),
        };
        let place = (arguments.directory.as_path(), &store);
        told(&target, renew_value(place, &target, &uses, fresh, &super::today())?);
    }
    if arguments.json {
        draw_json(verb, &target, &uses)?;
    } else {
        draw(verb, &target, &uses, &loaded.inventory);
    }
    Ok(Exit::Done)
}

/// The name of the secret beside one, where the device takes two.
fn beside(store: &Store, path: &str, uses: &[Use]) -> anyhow::Result<String> {
    let is_client = |one: &Use| matches!(one.role, Role::Client { .. });
    if uses.is_empty() || !uses.iter().all(is_client) {
        let why = uses.iter().find(|one| !is_client(one)).map(|one| format!(": {}", one.role.consequences()));
        bail!("`{path}` cannot have an old and a new value at once{}", why.unwrap_or_default());
    }
    let free = (2..100).map(|number| format!("{path}-{number}")).find(|name| !store.has(name));
    free.ok_or_else(|| anyhow::anyhow!("`{path}` has 99 secrets beside it"))
}

fn draw(verb: &Rotate, target: &str, uses: &[Use], inventory: &Inventory) {
    for one in uses {
        let place = if one.place.line > 0 { format!("  ({})", one.place) } else { String::new() };
        say::data(&format!("{}: {}{place}", one.owner, one.field));
        say::data(&format!("  {}", one.role.consequences()));
    }
    if uses.is_empty() {
        say::data("nothing in the inventory uses it");
    }
    if verb.dry_run {
        say::word("nothing was changed");
        return;
    }
    say::word(&format!("set {target}"));
    if verb.overlap {
        for one in uses {
            if let Role::Client { broker, account } = &one.role {
                say::data(&second_account(inventory, broker, account, target));
            }
        }
        say::hint("apply, give the clients the new account, then take the old one out and apply again");
    } else if !uses.is_empty() {
        say::hint("`rocade plan` shows it, `rocade apply` does it");
    }
}

/// The lines of YAML that give a client a second account with the same rights.
fn second_account(inventory: &Inventory, broker: &str, account: &str, secret: &str) -> String {
    let quoted = |filters: &[crate::inventory::At<String>]| {
        let filters: Vec<String> = filters.iter().map(|filter| format!("\"{}\"", filter.value)).collect();
        filters.join(", ")
    };
    let client = inventory.brokers.get(broker).and_then(|broker| broker.clients.get(account));
    let rights = client.map_or_else(String::new, |client| {
        let lists =
            [("read", &client.read), ("write", &client.write)].into_iter().filter(|(_, it)| !it.is_empty());
        lists.map(|(word, filters)| format!(", {word}: [{}]", quoted(filters))).collect()
    });
    let number = secret.rsplit('-').next().unwrap_or("2");
    format!(
        "add to the clients of broker {broker}, beside `{account}`:\n      \
         {account}-{number}: {{password: {{secret: {secret}}}{rights}}}"
    )
}

fn draw_json(verb: &Rotate, target: &str, uses: &[Use]) -> anyhow::Result<()> {
    let of = |one: &Use| {
        serde_json::json!({
            "owner": one.owner, "field": one.field,
            "place": (one.place.line > 0).then(|| one.place.to_string()),
            "made_here": one.role.is_made_here(), "consequences": one.role.consequences(),
        })
    };
    let result = serde_json::json!({
        "format_version": PLAN_FORMAT, "secret": target, "dry_run": verb.dry_run,
        "uses": uses.iter().map(of).collect::<Vec<_>>(),
    });
    say::data(&serde_json::to_string_pretty(&result)?);
    Ok(())
}

fn list(arguments: &Arguments) -> anyhow::Result<Exit> {
    let ledger = Ledger::read(&arguments.directory)?;
    let open = ledger.open().count();
    if arguments.json {
        let item =
            |item: &Item| serde_json::json!({ "name": item.name, "done": item.done, "note": item.note });
        let items: Vec<_> = ledger.items.iter().map(item).collect();
        let result = serde_json::json!({ "format_version": PLAN_FORMAT, "open": open, "items": items });
        say::data(&serde_json::to_string_pretty(&result)?);
        return Ok(Exit::Done);
    }
    ledger.open().for_each(|item| say::data(&format!("{}  {}", item.name, item.note)));
    say::word(&format!("{open} to change, {} changed", ledger.items.len() - open));
    Ok(Exit::Done)
}
