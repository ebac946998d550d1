//! One run: wish, look, plan, apply. The hands are laid on a simulated device.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use rocade::host::{Answer, Ask, Order, Ruling};
use rocade::inventory::{self, Inventory};
use rocade::lab::machine::VirtualHost;
use rocade::model::{Action, Address, Outcome, Plan, Report, Target, Wish};
use rocade::plan::{self, Pair};
use rocade::providers::{Job, Provider};
use rocade::transport::{Hosting, Reading, Writing};

use super::shelf::Shelf;

/// The inventory written in a text.
pub fn inventory(text: &str) -> Inventory {
    match inventory::parse([("inventory/test.yaml", text)]) {
        Ok(loaded) => loaded.inventory,
        Err(report) => panic!("{:?}", report),
    }
}

pub fn wish(provider: &dyn Provider, inventory: &Inventory, name: &str, shelf: &Shelf) -> Wish {
    match provider.desire(inventory, &Target::new(provider.kind(), name), shelf) {
        Ok(wish) => wish,
        Err(faults) => panic!("{faults:?}"),
    }
}

/// Root's hands on a simulated device.
pub struct Hands(pub Arc<VirtualHost>);

impl Hosting for Hands {
    fn ask<'a>(&'a self, asks: &'a [Ask]) -> BoxFuture<'a, anyhow::Result<Vec<Answer>>> {
        async { Ok(asks.iter().map(|ask| self.0.answer(ask, "root")).collect()) }.boxed()
    }

    fn order<'a>(
        &'a self,
        orders: &'a [Order],
        each: &'a mut (dyn FnMut(usize, Ruling) + Send),
    ) -> BoxFuture<'a, ()> {
        async move {
            let mut broken = false;
            for (index, order) in orders.iter().enumerate() {
                let ruling = if broken { Ruling::NotStarted } else { self.0.carry_out(order, "root").await };
                broken |= !matches!(ruling, Ruling::Done(_));
                each(index, ruling);
            }
        }
        .boxed()
    }
}

/// What is to be done now.
pub async fn plan(provider: &dyn Provider, wish: &Wish, hands: &dyn Hosting) -> Plan {
    let observed = provider.observe(wish, Reading::on(hands)).await;
    plan::make(&[Pair { wish, observed: &observed, table: provider.collections() }])
}

/// Plans and applies; gives how each change ended.
pub async fn apply(provider: &dyn Provider, wish: &Wish, hands: &dyn Hosting) -> Vec<(String, Outcome)> {
    let observed = provider.observe(wish, Reading::on(hands)).await;
    let plan = plan::make(&[Pair { wish, observed: &observed, table: provider.collections() }]);
    let mut ends = Ends::default();
    let job = Job { wish, observed: &observed, changes: &plan.changes };
    provider.apply(job, Writing::on(hands), &mut ends).await;
    assert_eq!(ends.0.len(), plan.changes.len(), "every change is reported once");
    ends.0
}

/// Applies, demands that all went well and that nothing is left to do; gives the changes as lines.
pub async fn settle(provider: &dyn Provider, wish: &Wish, hands: &dyn Hosting) -> Vec<String> {
    let before = plan(provider, wish, hands).await;
    for (name, outcome) in apply(provider, wish, hands).await {
        assert_eq!(outcome, Outcome::Done, "{name}");
    }
    let after = plan(provider, wish, hands).await;
    assert_eq!(lines(&after), Vec::<String>::new(), "nothing is left to do");
    assert!(after.unread.is_empty(), "{:?}", after.unread);
    lines(&before)
}

/// A plan's changes, one a line.
pub fn lines(plan: &Plan) -> Vec<String> {
    let sign = |action| match action {
        Action::Create => '+',
        Action::Update => '~',
        Action::Delete => '-',
        Action::Wake => '!',
    };
    plan.changes.iter().map(|change| format!("{} {}", sign(change.action), change.address.key)).collect()
}

#[derive(Default)]
struct Ends(Vec<(String, Outcome)>);

impl Report for Ends {
    fn step(&mut self, address: &Address, outcome: Outcome) {
        self.0.push((address.key.to_string(), outcome));
    }
}
