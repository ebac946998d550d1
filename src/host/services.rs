//! Services as fields of a resource: `enabled`, `running`, `current`.
//!
//! `current` is read from what runs and what is on disk, so a crash between a file and its restart loses
//! nothing.

use super::{Order, ServiceAct, ServiceFacts};
use crate::model::{Action, Change, Fields, Value};

/// The fields of a service.
pub fn seen(facts: &ServiceFacts) -> Fields {
    let flags = [("enabled", facts.enabled), ("running", facts.running), ("current", facts.current)];
    flags.map(|(name, flag)| (name.to_owned(), Value::Bool(flag))).into()
}

/// The orders that bring a service to its wish, at most one restart among them. `refresh` is what makes it
/// take up its files ([`ServiceAct::Restart`] or [`ServiceAct::Reload`]); `touched` says that a file it
/// reads changes in the same apply although the service's own change does not tell.
pub fn orders(
    name: &str,
    watch: &[String],
    change: &Change,
    refresh: ServiceAct,
    touched: bool,
) -> Vec<Order> {
    let order = |act| Order::Service { name: name.to_owned(), act, watch: watch.to_vec() };
    let flag = |field: &str| match change.after.as_ref().and_then(|after| after.get(field)) {
        Some(Value::Bool(flag)) => Some(*flag),
        _ => None,
    };
    if change.action == Action::Delete {
        return vec![order(ServiceAct::Stop), order(ServiceAct::Disable)];
    }
    let woken = change.action == Action::Wake || touched;
    let mut orders = Vec::new();
    if change.action != Action::Wake {
        match flag("enabled") {
            Some(true) => orders.push(order(ServiceAct::Enable)),
            Some(false) => orders.push(order(ServiceAct::Disable)),
            None => {}
        }
    }
    match flag("running") {
        Some(false) => orders.push(order(ServiceAct::Stop)),
        Some(true) if change.action != Action::Wake => orders.push(order(ServiceAct::Restart)),
        _ if woken || flag("current") == Some(true) => orders.push(order(refresh)),
        _ => {}
    }
    orders
}

#[cfg(test)]
mod tests {
    use super::ServiceAct::*;
    use super::*;
    use crate::model::{Address, Impact, Key, Target};

    fn acts(action: Action, after: &[(&str, bool)], touched: bool) -> Vec<ServiceAct> {
        let after = after.iter().map(|(name, flag)| ((*name).to_owned(), Value::Bool(*flag))).collect();
        let change = Change {
            address: Address { target: Target::new("host", "h"), key: Key::new("service", "s") },
            action,
            before: None,
            after: Some(after),
            impact: Impact::None,
            because: Vec::new(),
            summary: String::new(),
        };
        let act = |order| match order {
            Order::Service { act, .. } => act,
            other => panic!("{other:?}"),
        };
        orders("s", &[], &change, Reload, touched).into_iter().map(act).collect()
    }

    #[test]
    fn a_service_acts_once() {
        let whole = [("current", true), ("enabled", true), ("running", true)];
        assert_eq!(acts(Action::Create, &whole, true), [Enable, Restart]);
        assert_eq!(acts(Action::Wake, &whole, false), [Reload]);
        assert_eq!(acts(Action::Update, &[("current", true)], false), [Reload]);
        assert_eq!(acts(Action::Update, &[("current", true), ("running", true)], true), [Restart]);
        assert_eq!(acts(Action::Update, &[("enabled", true)], false), [Enable]);
        assert_eq!(acts(Action::Update, &[("enabled", true)], true), [Enable, Reload]);
        assert_eq!(acts(Action::Update, &[("enabled", false), ("running", false)], true), [Disable, Stop]);
        assert_eq!(acts(Action::Delete, &[], false), [Stop, Disable]);
    }
}
