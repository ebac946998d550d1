//! What holds between the values of a playbook, and between it and the inventory.

use std::collections::BTreeSet;

use super::{Act, Parameter, Playbook, RedeployStep, Size, Step, VERBS};
use crate::inventory::decode::closest;
use crate::inventory::{At, Diagnostic, Inventory, Place};

/// The labels that `only` knows.
const LABELS: [&str; 4] = ["kind", "name", "site", "model"];

/// The names between braces in a text, such as `gateway` in `the unit {gateway}`. Braces around anything but a
/// name are only braces.
pub fn mentions(text: &str) -> impl Iterator<Item = &str> {
    let pieces = text.split('{').skip(1).filter_map(|piece| piece.split_once('}'));
    let named = |name: &&str| {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !name.is_empty() && name.chars().all(fits)
    };
    pieces.map(|(name, _)| name).filter(named)
}

struct Checking<'a> {
    book: &'a Playbook,
    inventory: Option<&'a Inventory>,
    found: &'a mut Vec<Diagnostic>,
    mentioned: BTreeSet<String>,
    /// Where keys stand that are not known: one of them may have been meant for a verb.
    unknown: Vec<Place>,
}

/// Adds what is wrong with a playbook. `read` are the faults of reading it.
pub(super) fn check(
    book: &Playbook,
    inventory: Option<&Inventory>,
    read: &[Diagnostic],
    found: &mut Vec<Diagnostic>,
) {
    let unknown = read.iter().filter(|fault| fault.code == "unknown-key");
    let unknown = unknown.filter_map(|fault| fault.place().cloned()).collect();
    let mut checking = Checking { book, inventory, found, mentioned: BTreeSet::new(), unknown };
    if book.steps.is_empty() {
        checking.found.push(Diagnostic::error("no-steps", "a playbook has at least one step"));
    }
    for (index, step) in book.steps.iter().enumerate() {
        checking.verb(step, book.steps.get(index + 1));
        checking.step(step);
    }
    for (name, at) in &book.with {
        if !checking.mentioned.contains(name) {
            let warning = Diagnostic::warning("unused-parameter", format!("no step names `{{{name}}}`"));
            checking.found.push(warning.at(&at.place, ""));
        }
    }
}

impl Checking<'_> {
    fn verb(&mut self, at: &At<Step>, next: Option<&At<Step>>) {
        let of_it = |place: &&Place| **place >= at.place && next.is_none_or(|next| **place < next.place);
        match present(&at.value).as_slice() {
            [_] => {}
            [] if self.unknown.iter().any(|place| of_it(&place)) => {}
            [] => {
                let fault = Diagnostic::error("no-verb", "the step does nothing").at(&at.place, "");
                self.found.push(fault.help(format!("one of {}", VERBS.join(", "))));
            }
            several => {
                let message = format!("a step has one verb, not {}", several.join(" and "));
                let fault = Diagnostic::error("several-verbs", message).at(&at.place, "");
                self.found.push(fault.help("write a step for each, in their order"));
            }
        }
    }

    fn step(&mut self, at: &At<Step>) {
        if let Some(title) = &at.title {
            self.words(title, "a title");
        }
        let Some(act) = at.act() else { return };
        if let Some(selection) = act.selection() {
            let names = selection.names.iter().chain(&selection.except);
            names.for_each(|name| self.name(name, &["gateway", "broker", "host", "pbx", "pki"]));
            selection.only.iter().for_each(|label| self.label(label));
        }
        let most = act.pace().and_then(|pace| pace.max_failures.as_ref());
        if let Some(most) = most.filter(|at| at.value == Size::Rest) {
            self.fault("bad-size", &most.place, "`rest` is the size of a wave; write 100% if all may fail");
        }
        match act {
            Act::Redeploy(RedeployStep { selection, .. })
                if selection.names.is_empty() && selection.only.is_empty() =>
            {
                let warning = Diagnostic::warning("every-gateway", "this redeploys every gateway");
                self.found
                    .push(warning.at(&at.place, "").help("`only: [kind=gateway]` says that it is meant"));
            }
            Act::Renew(step) => step.names.iter().for_each(|name| self.name(name, &["broker", "gateway"])),
            Act::Rotate(step) => match (&step.authority, &step.secret, step.listed) {
                (Some(_), None, None) | (None, None, Some(true)) => {}
                (None, Some(path), None) => self.words(path, "a secret's path"),
                _ => {
                    let words = "`rotate` has one of `authority`, `secret` and `listed: true`";
                    self.fault("bad-rotate", &at.place, words);
                }
            },
            Act::Rekey(step) => step.remove.iter().for_each(|name| self.words(name, "a name")),
            Act::Confirm(words) => self.words(words, "words"),
            Act::Run(step) => self.command(&step.command),
            _ => {}
        }
    }

    fn fault(&mut self, code: &'static str, place: &Place, message: impl Into<String>) {
        self.found.push(Diagnostic::error(code, message).at(place, ""));
    }

    /// Parameters in a text are declared. Whether there were any.
    fn parameters(&mut self, at: &At<String>) -> bool {
        let names: Vec<String> = mentions(at).map(str::to_owned).collect();
        for name in &names {
            if !self.book.with.contains_key(name) {
                let fault = Diagnostic::error("unknown-parameter", format!("`{{{name}}}` is not in `with`"));
                let help = match closest(name, self.book.with.keys().map(String::as_str)) {
                    Some(near) => format!("did you mean `{{{near}}}`?"),
                    None => format!("`with: {{{name}: target}}` at the top of the playbook declares it"),
                };
                self.found.push(fault.at(&at.place, "").help(help));
            }
        }
        self.mentioned.extend(names.iter().cloned());
        !names.is_empty()
    }

    fn words(&mut self, at: &At<String>, what: &str) {
        if at.trim().is_empty() {
            self.fault("empty-value", &at.place, format!("{what} is missing"));
        }
        self.parameters(at);
    }

    /// Words for people are not taken for names.
    fn not_text(&mut self, at: &At<String>, where_to: &str) {
        let text = |name: &&str| self.book.with.get(*name).is_some_and(|at| at.value == Parameter::Text);
        if let Some(name) = mentions(at).find(text) {
            let message = format!("`{{{name}}}` is text, which does not go into {where_to}");
            self.fault("text-parameter", &at.place, message);
        }
    }

    fn name(&mut self, at: &At<String>, kinds: &[&str]) {
        self.not_text(at, "a name");
        let open = self.parameters(at);
        let Some(inventory) = self.inventory.filter(|_| !open) else { return };
        let (kind, bare) = match at.split_once('/') {
            Some((kind, bare)) => (Some(kind), bare),
            None => (None, at.as_str()),
        };
        let fitting = kinds.iter().filter(|candidate| kind.is_none_or(|kind| kind == **candidate));
        let names: Vec<&str> = fitting.flat_map(|kind| of(inventory, kind)).collect();
        if names.contains(&bare) {
            return;
        }
        let fault = Diagnostic::error("dangling-reference", format!("no target is called `{}`", at.value));
        let fault = fault.at(&at.place, "not found");
        self.found.push(match closest(bare, names.into_iter()) {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None => fault.help("a gateway, broker, host or telephone system of the inventory"),
        });
    }

    fn label(&mut self, at: &At<String>) {
        self.not_text(at, "a label");
        let open = self.parameters(at);
        let Some((key, value)) = at.split_once('=') else {
            return self.fault(
                "bad-label",
                &at.place,
                format!("`{}` is not of the form key=value", at.value),
            );
        };
        if !LABELS.contains(&key) {
            let message = format!("there is no label `{key}`; there are {}", LABELS.join(", "));
            return self.fault("bad-label", &at.place, message);
        }
        let site_missing = |inventory: &Inventory| key == "site" && !inventory.sites.contains_key(value);
        if !open && self.inventory.is_some_and(site_missing) {
            self.fault("dangling-reference", &at.place, format!("there is no `{value}` in `sites`"));
        }
    }

    /// A shell has braces of its own: only what `with` declares is a parameter.
    fn command(&mut self, at: &At<String>) {
        if at.trim().is_empty() {
            self.fault("empty-value", &at.place, "a command is missing");
        }
        self.not_text(at, "a command");
        let declared = mentions(at).filter(|name| self.book.with.contains_key(*name));
        let declared: Vec<String> = declared.map(str::to_owned).collect();
        self.mentioned.extend(declared);
    }
}

/// The names of the targets of a kind.
fn of<'a>(inventory: &'a Inventory, kind: &str) -> Vec<&'a str> {
    fn keys<T>(section: &crate::inventory::Section<T>) -> Vec<&str> {
        section.keys().map(String::as_str).collect()
    }
    match kind {
        "gateway" => keys(&inventory.gateways),
        "broker" => keys(&inventory.brokers),
        "host" => keys(&inventory.hosts),
        "pbx" => keys(&inventory.pbx),
        "pki" => inventory.pki.iter().map(|_| "authority").collect(),
        _ => Vec::new(),
    }
}

/// The verbs that are written in a step.
fn present(step: &Step) -> Vec<&'static str> {
    let written = [
        step.plan.is_some(),
        step.apply.is_some(),
        step.verify.is_some(),
        step.redeploy.is_some(),
        step.renew.is_some(),
        step.rotate.is_some(),
        step.rekey.is_some(),
        step.wait.is_some(),
        step.confirm.is_some(),
        step.run.is_some(),
    ];
    VERBS.into_iter().zip(written).filter(|(_, written)| *written).map(|(verb, _)| verb).collect()
}
