//! What a playbook is given when it is run, checked before anything is begun, and put in its place in texts.

use std::collections::BTreeMap;

use crate::inventory::Inventory;
use crate::inventory::playbook::{Parameter, Playbook};
use crate::secrets;

/// Puts what was given in the place of `{name}`; other braces stay.
pub fn fill(text: &str, with: &BTreeMap<String, String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        match after.split_once('}').and_then(|(name, behind)| Some((with.get(name)?, behind))) {
            Some((value, behind)) => {
                filled.push_str(value);
                rest = behind;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// Holds what was given, as `name=value`, against what the playbook asks for.
///
/// # Errors
/// Everything that is missing, not asked for, or not what it must be.
pub fn settle(
    book: &Playbook,
    given: &[String],
    inventory: &Inventory,
    store: &secrets::Store,
) -> Result<BTreeMap<String, String>, Vec<String>> {
    let mut with = BTreeMap::new();
    let mut faults = Vec::new();
    for text in given {
        match text.split_once('=') {
            Some((name, _)) if !book.with.contains_key(name) => {
                let known: Vec<&str> = book.with.keys().map(String::as_str).collect();
                let known = if known.is_empty() { "it takes none".into() } else { known.join(", ") };
                faults.push(format!("the playbook has no parameter `{name}`: {known}"));
            }
            Some((name, value)) => {
                if with.insert(name.to_owned(), value.to_owned()).is_some() {
                    faults.push(format!("`{name}` is given twice"));
                }
            }
            None => faults.push(format!("`{text}` is not of the form name=value")),
        }
    }
    for (name, at) in &book.with {
        match with.get(name) {
            None => faults.push(format!("`{name}` is missing: {name}=NAME, {}", words(at.value))),
            Some(value) => faults.extend(
                fault(at.value, value, inventory, store).map(|fault| format!("`{name}={value}`: {fault}")),
            ),
        }
    }
    if faults.is_empty() { Ok(with) } else { Err(faults) }
}

fn words(parameter: Parameter) -> &'static str {
    match parameter {
        Parameter::Gateway => "a gateway of the inventory",
        Parameter::Broker => "a broker of the inventory",
        Parameter::Host => "a host of the inventory",
        Parameter::Pbx => "a telephone system of the inventory",
        Parameter::Site => "a site of the inventory",
        Parameter::Target => "a target of the inventory",
        Parameter::Secret => "the path of a secret",
        Parameter::Recipient => "a name in inventory/secrets/recipients.txt",
        Parameter::Text => "words for people",
    }
}

/// Why a value is not what it must be.
fn fault(parameter: Parameter, value: &str, inventory: &Inventory, store: &secrets::Store) -> Option<String> {
    let there = match parameter {
        Parameter::Gateway => inventory.gateways.contains_key(value),
        Parameter::Broker => inventory.brokers.contains_key(value),
        Parameter::Host => inventory.hosts.contains_key(value),
        Parameter::Pbx => inventory.pbx.contains_key(value),
        Parameter::Site => inventory.sites.contains_key(value),
        Parameter::Target => {
            let bare = value.split_once('/').map_or(value, |(_, bare)| bare);
            let gateway = inventory.gateways.contains_key(bare) || inventory.brokers.contains_key(bare);
            gateway || inventory.hosts.contains_key(bare) || inventory.pbx.contains_key(bare)
        }
        Parameter::Secret => store.has(value),
        Parameter::Recipient => match store.recipients() {
            Ok(all) => all.iter().any(|one| one.name.as_deref() == Some(value) || one.key() == value),
            Err(fault) => return Some(format!("{fault:#}")),
        },
        Parameter::Text => !value.trim().is_empty() && !value.contains(char::is_control),
    };
    (!there).then(|| format!("it is not {}", words(parameter)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_given_is_put_in() {
        let with = BTreeMap::from([("gateway".to_owned(), "{site}".to_owned())]);
        assert_eq!(
            fill("gateway/{gateway}", &with),
            "gateway/{site}",
            "what is put in is not looked through"
        );
        assert_eq!(fill("awk '{print $1}' {gateway} {", &with), "awk '{print $1}' {site} {");
    }
}
