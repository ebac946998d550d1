//! What a 3CX has when it was just installed.

use serde_json::{Value, json};

use super::OPERATOR;
use super::rules;
use super::store::{Store, set_of};

/// Time zones by the id the PBX gives them.
pub const TIME_ZONES: [(&str, &str); 4] =
    [("51", "Europe/Paris"), ("52", "Europe/Berlin"), ("42", "Europe/London"), ("2", "Etc/UTC")];

/// Fills a new store.
pub fn fill(store: &mut Store) {
    group(store, "GRP0000", "DEFAULT", true);
    group(store, "GRP9999", "___FAVORITES___owner", false);
    user(store, OPERATOR.parse().unwrap_or(10));
    let mut hot = user_row(store, "HD1");
    hot["EnableHotdesking"] = json!(true);
    put(store, "Users", hot);
    for number in 1..=3 {
        let row = json!({"Id": store.next_id(), "Number": format!("SP{number}"), "Groups": []});
        put(store, "Parkings", row);
    }
    for (number, name, kind) in
        [("700", "Conference", "Conference"), ("999", "Voicemail menu", "SpecialMenu")]
    {
        let row = json!({"Id": store.next_id(), "Number": number, "Name": name, "Type": kind});
        put(store, "Peers", row);
    }
    template(store, "yealinkT4x.ph.xml", &[("Yealink T41S", false), ("Yealink T46S", false)]);
    template(
        store,
        "yealinkT5x.ph.xml",
        &[("Yealink T53", true), ("Yealink T54W", true), ("Yealink T57W", true)],
    );
    for name in ["1cx.pv.xml", "generic.pv.xml"] {
        let row = json!({"Id": name, "Name": name.trim_end_matches(".pv.xml"), "AddAllowed": true,
            "TemplateType": "Preferred", "Countries": ["FR"]});
        put(store, "TrunkTemplates", row);
    }
    // What people and other programs have put into the phonebook.
    contact(store, &json!({"FirstName": "Typed", "LastName": "In", "PhoneNumber": "0611000001"}));
    contact(store, &json!({"CompanyName": "Synchronised", "Business": "+33472000002", "Tag": "dolibarr:12"}));
    put(store, "PhoneBookSettings", json!({"Id": 0, "ResolvingType": "MatchExact", "ResolvingLength": 10}));
    let row = json!({"Filename": "onhold.wav", "DisplayName": "onhold.wav", "CanBeDeleted": false,
    "PromptType": "File"});
    put(store, "CustomPrompts", row);
}

fn contact(store: &mut Store, body: &Value) {
    let mut row = rules::defaults("Contacts");
    row["Id"] = store.next_id().into();
    for (name, value) in body.as_object().into_iter().flatten() {
        row[name] = value.clone();
    }
    put(store, "Contacts", row);
}

fn put(store: &mut Store, set: &str, row: Value) {
    if let Some(set) = set_of(set) {
        store.put(set, row);
    }
}

fn group(store: &mut Store, number: &str, name: &str, is_default: bool) {
    let mut row = rules::defaults("Groups");
    row["Id"] = store.next_id().into();
    row["Number"] = number.into();
    row["Name"] = name.into();
    row["IsDefault"] = is_default.into();
    put(store, "Groups", row);
}

fn user_row(store: &mut Store, number: &str) -> Value {
    let set = set_of("Users");
    let mut row = rules::defaults("Users");
    row["Id"] = store.next_id().into();
    row["Number"] = number.into();
    row["FirstName"] = if number == OPERATOR { "Operator".into() } else { format!("Person {number}").into() };
    if let Some(set) = set {
        // The rules cannot refuse a row of defaults.
        let _ = rules::settle(store, set, &mut row, None);
    }
    row
}

/// A user of defaults.
pub fn user(store: &mut Store, number: u32) {
    let row = user_row(store, &number.to_string());
    put(store, "Users", row);
}

fn template(store: &mut Store, id: &str, models: &[(&str, bool)]) {
    let model = |(name, routes): &(&str, bool)| {
        json!({"Name": name, "UserAgent": name, "AddAllowed": true,
    "CanBeSBC": routes})
    };
    let models: Vec<Value> = models.iter().map(model).collect();
    let row = json!({"Id": id, "TemplateType": "Preferred", "AddAllowed": true, "Models": models});
    put(store, "PhoneTemplates", row);
}
