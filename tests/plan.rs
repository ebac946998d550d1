//! The plan's rules, on wishes and observations made by hand: `plan/` needs no device.

use proptest::prelude::*;
use rocade::model::*;
use rocade::plan::{self, Pair, Scope};

const TABLE: &[Collection] = &[
    Collection { name: "file", owns: Owns::Listed, rank: 2, wakes_on_delete: None, write_only: &[] },
    Collection {
        name: "sensor",
        owns: Owns::Whole,
        rank: 1,
        wakes_on_delete: Some(("service", "lora")),
        write_only: &["app_key"],
    },
    Collection { name: "service", owns: Owns::Listed, rank: 9, wakes_on_delete: None, write_only: &[] },
];

fn target() -> Target {
    Target::new("gateway", "pool-gw")
}

fn fields(pairs: &[(&str, Value)]) -> Fields {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn resource(pairs: &[(&str, Value)], wakes: Option<Key>) -> Resource {
    Resource { fields: fields(pairs), wakes, ..Resource::default() }
}

fn lora() -> Key {
    Key::new("service", "lora")
}

fn wish() -> Wish {
    let resources = [
        (Key::new("sensor", "hall"), resource(&[("dev_eui", "0018".into())], Some(lora()))),
        (Key::new("file", "/etc/a"), resource(&[("content", "new\n".into())], None)),
        (lora(), resource(&[("current", true.into())], None)),
    ];
    Wish::new(target(), "test", 30, resources.into())
}

fn seen() -> Observed {
    let mut observed = Observed::new(target());
    observed.resources.insert(Key::new("sensor", "hall"), fields(&[("dev_eui", "0018".into())]));
    observed.resources.insert(Key::new("file", "/etc/a"), fields(&[("content", "new\n".into())]));
    observed.resources.insert(lora(), fields(&[("current", true.into())]));
    observed
}

fn plan(wish: &Wish, observed: &Observed) -> Plan {
    plan::make(&[Pair { wish, observed, table: TABLE }])
}

fn shown(plan: &Plan) -> Vec<String> {
    plan.changes.iter().map(|c| format!("{:?} {}", c.action, c.address.key)).collect()
}

#[test]
fn what_is_as_wished_changes_nothing() {
    assert!(plan(&wish(), &seen()).changes.is_empty());
}

#[test]
fn creates_come_by_rank_and_actors_last() {
    let mut observed = seen();
    observed.resources.remove(&Key::new("sensor", "hall"));
    observed.resources.remove(&Key::new("file", "/etc/a"));
    assert_eq!(
        shown(&plan(&wish(), &observed)),
        ["Create sensor hall", "Create file /etc/a", "Wake service lora"]
    );
}

#[test]
fn who_is_woken_shows_the_strongest_impact_of_the_causes() {
    let mut wish = wish();
    for (name, impact) in [("hall", Impact::Reload("lora".into())), ("attic", Impact::Restart("lora".into()))]
    {
        let mut sensor = resource(&[("dev_eui", "0020".into())], Some(lora()));
        sensor.impact = impact;
        wish.resources.insert(Key::new("sensor", name), sensor);
    }
    let plan = plan(&wish, &seen());
    let woken = plan.changes.iter().find(|change| change.action == Action::Wake).unwrap();
    assert_eq!(woken.impact, Impact::Restart("lora".into()));
    assert_eq!(woken.because, [Key::new("sensor", "attic"), Key::new("sensor", "hall")]);
}

#[test]
fn what_nobody_wished_goes_only_from_a_collection_that_is_ours() {
    let mut observed = seen();
    observed.resources.insert(Key::new("sensor", "stranger"), fields(&[("dev_eui", "0019".into())]));
    observed.resources.insert(Key::new("file", "/etc/other"), fields(&[]));
    let plan = plan(&wish(), &observed);
    assert_eq!(shown(&plan), ["Delete sensor stranger", "Wake service lora"]);
    assert_eq!(plan.changes[1].because, [Key::new("sensor", "stranger")]);
    assert_eq!(plan.unmanaged.len(), 1);
}

#[test]
fn what_could_not_be_read_is_left_alone() {
    let mut observed = Observed::new(target());
    observed.miss(Some("sensor"), None, "half a body");
    observed.resources.insert(Key::new("sensor", "stranger"), fields(&[]));
    observed.resources.insert(lora(), fields(&[("current", true.into())]));
    let plan = plan(&wish(), &observed);
    assert_eq!(shown(&plan), ["Create file /etc/a"]);
    assert_eq!(plan.unread.len(), 1);
    let nothing = self::plan(&wish(), &Observed::unreachable(target(), "connection refused"));
    assert!(nothing.changes.is_empty());
}

#[test]
fn only_wished_fields_count_and_write_only_fields_are_taken_as_kept() {
    let mut wish = wish();
    let sensor = wish.resources.get_mut(&Key::new("sensor", "hall")).unwrap();
    sensor.fields.insert("app_key".into(), Secret::new("k", "sensors/hall@1").into());
    let mut observed = seen();
    let device = observed.resources.get_mut(&Key::new("sensor", "hall")).unwrap();
    device.insert("last_seen".into(), "2026-01-01".into());
    assert!(plan(&wish, &observed).changes.is_empty());
}

#[test]
fn a_secret_is_checked_and_never_shown() {
    let mut wish = wish();
    let key = Key::new("file", "/etc/a");
    let secret = Secret::new("p0is0n", "a/b@c0ffee");
    wish.resources.get_mut(&key).unwrap().fields.insert("content".into(), secret.into());
    let mut observed = seen();
    observed.resources.insert(
        key.clone(),
        fields(&[("content", Value::Verifier(Verifier::Plain(Secret::new("p0is0n2", "seen"))))]),
    );
    let changed = plan(&wish, &observed);
    let json = serde_json::to_string(&changed).unwrap();
    assert_eq!(changed.changes.len(), 1);
    assert!(!json.contains("p0is0n") && !format!("{changed:?}").contains("p0is0n"), "{json}");
    assert!(json.contains("a/b@c0ffee"));
}

#[test]
fn the_checksum_tells_plans_apart_and_ignores_the_order_of_targets() {
    let empty = plan(&wish(), &seen());
    let mut observed = seen();
    observed.resources.remove(&lora());
    let other = plan(&wish(), &observed);
    assert_ne!(empty.checksum, other.checksum);
    let mut second = wish();
    second.target = Target::new("broker", "main");
    second.rank = 10;
    let (a, b) = (wish(), second);
    let (seen_a, seen_b) = (seen(), Observed { target: b.target.clone(), ..observed });
    let one = Pair { wish: &a, observed: &seen_a, table: TABLE };
    let two = Pair { wish: &b, observed: &seen_b, table: TABLE };
    let (forth, back) = (plan::make(&[one, two]), plan::make(&[two, one]));
    assert_eq!(forth.checksum, back.checksum);
    assert_eq!(forth.targets[0].target.kind, "broker");
}

#[test]
fn a_scope_names_what_there_is_and_helps_with_what_there_is_not() {
    let (gateway, broker) = (target(), Target::new("broker", "main"));
    let labels = |site: &str| [("site".to_owned(), site.to_owned())].into();
    let all = [(&gateway, &labels("pool")), (&broker, &labels("hq"))];
    let choose = |scope: Scope| {
        scope.choose(all.iter().copied()).map(|t| t.iter().map(|t| t.name.clone()).collect::<Vec<_>>())
    };
    assert_eq!(choose(Scope::default()).unwrap(), ["pool-gw", "main"]);
    assert_eq!(choose(Scope { only: vec!["site=hq".into()], ..Scope::default() }).unwrap(), ["main"]);
    assert_eq!(choose(Scope { except: vec!["main".into()], ..Scope::default() }).unwrap(), ["pool-gw"]);
    let faults =
        choose(Scope { names: vec!["pool-gv".into()], only: vec!["site".into()], ..Scope::default() });
    let words: Vec<String> = faults.unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(
        words,
        [
            "no target is called `pool-gv`; did you mean `pool-gw`?",
            "`site` is not of the form key=value, such as site=pool"
        ]
    );
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        "[a-z]{0,4}".prop_map(Value::Text),
        Just(Value::Null),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::List),
            prop::collection::btree_map("[a-c]", inner, 0..3).prop_map(Value::Map),
        ]
    })
}

fn resources() -> impl Strategy<Value = std::collections::BTreeMap<Key, Fields>> {
    let key = ("(file|sensor|service)", "[a-e]").prop_map(|(collection, name)| Key::new(collection, name));
    prop::collection::btree_map(key, prop::collection::btree_map("[a-d]", value(), 0..4), 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Doing what the plan says makes the next plan empty, and the same input makes the same plan.
    #[test]
    fn a_plan_carried_out_leaves_nothing_to_do(wished in resources(), live in resources()) {
        let mut wish = wish();
        wish.resources =
            wished.into_iter().map(|(key, fields)| (key, Resource { fields, ..Resource::default() })).collect();
        let mut observed = Observed::new(target());
        observed.resources = live;
        let first = plan(&wish, &observed);
        prop_assert_eq!(&first.checksum, &plan(&wish, &observed).checksum);
        for change in first.changes.iter().filter(|change| change.action != Action::Wake) {
            match (&change.action, &change.after) {
                (Action::Delete, _) => { observed.resources.remove(&change.address.key); }
                (_, Some(after)) => observed
                    .resources
                    .entry(change.address.key.clone())
                    .or_default()
                    .extend(after.clone()),
                (_, None) => prop_assert!(false, "a change without a second side"),
            }
        }
        prop_assert!(plan(&wish, &observed).changes.is_empty());
    }
}
