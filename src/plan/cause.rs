//! Why a change is to be made: somebody changed the target by hand, the inventory changed in git, or both. Told
//! from what the commit wished that was applied last, of which the same observation makes a plan of its own.

use serde::Serialize;

use crate::model::{Action, Change, Fields, Value, Wish};

/// What made a target differ from the inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The target is not as the last apply left it.
    Hand,
    /// The target is as the last apply left it; the inventory wishes something else now.
    Git,
    /// Both.
    Both,
    /// Its time has come: the authority makes something anew.
    Due,
    /// Nobody knows what was applied last.
    Unknown,
}

impl Cause {
    /// All of them.
    pub const ALL: [Cause; 5] = [Cause::Hand, Cause::Git, Cause::Both, Cause::Due, Cause::Unknown];

    /// Its word in JSON and in metrics.
    pub fn word(self) -> &'static str {
        match self {
            Cause::Hand => "hand",
            Cause::Git => "git",
            Cause::Both => "both",
            Cause::Due => "due",
            Cause::Unknown => "unknown",
        }
    }

    /// The cause of something that has both causes. What is known stands for what is not.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Cause::Unknown, known) | (known, Cause::Unknown) => known,
            (Cause::Due, other) | (other, Cause::Due) => other,
            (one, other) if one == other => one,
            _ => Cause::Both,
        }
    }
}

/// The causes of a target's changes, in their order. `then` are the changes that the wish of the last apply would
/// make of the same observation.
pub fn causes(changes: &[&Change], then: &[Change], wish: &Wish) -> Vec<Cause> {
    let mut causes: Vec<Cause> = changes.iter().map(|change| cause(change, then, wish)).collect();
    for (index, change) in changes.iter().enumerate().filter(|(_, change)| change.action == Action::Wake) {
        let of_causes = changes
            .iter()
            .zip(&causes)
            .filter(|(cause, _)| cause.action != Action::Wake && change.because.contains(&cause.address.key));
        if let Some(cause) = of_causes.map(|(_, cause)| *cause).reduce(Cause::and) {
            causes[index] = cause;
        }
    }
    causes
}

fn cause(change: &Change, then: &[Change], wish: &Wish) -> Cause {
    if change.is_pending() {
        return Cause::Due;
    }
    let key = &change.address.key;
    let before = then.iter().find(|then| then.address.key == *key);
    match (change.action, before) {
        (Action::Delete, Some(then)) if then.action == Action::Delete => Cause::Hand,
        (_, None) => Cause::Git,
        (Action::Delete, Some(_)) => Cause::Both,
        (Action::Wake, Some(_)) => Cause::Hand,
        (Action::Create | Action::Update, Some(then)) => {
            let none = Fields::new();
            let wished = wish.resources.get(key).map_or(&none, |resource| &resource.fields);
            let now = change.after.as_ref().unwrap_or(&none);
            let then = then.after.as_ref().unwrap_or(&none);
            let fields = now.iter().map(|(name, value)| of_field(value, then.get(name), wished.get(name)));
            fields.reduce(Cause::and).unwrap_or(Cause::Hand)
        }
    }
}

/// The cause of one field that differs: what it shall be now, what the last apply would make of it if that
/// differs too, and what that wished of it.
fn of_field(now: &Value, then: Option<&Value>, wished: Option<&Value>) -> Cause {
    match (then, wished) {
        (Some(then), _) | (None, Some(then)) if then.is_pending() => Cause::Unknown,
        (None, _) => Cause::Git,
        (Some(then), _) if is_equal(now, then) => Cause::Hand,
        (Some(_), _) => Cause::Both,
    }
}

/// Whether two wished values are the same; a secret may have been encrypted anew.
fn is_equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Secret(one), Value::Secret(other)) => one.reveal() == other.reveal(),
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_equal(one, other))
        }
        (Value::Map(one), Value::Map(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| other.get(name).is_some_and(|own| is_equal(value, own)))
        }
        _ => serde_json::to_value(one).ok() == serde_json::to_value(other).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Collection, Key, Observed, Owns, Resource, Target};
    use crate::plan::{Pair, make};

    const TABLE: &[Collection] = &[
        Collection { name: "file", owns: Owns::Whole, rank: 0, wakes_on_delete: None, write_only: &[] },
        Collection { name: "service", owns: Owns::Listed, rank: 1, wakes_on_delete: None, write_only: &[] },
    ];

    type Files<'a> = &'a [(&'a str, &'a [(&'a str, Value)])];

    fn fields(fields: &[(&str, Value)]) -> Fields {
        fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    fn wish(files: Files<'_>) -> Wish {
        let service = (Key::new("service", "relay"), Resource::default());
        let resource = |(name, of): &(&str, &[(&str, Value)])| {
            let wakes = Some(Key::new("service", "relay"));
            (Key::new("file", *name), Resource { fields: fields(of), wakes, ..Resource::default() })
        };
        let resources = files.iter().map(resource).chain([service]).collect();
        Wish::new(Target::new("gateway", "pool-gw"), "conduit", 30, resources)
    }

    /// The causes of what is to be done, from what was applied last, what is wished now and what is live.
    fn told(then: Files<'_>, now: Files<'_>, live: Files<'_>) -> Vec<String> {
        let (then, now) = (wish(then), wish(now));
        let mut observed = Observed::new(now.target.clone());
        observed.resources.insert(Key::new("service", "relay"), Fields::new());
        let seen = live.iter().map(|(name, of)| (Key::new("file", *name), fields(of)));
        observed.resources.extend(seen);
        let of = |wish| make(&[Pair { wish, observed: &observed, table: TABLE }]).changes;
        let changes = of(&now);
        let changes: Vec<&Change> = changes.iter().collect();
        let causes = causes(&changes, &of(&then), &then);
        let line =
            |(change, cause): (&&Change, Cause)| format!("{} {}", change.address.key.name, cause.word());
        changes.iter().zip(causes).map(line).collect()
    }

    #[test]
    fn a_difference_is_by_hand_when_the_last_apply_would_put_it_right_too() {
        let a: &[(&str, Value)] = &[("content", Value::Text("a".into()))];
        let b: &[(&str, Value)] = &[("content", Value::Text("b".into()))];
        let c: &[(&str, Value)] = &[("content", Value::Text("c".into()))];
        assert_eq!(told(&[("f", a)], &[("f", a)], &[("f", b)]), ["f hand", "relay hand"]);
        assert_eq!(told(&[("f", a)], &[("f", b)], &[("f", a)]), ["f git", "relay git"]);
        assert_eq!(told(&[("f", a)], &[("f", b)], &[("f", c)]), ["f both", "relay both"]);
        assert_eq!(told(&[("f", a)], &[("f", a)], &[]), ["f hand", "relay hand"]);
        assert_eq!(told(&[], &[("f", a)], &[]), ["f git", "relay git"]);
        assert_eq!(told(&[], &[], &[("f", a)]), ["f hand"]);
        assert_eq!(told(&[("f", a)], &[], &[("f", a)]), ["f git"]);
        assert_eq!(
            told(&[("f", a), ("g", a)], &[("f", b), ("g", a)], &[("f", a), ("g", b)]),
            ["f git", "g hand", "relay both"]
        );
    }

    #[test]
    fn each_field_has_its_own_cause() {
        let word = |text: &str| Value::Text(text.into());
        let then: &[(&str, Value)] = &[("content", word("a")), ("mode", word("0644"))];
        let now: &[(&str, Value)] = &[("content", word("b")), ("mode", word("0644"))];
        let live: &[(&str, Value)] = &[("content", word("a")), ("mode", word("0600"))];
        assert_eq!(told(&[("f", then)], &[("f", now)], &[("f", live)])[0], "f both");
    }

    #[test]
    fn what_was_made_by_an_apply_is_not_guessed_at() {
        let pending: &[(&str, Value)] = &[("content", Value::Pending("the authority".into()))];
        let a: &[(&str, Value)] = &[("content", Value::Text("a".into()))];
        let b: &[(&str, Value)] = &[("content", Value::Text("b".into()))];
        assert_eq!(told(&[("f", pending)], &[("f", a)], &[("f", b)])[0], "f unknown");
        assert_eq!(told(&[("f", a)], &[("f", pending)], &[("f", a)])[0], "f due");
    }
}
