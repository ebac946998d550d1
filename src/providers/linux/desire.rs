//! What is wished of a host. Pure: the same inventory and templates give the same wish.

use sha2::{Digest, Sha256};

use super::{FILE, KIND, PACKAGE, RANK, SERVICE, sbc};
use crate::host::{files, packages};
use crate::inventory::{At, Host, HostFile, Inventory};
use crate::model::{Fields, Impact, Key, Resource, Resources, Secret, Target, Value, Wish};
use crate::providers::{Fault, Found, Lookup};

/// What a template knows besides the host's own variables.
const GIVEN: [&str; 3] = ["host", "site", "secrets"];

/// All that is wished of one host.
///
/// # Errors
/// Every fault found.
pub(super) fn wish(inventory: &Inventory, target: &Target, lookup: &dyn Lookup) -> Result<Wish, Vec<Fault>> {
    let Some(host) = inventory.hosts.get(&target.name) else {
        return Err(vec![Fault::new(format!("the inventory has no host `{}`", target.name))]);
    };
    let mut resources = Resources::new();
    let mut faults: Vec<Fault> = shadowed(host).collect();
    for package in &host.packages {
        let resource = Resource { fields: packages::wish(), ..Resource::default() };
        resources.insert(Key::new(PACKAGE, package.as_str()), resource);
    }
    let context = context(inventory, &target.name, host);
    for own in &host.files {
        match file(host, own, &context, lookup) {
            Ok(resource) => {
                resources.extend(resource.wakes.clone().map(service));
                resources.insert(Key::new(FILE, own.path.as_str()), resource);
            }
            Err(fault) => faults.push(fault),
        }
    }
    faults.extend(sbc::wish(inventory, &target.name, lookup, &mut resources).err());
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Wish::new(target.clone(), KIND, RANK, resources))
}

/// Variables that would hide what every template is given.
fn shadowed(host: &At<Host>) -> impl Iterator<Item = Fault> {
    GIVEN.into_iter().filter(|name| host.vars.contains_key(*name)).map(|name| {
        Fault::new(format!("a variable cannot be called `{name}`: templates know the {name} by this name"))
            .at(&host.place)
    })
}

fn context(inventory: &Inventory, name: &str, host: &At<Host>) -> serde_json::Value {
    let mut context = serde_json::json!(host.vars);
    context["host"] = serde_json::json!({ "name": name, "address": host.address.as_str() });
    if let Some((name, site)) =
        host.site.as_ref().and_then(|name| inventory.sites.get_key_value(name.as_str()))
    {
        let timezone = site.timezone.as_ref().map(|timezone| timezone.as_str());
        context["site"] = serde_json::json!({ "name": name, "title": site.title, "timezone": timezone });
    }
    context
}

/// A service that some file restarts.
fn service(key: Key) -> (Key, Resource) {
    let fields = ["running", "current"].map(|flag| (flag.to_owned(), Value::Bool(true)));
    let impact = Impact::Restart(key.name.clone());
    (key, Resource { fields: fields.into(), impact, ..Resource::default() })
}

fn file(
    host: &At<Host>,
    own: &At<HostFile>,
    context: &serde_json::Value,
    lookup: &dyn Lookup,
) -> Result<Resource, Fault> {
    let (content, summary) = content(own, context, lookup)?;
    // Under a prefix nothing runs: there is no service to restart.
    let service = own.restart.as_ref().filter(|_| host.root.is_none());
    Ok(Resource {
        fields: fields(own, content),
        impact: service.map_or(Impact::None, |service| Impact::Restart(service.value.clone())),
        wakes: service.map(|service| Key::new(SERVICE, service.as_str())),
        summary,
        ..Resource::default()
    })
}

fn fields(own: &HostFile, content: Value) -> Fields {
    let usual = if own.secrets.is_empty() { "0644" } else { "0640" };
    let mode = own.mode.as_ref().map_or(usual, |mode| mode.as_str());
    let owner = own.owner.as_deref().unwrap_or("root");
    files::wish(content, mode, owner, own.group.as_deref().unwrap_or(owner))
}

/// A file's content and where it comes from.
fn content(
    own: &At<HostFile>,
    context: &serde_json::Value,
    lookup: &dyn Lookup,
) -> Result<(Value, String), Fault> {
    match (&own.template, &own.source, &own.content) {
        (Some(template), None, None) if !own.secrets.is_empty() => {
            with_secrets(own, template, context, lookup)
        }
        (Some(template), None, None) => {
            let text = lookup.render(template, context).map_err(|fault| placed(fault, template))?;
            Ok((Value::Text(text), format!("from templates/{}", template.value)))
        }
        (None, Some(source), None) => {
            let bytes = lookup.source(source).map_err(|fault| placed(fault, source))?;
            Ok((sent_as_is(bytes, source), format!("from templates/{}", source.value)))
        }
        (None, None, Some(text)) => Ok((Value::text(text.as_str()), String::new())),
        _ => Err(Fault::new("a file comes from one of `template`, `source` and `content`").at(&own.place)),
    }
}

/// A rendered template that holds secrets: named by its path, the secrets' names and a digest of the latter's
/// versions and of the template without them, so that a plan holds nothing to test guesses against.
fn with_secrets(
    own: &HostFile,
    template: &At<String>,
    context: &serde_json::Value,
    lookup: &dyn Lookup,
) -> Result<(Value, String), Fault> {
    let (mut known, mut blank) = (context.clone(), context.clone());
    let mut versions = String::new();
    for (name, named) in &own.secrets {
        let found = lookup.secret(&named.secret).map_err(|fault| fault.at(&named.place))?;
        let Found::Ready(secret) = found else { return Ok((found.into_value(Value::Secret), String::new())) };
        let text = secret
            .reveal_text()
            .ok_or_else(|| Fault::new(format!("secret `{}` is not text", named.secret)).at(&named.place))?;
        known["secrets"][name] = text.into();
        blank["secrets"][name] = "".into();
        versions.push_str(secret.source());
    }
    let render = |context| lookup.render(template, context).map_err(|fault| placed(fault, template));
    let digest = hex::encode(Sha256::digest(render(&blank)? + &versions));
    let source = format!("templates/{}@{}", template.value, &digest[..12]);
    Ok((Value::Secret(Secret::new(render(&known)?, source)), format!("from templates/{}", template.value)))
}

/// A fault at the place of the inventory that led to it.
fn placed(fault: Fault, named: &At<String>) -> Fault {
    if fault.place.is_some() { fault } else { fault.at(&named.place) }
}

/// Text as text. Other bytes cannot be shown in a plan: they stand there by name and digest.
fn sent_as_is(bytes: Vec<u8>, path: &str) -> Value {
    match String::from_utf8(bytes) {
        Ok(text) => Value::Text(text),
        Err(error) => {
            let bytes = error.into_bytes();
            let digest = hex::encode(Sha256::digest(&bytes));
            Value::Secret(Secret::new(bytes, format!("templates/{path}@{}", &digest[..12])))
        }
    }
}
